if obj.spec ~= nil and obj.spec.suspend then
  return { status = "Suspended", message = "GitRepository is suspended" }
end
local status = obj.status or {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then
    if condition.status == "True" then
      return { status = "Healthy", message = condition.message }
    elseif condition.status == "Unknown" or condition.reason == "Progressing" or condition.reason == "DependencyNotReady" then
      return { status = "Progressing", message = condition.message }
    end
    return { status = "Degraded", message = condition.message }
  end
end
return { status = "Progressing", message = "Waiting for GitRepository" }
