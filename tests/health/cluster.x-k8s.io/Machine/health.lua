local hs = { status = "Progressing", message = "Waiting for machine" }
if obj.status ~= nil then
  if obj.status.failureReason ~= nil then
    return { status = "Degraded", message = obj.status.failureReason .. ": " .. (obj.status.failureMessage or "") }
  end
  if obj.status.phase == "Running" and obj.status.nodeRef ~= nil then
    return { status = "Healthy", message = "Machine is node " .. obj.status.nodeRef.name }
  elseif obj.status.phase ~= nil then
    hs.message = "Machine is " .. obj.status.phase:lower()
  end
end
return hs
