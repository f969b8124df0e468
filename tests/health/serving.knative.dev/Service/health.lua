local bad, waiting, good = 0, 0, 0
local first = ""
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in pairs(obj.status.conditions) do
    if condition.status == "True" then
      good = good + 1
    elseif condition.status == "False" then
      bad = bad + 1
      first = condition.message or first
    else
      waiting = waiting + 1
    end
  end
end
if bad > 0 then
  return { status = "Degraded", message = first }
elseif waiting > 0 or good == 0 then
  return { status = "Progressing", message = "Waiting for " .. waiting .. " conditions" }
end
return { status = "Healthy", message = good .. " of " .. (good + waiting) .. " conditions hold" }
