local condition = obj.status and obj.status.conditions and obj.status.conditions[1]
if condition == nil then
  return { status = "Healthy", message = "Sealed secret has no status yet" }
end
if condition.type == "Synced" and condition.status == "False" then
  return { status = "Degraded", message = condition.message }
end
return { status = "Healthy", message = "" }
