-- status.observedGeneration is text here, as the controller writes it.
function replicas_text(have, want)
  return string.format("%d of %d", have or 0, want)
end

function answer(status, message)
  return { status = status, message = message }
end

if obj.status == nil or tonumber(obj.status.observedGeneration or 0) ~= obj.metadata.generation then
  return answer("Progressing", "Waiting for rollout spec update to be observed")
end
if obj.status.abort then
  return answer("Degraded", "Rollout was aborted")
end
for _, condition in ipairs(obj.status.conditions or {}) do
  if condition.type == "InvalidSpec" or condition.reason == "ProgressDeadlineExceeded" then
    return answer("Degraded", condition.message)
  end
end
if obj.status.pauseConditions ~= nil and table.getn(obj.status.pauseConditions) > 0 then
  return answer("Suspended", "Rollout is paused: " .. obj.status.pauseConditions[1].reason)
end
local wanted = obj.spec.replicas or 1
if (obj.status.updatedReplicas or 0) < wanted then
  return answer("Progressing", "Updated " .. replicas_text(obj.status.updatedReplicas, wanted))
end
if (obj.status.availableReplicas or 0) < wanted then
  local part = math.floor((obj.status.availableReplicas or 0) / wanted * 100)
  return answer("Progressing", "Available " .. replicas_text(obj.status.availableReplicas, wanted) .. ", " .. part .. "%")
end
return answer("Healthy", "Rollout of " .. wanted .. " is complete")
