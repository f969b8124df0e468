local annotations = obj.metadata.annotations or {}
if annotations["autoscaling.keda.sh/paused"] ~= nil or annotations["autoscaling.keda.sh/paused-replicas"] ~= nil then
  return { status = "Suspended", message = "ScaledObject is paused" }
end
local seen = {}
for _, condition in ipairs(obj.status and obj.status.conditions or {}) do
  seen[condition.type] = condition
end
if seen.Fallback and seen.Fallback.status == "True" then
  return { status = "Degraded", message = seen.Fallback.message }
elseif seen.Ready and seen.Ready.status == "False" then
  return { status = "Degraded", message = seen.Ready.message }
elseif seen.Ready and seen.Ready.status == "True" then
  return { status = "Healthy", message = seen.Ready.message }
end
return { status = "Progressing", message = "Creating HorizontalPodAutoscaler" }
