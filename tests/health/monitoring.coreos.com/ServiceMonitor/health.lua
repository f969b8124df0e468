for _, binding in ipairs(obj.status and obj.status.bindings or {}) do
  for _, condition in ipairs(binding.conditions or {}) do
    if condition.type == "Accepted" and condition.status == "False" then
      return { status = "Degraded", message = binding.resource .. "/" .. binding.name .. ": " .. condition.message }
    end
  end
end
return nil
