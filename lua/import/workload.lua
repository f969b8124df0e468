-- Workloads of the input, with the objects that belong to them, as components.

local container = require "import.container"
local difference = require "import.difference"
local json = require "import.json"
local route = require "import.route"
local volumes = require "import.volumes"

local workload = {}

local words = { Deployment = "deployment", StatefulSet = "statefulset", DaemonSet = "daemonset", Job = "job",
    CronJob = "cronjob" }
workload.words = words

local duration = container.duration

--- The pod template of a workload.
function workload.template(object)
    local spec = json.map(object.spec)
    if object.kind == "CronJob" then
        spec = json.map(json.map(spec.jobTemplate).spec)
    end
    return json.map(spec.template)
end

--- The labels by which a workload finds its pods.
function workload.selector(object)
    return json.map(json.map(json.map(object.spec).selector).matchLabels)
end

local function rolling(strategy)
    strategy = json.map(strategy)
    local rolled = strategy.rollingUpdate
    if type(rolled) == "table" and strategy.type == "RollingUpdate" then
        return { max_surge = rolled.maxSurge, max_unavailable = rolled.maxUnavailable }
    end
    return strategy.type
end

local specs = {}

function specs.Deployment(spec, fields)
    fields.replicas, fields.revision_history = spec.replicas, spec.revisionHistoryLimit
    fields.strategy = rolling(spec.strategy)
    fields.min_ready = duration(spec.minReadySeconds)
    fields.progress_deadline = duration(spec.progressDeadlineSeconds)
end

function specs.StatefulSet(spec, fields)
    local strategy = json.map(spec.updateStrategy)
    local partition = json.map(strategy.rollingUpdate).partition
    fields.replicas, fields.revision_history = spec.replicas, spec.revisionHistoryLimit
    fields.pod_management, fields.min_ready = spec.podManagementPolicy, duration(spec.minReadySeconds)
    fields.partition = partition
    fields.strategy = not partition and strategy.type or nil
    local keep = json.map(spec.persistentVolumeClaimRetentionPolicy)
    if keep.whenDeleted and keep.whenScaled then
        fields.keep_claims = { deleted = keep.whenDeleted ~= "Delete", scaled = keep.whenScaled ~= "Delete" }
    end
end

function specs.DaemonSet(spec, fields)
    fields.strategy, fields.revision_history = rolling(spec.updateStrategy), spec.revisionHistoryLimit
    fields.min_ready = duration(spec.minReadySeconds)
end

function specs.Job(spec, fields)
    fields.backoff_limit, fields.completions, fields.parallelism = spec.backoffLimit, spec.completions, spec.parallelism
    fields.deadline, fields.ttl = duration(spec.activeDeadlineSeconds), duration(spec.ttlSecondsAfterFinished)
end

function specs.CronJob(spec, fields)
    fields.schedule, fields.time_zone, fields.concurrency = spec.schedule, spec.timeZone, spec.concurrencyPolicy
    fields.suspend, fields.keep_successful = spec.suspend, spec.successfulJobsHistoryLimit
    fields.keep_failed, fields.starting_deadline = spec.failedJobsHistoryLimit, duration(spec.startingDeadlineSeconds)
    specs.Job(json.map(json.map(spec.jobTemplate).spec), fields)
end

-- Fields of a pod spec that are the language's own; others that it has are said in Kubernetes' words, as `pod`.
local known_pod_fields = {}
for word in ("containers initContainers volumes serviceAccountName priorityClassName automountServiceAccountToken "
    .. "nodeSelector tolerations affinity topologySpreadConstraints securityContext hostAliases imagePullSecrets "
    .. "hostNetwork hostPID dnsPolicy terminationGracePeriodSeconds restartPolicy"):gmatch "%S+" do
    known_pod_fields[word] = true
end

local function pod_fields(pod, selector, fields, context)
    fields.service_account = context.named("ServiceAccount", pod.serviceAccountName)
    fields.priority_class = context.named("PriorityClass", pod.priorityClassName)
    fields.token, fields.pod_security, fields.host_aliases = pod.automountServiceAccountToken, pod.securityContext,
        pod.hostAliases
    fields.host_network, fields.host_pid, fields.dns_policy = pod.hostNetwork, pod.hostPID, pod.dnsPolicy
    fields.grace_period, fields.restart = duration(pod.terminationGracePeriodSeconds), pod.restartPolicy
    for i, one in ipairs(json.list(pod.imagePullSecrets)) do
        fields.pull_secrets = fields.pull_secrets or {}
        fields.pull_secrets[i] = one.name
    end
    container.placement(pod, selector, fields)
    for key, value in pairs(pod) do
        if not known_pod_fields[key] then
            fields.pod = fields.pod or {}
            fields.pod[key] = value
        end
    end
end

local function claim_fields(spec, metadata, context)
    return {
        size = json.map(json.map(spec.resources).requests).storage, modes = spec.accessModes,
        class = context.named("StorageClass", spec.storageClassName),
        volume = context.named("PersistentVolume", spec.volumeName),
        selector = json.map(spec.selector).matchLabels, volume_mode = spec.volumeMode,
        labels = metadata.labels, annotations = metadata.annotations,
    }
end
workload.claim_fields = claim_fields

-- Claims of a StatefulSet's templates, or of the objects that a pod's volumes name: in their order, by the volume's
-- name.
local function claims_of(object, pod, group, context)
    local entries = {}
    if object.kind == "StatefulSet" then
        for _, template in ipairs(json.list(json.map(object.spec).volumeClaimTemplates)) do
            local metadata = json.map(template.metadata)
            entries[#entries + 1] = { name = metadata.name, value = claim_fields(template.spec, metadata, context) }
        end
        return entries
    end
    for _, given in ipairs(json.list(pod.volumes)) do
        local claim_name = json.map(given.persistentVolumeClaim).claimName
        local claim = claim_name and group.claims[claim_name]
        if claim and next(given.persistentVolumeClaim, "claimName") == nil and not claim.taken then
            local fields = claim_fields(claim.spec, {}, context)
            claim.taken = true
            fields.name = claim_name ~= object.metadata.name .. "-" .. given.name and claim_name or nil
            local own = context.own_metadata(claim, object, group.annotations)
            fields.labels, fields.annotations = own.labels, own.annotations
            entries[#entries + 1] = { name = given.name, value = fields }
        end
    end
    for _, claim in pairs(group.claims) do
        claim.taken = nil
    end
    return entries
end

local function extra_fields(one, context, plan)
    local fields = container.fields(one, context)
    fields.name, fields.files, fields.volumes = one.name, plan.mounts[one].files, plan.mounts[one].volumes
    fields.restart = one.restartPolicy
    return fields
end

local function container_lists(pod, fields, context, plan)
    for i, one in ipairs(json.list(pod.containers)) do
        if i > 1 then
            fields.containers = fields.containers or {}
            fields.containers[i - 1] = extra_fields(one, context, plan)
        end
    end
    -- Sidecars are those that begin before all others.
    local are_sidecars = true
    for _, one in ipairs(json.list(pod.initContainers)) do
        are_sidecars = are_sidecars and one.restartPolicy == "Always"
        local field, made = are_sidecars and "sidecars" or "init", extra_fields(one, context, plan)
        made.restart = not are_sidecars and made.restart or nil
        fields[field] = fields[field] or {}
        fields[field][#fields[field] + 1] = made
    end
end

local function claims_with_paths(entries, plan)
    local made = {}
    for i, entry in ipairs(entries) do
        local fields, mount = {}, plan.paths[entry.name]
        for key, value in pairs(entry.value) do
            fields[key] = value
        end
        if mount then
            fields.path, fields.read_only, fields.sub = mount.mountPath, mount.readOnly, mount.subPath
        end
        made[i] = { name = entry.name, value = fields }
    end
    return #made > 0 and container.ordered(made) or nil
end

-- All objects of a group but the workload.
local function others_of(group)
    local all = { table.unpack(group.services) }
    for _, field in ipairs { "ingress", "autoscaler", "budget", "policy" } do
        all[#all + 1] = group[field]
    end
    for _, claim in pairs(group.claims) do
        all[#all + 1] = claim
    end
    return all
end
workload.others = others_of

--- The fields of a workload's component, one candidate for each plan of its volumes. `group` is { object, services,
--- ingress, autoscaler, budget, policy, claims }; `name` the component's.
function workload.candidates(name, group, context)
    local object = group.object
    group.annotations = context.common_annotations(object, others_of(group))
    local template, spec = workload.template(object), json.map(object.spec)
    local pod, selector = json.map(template.spec), workload.selector(object)
    local containers = {}
    for _, field in ipairs { "containers", "initContainers" } do
        for _, one in ipairs(json.list(pod[field])) do
            containers[#containers + 1] = one
        end
    end
    local base = container.fields(containers[1], context)
    local has_own_selector = object.kind ~= "Job" and object.kind ~= "CronJob"
        and not json.same(selector, { app = name })
    base.meta = context.meta(object, name, others_of(group))
    base.container = containers[1].name ~= name and containers[1].name or nil
    base.selector = has_own_selector and selector or nil
    local metadata = json.map(template.metadata)
    local labels = difference.between(selector, json.map(metadata.labels))
    base.labels = labels and json.is_map(labels) and not getmetatable(labels) and next(labels) and labels or nil
    base.annotations = metadata.annotations
    specs[object.kind](spec, base)
    pod_fields(pod, selector, base, context)
    local claims = claims_of(object, pod, group, context)
    local claims_by_name = {}
    for _, entry in ipairs(claims) do
        claims_by_name[entry.name] = true
    end
    route.attach(name, group, base, context)
    local candidates = {}
    for i, plan in ipairs(volumes.plans(pod, containers, claims_by_name, object.kind == "StatefulSet", context)) do
        local fields = {}
        for key, value in pairs(base) do
            fields[key] = value
        end
        fields.pod_volumes, fields.claims = plan.declared, claims_with_paths(claims, plan)
        fields.files, fields.volumes = plan.mounts[containers[1]].files, plan.mounts[containers[1]].volumes
        container_lists(pod, fields, context, plan)
        candidates[i] = fields
    end
    return candidates
end

return workload
