-- Components that run containers: Deployment, StatefulSet, DaemonSet, Job, CronJob, with what belongs to them.

local check = require "bk.check"
local component = require "bk.component"
local container = require "bk.container"
local host = require "bk.host"
local keep = require "bk.keep"
local network = require "bk.network"
local ordered = require "bk.ordered"
local origin = require "bk.origin"
local patch = require "bk.patch"
local placement = require "bk.placement"
local quantity = require "bk.quantity"
local rule = require "bk.rule"
local route = require "bk.route"
local scale = require "bk.scale"
local storage = require "bk.storage"
local tables = require "bk.tables"
local volume = require "bk.volume"

local workload = {}

local with = tables.with

-- A list of containers beside the main one; their own fields are checked with their names.
local containers = check.list(check.map)

local function a(what, word)
    return check.either(("a %s or the name of one"):format(what), check.text, function(value)
        return check.kind(value) ~= "component" or value.word ~= word or nil
    end)
end

local pod_rules = with(with(with(container.rules, placement.rules), component.order_rules), {
    patch = patch.rule, allow = rule.allow, meta = check.map, selector = check.map,
    container = check.text, keep = keep.rule, replace = check.flag,
    pod_volumes = ordered.rule_unnamed, pod = check.map, restart = check.one_of("Always", "Never", "OnFailure"),
    labels = check.map, annotations = check.map, pod_security = check.map,
    service_account = a("bk.service_account", "service account"),
    priority_class = a("bk.priority_class", "priority class"), host_aliases = check.list(check.map),
    host_network = check.flag, host_pid = check.flag, dns_policy = check.text,
    pull_secrets = check.list(check.text), grace_period = quantity.duration, token = check.flag,
    init = containers, sidecars = containers, containers = containers,
})

local served = with(pod_rules, {
    service = check.either("true, false or a table", check.flag, check.map), ingress = check.map,
    services = check.list(check.map), claims = ordered.rule, network = check.map, disruption = check.map,
})

local job_rules = with(pod_rules, {
    backoff_limit = check.whole(0), deadline = quantity.duration, completions = check.whole(1),
    parallelism = check.whole(1), restart = check.one_of("Never", "OnFailure"), ttl = quantity.duration,
})

local kinds = {
    Deployment = with(served, {
        replicas = check.whole(0), scale = check.map, progress_deadline = quantity.duration,
        revision_history = check.whole(0), min_ready = quantity.duration,
        strategy = check.either("\"Recreate\", \"RollingUpdate\" or { max_surge, max_unavailable }",
            check.one_of("Recreate", "RollingUpdate"), check.map),
    }),
    StatefulSet = with(served, {
        replicas = check.whole(0), scale = check.map, pod_management = check.one_of("OrderedReady", "Parallel"),
        partition = check.whole(0), revision_history = check.whole(0), min_ready = quantity.duration,
        strategy = check.one_of("OnDelete", "RollingUpdate"), keep_claims = check.map, service_name = check.text,
    }),
    DaemonSet = with(served, {
        revision_history = check.whole(0), min_ready = quantity.duration,
        strategy = check.either("\"OnDelete\" or { max_surge, max_unavailable }", check.one_of("OnDelete"), check.map),
    }),
    Job = job_rules,
    Task = with(job_rules, { before = component.order_rules.needs, run = check.one_of("changed", "always") }),
    CronJob = with(job_rules, {
        schedule = check.text, time_zone = check.text, concurrency = check.one_of("Allow", "Forbid", "Replace"),
        suspend = check.flag, keep_successful = check.whole(0), keep_failed = check.whole(0),
        starting_deadline = quantity.duration,
    }),
}

workload.kinds = kinds

local extra_rules = with(container.rules, { name = check.text, restart = check.one_of("Always", "Never", "OnFailure") })

local function check_extra(where, what, field, list)
    for i, spec in ipairs(list or {}) do
        if spec.name == nil then
            check.fail_at(where, list, i, "%s: %s: container %d has no name", what, field, i)
        end
        local of = ("%s: container %s"):format(what, check.show(spec.name))
        check.fields(where, of, spec, extra_rules)
        local at = origin.line(spec, "name") or where
        check.name(at, of, spec.name)
        container.check(at, of, spec)
    end
end

local function check_schedule(where, what, spec)
    local fields = 0
    for _ in (spec.schedule or ""):gmatch "%S+" do
        fields = fields + 1
    end
    if fields ~= 5 and not (spec.schedule or ""):find "^@%l+$" then
        check.fail_at(where, spec, "schedule", "%s: schedule should have five fields (minute, hour, day, month, "
            .. "weekday), as \"0 3 * * *\", not %s", what, check.show(spec.schedule))
    end
end

--- Checks the fields of a component and takes them.
local function fill(self, given, where)
    local what, kind = ("component '%s'"):format(self.name), self.word
    check.fields(where, what, given, kinds[self.is_task and "Task" or kind])
    container.check(where, what, given)
    for _, field in ipairs { "init", "sidecars", "containers" } do
        check_extra(where, what, field, given[field])
    end
    storage.check_claims(where, what, given, kind)
    component.check_meta(where, what .. ": meta", given.meta or {})
    if given.container then
        check.name(origin.line(given, "container") or where, what .. ": container", given.container)
    end
    route.check_service(where, what, given)
    route.check_ingress(where, what, given)
    network.check(where, what, given)
    placement.check(where, what, given)
    scale.check(where, what, given)
    if kind == "CronJob" and (given.schedule or check.missing(given, "schedule")) then
        check_schedule(where, what, given)
    end
    if type(given.strategy) == "table" then
        check.fields(where, what .. ": strategy", given.strategy, { max_surge = scale.count,
            max_unavailable = scale.count })
    end
    self.given, self.spec = given, given
    self.services = route.services_of(given, kind)
    self.service_name = self.services[1] and (self.services[1].name or component.object_name(self)) or nil
    if given.ingress and not self.service_name then
        check.fail_at(where, given, "ingress", "%s: an ingress needs a service", what)
    end
end

local build

--- A constructor bk.deployment "name" { ... } for one kind.
local function constructor(kind)
    return function(name)
        local where = host.where()
        check.name(where, "component", name)
        return function(spec)
            local self = component.new { name = name, word = kind, where = where, fill = fill, build = build }
            return component.take(self, spec)
        end
    end
end

workload.deployment = constructor "Deployment"
workload.statefulset = constructor "StatefulSet"
workload.daemonset = constructor "DaemonSet"
workload.job = constructor "Job"
workload.cronjob = constructor "CronJob"

--- bk.task "name" { ..., before = { parts }, run = "always" }: a Job that the release runs while it is applied, whose
--- log is shown.
function workload.task(name)
    local where = host.where()
    check.name(where, "component", name)
    return function(spec)
        return component.take(component.new { name = name, word = "Job", is_task = true, where = where, fill = fill,
            build = build }, spec)
    end
end

-- What is built at the end, when the profile's name and namespace are known.

local function claim_mounts(self, volumes, objects, release, uses)
    local mounts = {}
    for _, entry in ipairs(ordered.entries(self.spec.claims)) do
        local name, claim = entry.name, entry.value
        if claim.path then
            mounts[#mounts + 1] = { name = name, mountPath = claim.path, readOnly = claim.read_only,
                subPath = claim.sub }
        end
        if self.word ~= "StatefulSet" then
            local full = component.object_name(self) .. "-" .. name
            volumes.claim(name, claim.name or full, entry)
            local object = {
                apiVersion = "v1", kind = "PersistentVolumeClaim", metadata = release.metadata(self, full, claim),
                spec = storage.claim_spec(claim, release, uses),
            }
            objects[#objects + 1] = claim.keep == nil and object or keep.mark(object, claim.keep, claim)
        end
    end
    return mounts
end

local function pod_containers(self, volumes, uses, main)
    local what, spec = ("component '%s'"):format(self.name), self.spec
    local all, init = { main }, nil
    local function made(one)
        local built = container.build(self.where, what, one.name, one, volumes, uses)
        built.restartPolicy = one.restart
        return built
    end
    for _, one in ipairs(spec.containers or {}) do
        all[#all + 1] = made(one)
    end
    -- kubernetes.io/docs/concepts/workloads/pods/sidecar-containers: init containers that go on; before the
    -- others, so that those can use them.
    for _, one in ipairs(spec.sidecars or {}) do
        init = init or {}
        init[#init + 1] = made(one)
        init[#init].restartPolicy = "Always"
    end
    for _, one in ipairs(spec.init or {}) do
        init = init or {}
        init[#init + 1] = made(one)
    end
    return all, init
end

local function pod_template(self, release, objects, uses)
    local spec, selector = self.spec, release.selector(self)
    local what, claims = ("component '%s'"):format(self.name), ordered.named(spec.claims)
    local volumes = volume.collect(release, claims)
    volumes.declare(self.where, what, spec.pod_volumes, function(name)
        volumes.claim(name, claims[name].name or component.object_name(self) .. "-" .. name, { value = claims[name] })
    end, uses)
    local main = container.build(self.where, what, spec.container or self.name, spec, volumes, uses,
        claim_mounts(self, volumes, objects, release, uses))
    local all, init = pod_containers(self, volumes, uses, main)
    local pull_secrets
    for i, name in ipairs(spec.pull_secrets or {}) do
        pull_secrets = pull_secrets or {}
        pull_secrets[i] = { name = name }
    end
    local labels = with(release.labels(self), spec.labels or {})
    local is_job = self.word == "Job" or self.word == "CronJob"
    local metadata = { labels = next(labels) and labels, annotations = spec.annotations }
    return {
        metadata = next(metadata) and metadata,
        spec = with({
            initContainers = init, containers = all,
            volumes = #volumes.volumes > 0 and volumes.volumes or nil,
            serviceAccountName = component.use(spec.service_account, uses),
            priorityClassName = component.use(spec.priority_class, uses),
            automountServiceAccountToken = spec.token,
            nodeSelector = spec.node_selector, tolerations = spec.tolerations,
            affinity = placement.affinity(spec, selector),
            topologySpreadConstraints = placement.spread(spec, selector),
            securityContext = spec.pod_security, hostAliases = spec.host_aliases, imagePullSecrets = pull_secrets,
            hostNetwork = spec.host_network, hostPID = spec.host_pid,
            dnsPolicy = spec.dns_policy or release.unless_bare(spec.host_network and "ClusterFirstWithHostNet"),
            terminationGracePeriodSeconds = spec.grace_period and quantity.seconds(spec.grace_period),
            -- The pod of a task that fails stays, with its log.
            restartPolicy = spec.restart or self.is_task and "Never"
                or release.unless_bare(is_job and "OnFailure"),
        }, spec.pod or {}),
    }
end

local function seconds(value)
    return value and quantity.seconds(value)
end

local function rolling(strategy)
    if type(strategy) ~= "table" then
        return strategy and { type = strategy }
    end
    return { type = "RollingUpdate", rollingUpdate = {
        maxSurge = strategy.max_surge, maxUnavailable = strategy.max_unavailable,
    } }
end

local function replicas(given, scale_of, release)
    return not scale_of and (given or release.unless_bare(1)) or nil
end

local specs = {}

function specs.Deployment(self, release, template)
    local spec, selector = self.spec, release.selector(self)
    return origin.from(origin.from({
        replicas = replicas(spec.replicas, spec.scale, release), selector = { matchLabels = selector },
        template = template, strategy = rolling(spec.strategy), minReadySeconds = seconds(spec.min_ready),
        progressDeadlineSeconds = seconds(spec.progress_deadline), revisionHistoryLimit = spec.revision_history,
    }, "replicas", spec, "replicas"), "selector", spec, "selector")
end

local keep_rules = { deleted = check.flag, scaled = check.flag }

-- The Service that gives the pods their names: the first that is headless, else the component's own.
local function governing_service(self, release)
    for _, service in ipairs(self.services) do
        if service.headless then
            return service.name or component.object_name(self)
        end
    end
    return self.service_name or release.unless_bare(component.object_name(self))
end

function specs.StatefulSet(self, release, template, uses)
    local spec, selector, claims, retention = self.spec, release.selector(self), nil, nil
    for _, entry in ipairs(ordered.entries(spec.claims)) do
        local claim = entry.value
        claims = claims or {}
        claims[#claims + 1] = {
            apiVersion = release.unless_bare "v1", kind = release.unless_bare "PersistentVolumeClaim",
            metadata = { name = entry.name, labels = claim.labels, annotations = claim.annotations },
            spec = storage.claim_spec(claim, release, uses),
        }
    end
    if spec.keep_claims then
        check.fields(self.where, ("component '%s': keep_claims"):format(self.name), spec.keep_claims, keep_rules)
        retention = {
            whenDeleted = spec.keep_claims.deleted == false and "Delete" or "Retain",
            whenScaled = spec.keep_claims.scaled == false and "Delete" or "Retain",
        }
    end
    return {
        replicas = replicas(spec.replicas, spec.scale, release), selector = { matchLabels = selector },
        template = template,
        serviceName = spec.service_name or governing_service(self, release), podManagementPolicy = spec.pod_management,
        volumeClaimTemplates = claims, persistentVolumeClaimRetentionPolicy = retention,
        revisionHistoryLimit = spec.revision_history, minReadySeconds = seconds(spec.min_ready),
        updateStrategy = spec.partition and { type = "RollingUpdate", rollingUpdate = { partition = spec.partition } }
            or rolling(spec.strategy),
    }
end

function specs.DaemonSet(self, release, template)
    local spec, selector = self.spec, release.selector(self)
    return {
        selector = { matchLabels = selector }, template = template, revisionHistoryLimit = spec.revision_history,
        updateStrategy = rolling(spec.strategy), minReadySeconds = seconds(spec.min_ready),
    }
end

function specs.Job(self, _, template)
    local spec = self.spec
    return {
        template = template, backoffLimit = spec.backoff_limit or self.is_task and 0 or nil,
        completions = spec.completions, parallelism = spec.parallelism, activeDeadlineSeconds = seconds(spec.deadline),
        ttlSecondsAfterFinished = seconds(spec.ttl),
    }
end

function specs.CronJob(self, release, template)
    local spec = self.spec
    return {
        schedule = spec.schedule, timeZone = spec.time_zone, concurrencyPolicy = spec.concurrency,
        suspend = spec.suspend, successfulJobsHistoryLimit = spec.keep_successful,
        failedJobsHistoryLimit = spec.keep_failed, startingDeadlineSeconds = seconds(spec.starting_deadline),
        jobTemplate = { spec = specs.Job(self, release, template) },
    }
end

local api_versions = { Job = "batch/v1", CronJob = "batch/v1" }

--- The metadata of a workload; that of a task says when it runs (src/release/task.h).
local function metadata_of(self, release, name)
    local spec, metadata = self.spec, release.metadata(self, name)
    if self.is_task then
        metadata.annotations = metadata.annotations or {}
        metadata.annotations["bkdeploy/task"] = spec.run or "changed"
        origin.from(metadata.annotations, "bkdeploy/task", spec, "run")
    end
    return metadata
end

function build(self, release, uses)
    local objects, spec = {}, self.spec
    local function add(object)
        objects[#objects + 1] = object
    end
    local template, name = pod_template(self, release, objects, uses), component.object_name(self)
    for _, service in ipairs(self.services) do
        add(route.service(spec, service, release.metadata(self, name, service),
            service.selector or release.selector(self), release, self.word == "StatefulSet"))
    end
    add {
        apiVersion = api_versions[self.word] or "apps/v1", kind = self.word,
        metadata = metadata_of(self, release, name), spec = specs[self.word](self, release, template, uses),
    }
    if spec.ingress then
        add(route.ingress(spec, self.service_name, release.metadata(self, name, spec.ingress), release, uses))
    end
    if spec.network then
        add(network.build(self, release))
    end
    scale.build(self, release, add)
    return spec.patch and patch.apply(self.where, ("component '%s'"):format(self.name), spec.patch, objects) or objects
end

return workload
