local parents = obj.status and obj.status.parents or {}
if #parents == 0 then
  return { status = "Progressing", message = "Waiting for a gateway to take the route" }
end
for _, parent in ipairs(parents) do
  for _, condition in ipairs(parent.conditions or {}) do
    if condition.status == "False" then
      local name = parent.parentRef and parent.parentRef.name or "?"
      return { status = "Degraded", message = "Parent " .. name .. ": " .. (condition.message or condition.reason) }
    end
  end
end
return { status = "Healthy", message = "Taken by " .. #parents .. " parents" }
