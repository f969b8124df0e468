local phases = {
  Completed = "Healthy", PartiallyFailed = "Degraded", Failed = "Degraded", FailedValidation = "Degraded",
  New = "Progressing", InProgress = "Progressing", Finalizing = "Progressing", Deleting = "Progressing",
}
local phase = obj.status and obj.status.phase or "New"
local message = "Phase: " .. phase
if obj.status and obj.status.errors and obj.status.errors > 0 then
  message = string.format("%s, %d errors", message, obj.status.errors)
end
if obj.status and obj.status.progress then
  message = message .. ", " .. obj.status.progress.itemsBackedUp .. " of " .. obj.status.progress.totalItems
end
local done = 0
table.foreach(obj.status and obj.status.validationErrors or {}, function(_, text)
  message = message .. "; " .. text
  done = done + 1
end)
return { status = phases[phase] or "Unknown", message = message }
