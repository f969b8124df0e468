-- Of the core group: its kinds lie right below.
if obj.status ~= nil and obj.status.phase == "Bound" then
  local size = obj.status.capacity and obj.status.capacity.storage or "?"
  return { status = "Healthy", message = "Bound, " .. size }
end
return { status = "Progressing", message = "Pending" }
