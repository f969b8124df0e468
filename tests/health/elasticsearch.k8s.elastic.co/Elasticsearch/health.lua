local hs = {}
local colours = {
  green = { "Healthy", "Elasticsearch cluster is green" },
  yellow = { "Progressing", "Elasticsearch cluster is yellow" },
  red = { "Degraded", "Elasticsearch cluster is red" },
}
if obj.status ~= nil and obj.status.phase ~= nil then
  local phase = obj.status.phase
  if phase == "Invalid" then
    hs.status, hs.message = "Degraded", "The specification is invalid"
    return hs
  elseif phase == "ApplyingChanges" or phase == "MigratingData" or phase == "Stalled" then
    hs.status, hs.message = "Progressing", "Phase: " .. phase
    return hs
  end
  if obj.status.health ~= nil and colours[obj.status.health] then
    hs.status, hs.message = unpack(colours[obj.status.health])
    return hs
  end
end
hs.status, hs.message = "Progressing", "Waiting for Elasticsearch"
return hs
