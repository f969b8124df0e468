local health = { status = "Progressing", message = "Waiting for KafkaTopic" }
if not obj.status or not obj.status.conditions then return health end
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "NotReady" and condition.reason == "Creating" then
    health.message = condition.message
  elseif condition.type == "NotReady" then
    health = { status = "Degraded", message = condition.reason .. ": " .. condition.message }
  elseif condition.type == "Ready" and condition.status == "True" then
    health = { status = "Healthy", message = "KafkaTopic is ready" }
  end
end
return health
