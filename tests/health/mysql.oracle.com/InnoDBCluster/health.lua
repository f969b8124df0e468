local cluster = obj.status and obj.status.cluster
if cluster == nil then
  return { status = "Progressing", message = "Waiting for the cluster" }
end
local online, wanted = cluster.onlineInstances or 0, obj.spec.instances
local message = cluster.status .. ", " .. online .. "/" .. wanted .. " online"
if cluster.status == "ONLINE" and online == wanted then
  return { status = "Healthy", message = message }
elseif cluster.status == "OFFLINE" or cluster.status == "NO_QUORUM" or cluster.status == "SPLIT_BRAIN" then
  return { status = "Degraded", message = message }
end
return { status = "Progressing", message = message }
