-- Managed resources, claims and providers of every group of Crossplane.
local without_status = { ProviderConfig = true, Composition = true }
if obj.status == nil or obj.status.conditions == nil then
  if without_status[obj.kind] then
    return { status = "Healthy", message = obj.kind .. " has no status" }
  end
  return { status = "Progressing", message = "Waiting for " .. obj.kind }
end
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "LastAsyncOperation" and condition.status == "False" then
    return { status = "Degraded", message = condition.message }
  end
  if condition.type == "Synced" and condition.status == "False" then
    return { status = "Degraded", message = condition.message }
  end
end
for _, condition in ipairs(obj.status.conditions) do
  if (condition.type == "Ready" or condition.type == "Healthy") and condition.status == "True" then
    return { status = "Healthy", message = obj.kind .. " is up to date" }
  end
end
return { status = "Progressing", message = obj.kind .. " is being made" }
