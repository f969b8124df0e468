local health = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for i, condition in ipairs(obj.status.conditions) do
    if condition.type == "Ready" then
      health.message = condition.message
      health.status = ({ True = "Healthy", False = "Degraded" })[condition.status] or "Progressing"
      return health
    end
  end
end
health.status = "Progressing"
health.message = "Initializing issuer"
return health
