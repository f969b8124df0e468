local health = { status = "Progressing", message = "Waiting for the certificate" }
local conditions = obj.status ~= nil and obj.status.conditions or {}
for _, condition in ipairs(conditions) do
  if condition.type == "Issuing" and condition.status == "True" then
    return { status = "Progressing", message = condition.message }
  end
end
for i = 1, table.getn(conditions) do
  local condition = conditions[i]
  if condition.type == "Ready" then
    health.status = condition.status == "True" and "Healthy" or "Degraded"
    health.message = condition.message
  end
end
return health
