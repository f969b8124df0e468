-- Sizes count by powers of two; the operator tells them as text.
local wanted = obj.spec.redis and obj.spec.redis.replicas or 3
local ready = loadstring("return " .. tostring(obj.status and obj.status.ready or 0))()
if ready >= wanted then
  return { status = "Healthy", message = "Slots: " .. math.pow(2, 14) .. " on " .. ready .. " replicas" }
end
return { status = "Progressing", message = ready .. " of " .. wanted .. " replicas, " .. tostring(ready / wanted * 100) .. "%" }
