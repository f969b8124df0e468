local function find(conditions, kind)
  for _, condition in ipairs(conditions or {}) do
    if condition.type == kind then return condition end
  end
end

local status = obj.status or {}
for _, kind in ipairs({ "Accepted", "Programmed" }) do
  local condition = find(status.conditions, kind)
  if condition == nil or condition.observedGeneration ~= nil and condition.observedGeneration < obj.metadata.generation then
    return { status = "Progressing", message = "Waiting for " .. kind }
  elseif condition.status == "False" then
    local waits = condition.reason == "Pending" or condition.reason == "AddressNotAssigned"
    return { status = waits and "Progressing" or "Degraded", message = condition.reason .. ": " .. condition.message }
  end
end
for _, listener in ipairs(status.listeners or {}) do
  local resolved = find(listener.conditions, "ResolvedRefs")
  if resolved and resolved.status == "False" then
    return { status = "Degraded", message = "listener " .. listener.name .. ": " .. resolved.message }
  end
end
return { status = "Healthy", message = "Gateway is programmed" }
