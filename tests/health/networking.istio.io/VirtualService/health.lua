local messages = obj.status and obj.status.validationMessages or {}
for _, entry in ipairs(messages) do
  if entry.level == "ERROR" then
    return { status = "Degraded", message = entry.type.code .. " " .. entry.type.name }
  end
end
if #messages > 0 then
  return { status = "Healthy", message = #messages .. " warnings" }
end
return { status = "Healthy", message = "" }
