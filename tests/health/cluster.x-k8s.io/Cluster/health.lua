function get_status(object)
  local hs = { status = "Progressing", message = "Waiting for the cluster" }
  if object.spec and object.spec.paused then
    hs.status = "Suspended"
    hs.message = "Cluster is paused"
    return hs
  end
  if object.status == nil then return hs end
  local phases = { Failed = "Degraded", Provisioned = "Healthy", Provisioning = "Progressing", Pending = "Progressing" }
  hs.status = phases[object.status.phase] or "Progressing"
  hs.message = "Cluster is " .. string.lower(object.status.phase or "pending")
  for _, condition in ipairs(object.status.conditions or {}) do
    if condition.type == "Ready" and condition.status == "False" and condition.severity == "Error" then
      hs.status = "Degraded"
      hs.message = condition.reason .. ": " .. condition.message
    elseif condition.type == "Ready" and condition.status == "False" then
      hs.status = "Progressing"
    end
  end
  return hs
end

return get_status(obj)
