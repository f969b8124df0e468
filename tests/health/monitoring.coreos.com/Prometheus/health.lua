local hs = { status = "Progressing", message = "Initializing status" }
if obj.status ~= nil then
  if obj.status.conditions ~= nil then
    for _, condition in ipairs(obj.status.conditions) do
      if condition.type == "Available" and condition.status ~= "True" then
        if condition.reason == "SomePodsNotReady" then
          hs.status = "Progressing"
        else
          hs.status = "Degraded"
        end
        hs.message = condition.message or condition.reason
        return hs
      end
      if condition.type == "Reconciled" and condition.status ~= "True" then
        hs.status = "Degraded"
        hs.message = condition.message or condition.reason
        return hs
      end
    end
    hs.status = "Healthy"
    hs.message = "All instances are available"
  end
end
return hs
