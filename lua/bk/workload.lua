-- Components that run containers: Deployment, StatefulSet, DaemonSet, Job, with what belongs to them.

local check = require "bk.check"
local container = require "bk.container"
local env = require "bk.env"
local host = require "bk.host"
local quantity = require "bk.quantity"
local route = require "bk.route"
local storage = require "bk.storage"

local workload = {}

local function with(base, more)
    local rules = {}
    for name, rule in pairs(base) do
        rules[name] = rule
    end
    for name, rule in pairs(more) do
        rules[name] = rule
    end
    return rules
end

-- A list of containers beside the main one; their own fields are checked with their names.
local containers = check.list(check.map)

local pod_rules = with(container.rules, {
    needs = check.list(check.is("a component of the profile", "component", "config", "secret")),
    labels = check.map, annotations = check.map, node_selector = check.map,
    affinity = check.map, tolerations = check.list(check.map), pod_security = check.map,
    service_account = check.text, priority_class = check.text, host_aliases = check.list(check.map),
    pull_secrets = check.list(check.text), grace_period = quantity.duration,
    init = containers, sidecars = containers,
})

local served = with(pod_rules, {
    service = check.either("true, false or a table", check.flag, check.map), ingress = check.map,
    claims = check.map,
})

local kinds = {
    Deployment = with(served, {
        replicas = check.whole(0), progress_deadline = quantity.duration, revision_history = check.whole(0),
        strategy = check.either("\"Recreate\", \"RollingUpdate\" or { max_surge, max_unavailable }",
            check.one_of("Recreate", "RollingUpdate"), check.map),
    }),
    StatefulSet = with(served, {
        replicas = check.whole(0), pod_management = check.one_of("OrderedReady", "Parallel"),
        partition = check.whole(0), revision_history = check.whole(0),
    }),
    DaemonSet = with(served, { revision_history = check.whole(0) }),
    Job = with(pod_rules, {
        backoff_limit = check.whole(0), deadline = quantity.duration, completions = check.whole(1),
        parallelism = check.whole(1), restart = check.one_of("Never", "OnFailure"), ttl = quantity.duration,
    }),
}

local extra_rules = with(container.rules, { name = check.text })

local Component = { kind = "component", what = "a component" }

--- component.host: the name that its Service has in the namespace; carries the need for it.
function Component.__index(component, key)
    if key ~= "host" then
        return nil
    elseif not component.spec.service_name then
        check.fail(nil, "component '%s' has no service, so it has no host; give it ports", component.name)
    end
    return env.text(component.name, { component })
end

local function check_extra(where, what, list)
    for i, spec in ipairs(list or {}) do
        if spec.name == nil then
            check.fail(where, "%s: init or sidecar container %d has no name", what, i)
        end
        local of = ("%s: container %s"):format(what, check.show(spec.name))
        check.fields(where, of, spec, extra_rules)
        check.name(where, of, spec.name)
        container.check(where, of, spec)
    end
end

--- A constructor bk.deployment "name" { ... } for one kind.
local function constructor(kind)
    return function(name)
        local where = host.where()
        check.name(where, "component", name)
        return function(spec)
            local what = ("component '%s'"):format(name)
            check.fields(where, what, spec, kinds[kind])
            container.check(where, what, spec)
            check_extra(where, what, spec.init)
            check_extra(where, what, spec.sidecars)
            storage.check_claims(where, what, spec.claims or {})
            route.check_service(where, what, spec)
            route.check_ingress(where, what, spec)
            if type(spec.strategy) == "table" then
                check.fields(where, what .. ": strategy", spec.strategy,
                    { max_surge = check.scalar, max_unavailable = check.scalar })
            end
            local copy = with(spec, {})
            copy.service_name = spec.service ~= false and kind ~= "Job"
                and (kind == "StatefulSet" or spec.service or next(spec.ports or {}) ~= nil) or nil
            if copy.ingress and not copy.service_name then
                check.fail(where, "%s: an ingress needs a service", what)
            end
            return setmetatable({ name = name, word = kind, where = where, spec = copy }, Component)
        end
    end
end

workload.deployment = constructor "Deployment"
workload.statefulset = constructor "StatefulSet"
workload.daemonset = constructor "DaemonSet"
workload.job = constructor "Job"

--- bk.raw "name" { object, ... , needs = { ... } }: API objects as they are, as a component.
function workload.raw(name)
    local where = host.where()
    check.name(where, "component", name)
    return function(objects)
        local needs = objects.needs
        for i, object in ipairs(objects) do
            local meta = type(object) == "table" and object.metadata
            if type(meta) ~= "table" or not meta.name or not object.kind or not object.apiVersion then
                check.fail(where, "component '%s': object %d lacks apiVersion, kind or metadata.name", name, i)
            end
        end
        return setmetatable({ name = name, word = "raw", where = where, spec = { needs = needs }, objects = objects },
            Component)
    end
end

-- What is built at the end, when the profile's name and namespace are known.

local function build_containers(component, list, volumes, uses)
    local made
    for i, spec in ipairs(list or {}) do
        made = made or {}
        made[i] = container.build(component.where, ("component '%s'"):format(component.name), spec.name, spec,
            volumes, uses)
    end
    return made
end

local function claim_mounts(component, volumes, objects, release)
    local mounts = {}
    for name, claim in pairs(component.spec.claims or {}) do
        mounts[#mounts + 1] = { name = name, mountPath = claim.path }
        if component.word ~= "StatefulSet" then
            local full = component.name .. "-" .. name
            volumes.claim(name, full)
            objects[#objects + 1] = {
                apiVersion = "v1", kind = "PersistentVolumeClaim", metadata = release.metadata(component, full),
                spec = storage.claim_spec(claim),
            }
        end
    end
    return mounts
end

local function pod_template(component, release, objects, uses)
    local spec, volumes = component.spec, storage.collect()
    local what = ("component '%s'"):format(component.name)
    local main = container.build(component.where, what, component.name, spec, volumes, uses,
        claim_mounts(component, volumes, objects, release))
    local all = { main }
    for _, one in ipairs(build_containers(component, spec.sidecars, volumes, uses) or {}) do
        all[#all + 1] = one
    end
    local pull_secrets
    for i, name in ipairs(spec.pull_secrets or {}) do
        pull_secrets = pull_secrets or {}
        pull_secrets[i] = { name = name }
    end
    local labels = release.labels(component)
    for key, value in pairs(spec.labels or {}) do
        labels[key] = value
    end
    local init = build_containers(component, spec.init, volumes, uses)
    return {
        metadata = { labels = labels, annotations = spec.annotations },
        spec = {
            initContainers = init, containers = all,
            volumes = #volumes.volumes > 0 and volumes.volumes or nil,
            serviceAccountName = spec.service_account, priorityClassName = spec.priority_class,
            nodeSelector = spec.node_selector, affinity = spec.affinity, tolerations = spec.tolerations,
            securityContext = spec.pod_security, hostAliases = spec.host_aliases, imagePullSecrets = pull_secrets,
            terminationGracePeriodSeconds = spec.grace_period and quantity.seconds(spec.grace_period),
            restartPolicy = component.word == "Job" and (spec.restart or "OnFailure") or nil,
        },
    }
end

local specs = {}

function specs.Deployment(spec, selector, template)
    local strategy = spec.strategy
    if type(strategy) == "table" then
        strategy = { type = "RollingUpdate", rollingUpdate = {
            maxSurge = strategy.max_surge, maxUnavailable = strategy.max_unavailable,
        } }
    elseif strategy then
        strategy = { type = strategy }
    end
    return {
        replicas = spec.replicas or 1, selector = { matchLabels = selector }, template = template, strategy = strategy,
        progressDeadlineSeconds = spec.progress_deadline and quantity.seconds(spec.progress_deadline),
        revisionHistoryLimit = spec.revision_history,
    }
end

function specs.StatefulSet(spec, selector, template, component)
    local claims
    for name, claim in pairs(spec.claims or {}) do
        claims = claims or {}
        claims[#claims + 1] = {
            apiVersion = "v1", kind = "PersistentVolumeClaim",
            metadata = { name = name }, spec = storage.claim_spec(claim),
        }
    end
    return {
        replicas = spec.replicas or 1, selector = { matchLabels = selector }, template = template,
        serviceName = component.name, podManagementPolicy = spec.pod_management, volumeClaimTemplates = claims,
        revisionHistoryLimit = spec.revision_history,
        updateStrategy = spec.partition and { type = "RollingUpdate", rollingUpdate = { partition = spec.partition } },
    }
end

function specs.DaemonSet(spec, selector, template)
    return { selector = { matchLabels = selector }, template = template, revisionHistoryLimit = spec.revision_history }
end

function specs.Job(spec, _, template)
    return {
        template = template, backoffLimit = spec.backoff_limit, completions = spec.completions,
        parallelism = spec.parallelism,
        activeDeadlineSeconds = spec.deadline and quantity.seconds(spec.deadline),
        ttlSecondsAfterFinished = spec.ttl and quantity.seconds(spec.ttl),
    }
end

--- The objects of a component. `release` gives labels and metadata; `uses(value)` is told of every
--- config and component that it holds.
function workload.build(component, release, uses)
    for _, need in ipairs(component.spec.needs or {}) do
        uses(need)
    end
    if component.objects then
        return release.adopt(component.objects)
    end
    local objects, spec = {}, component.spec
    local template = pod_template(component, release, objects, uses)
    local selector = release.selector(component)
    if spec.service_name then
        objects[#objects + 1] = route.service(spec, release.metadata(component, component.name), selector,
            component.word == "StatefulSet")
    end
    objects[#objects + 1] = {
        apiVersion = component.word == "Job" and "batch/v1" or "apps/v1", kind = component.word,
        metadata = release.metadata(component, component.name),
        spec = specs[component.word](spec, selector, template, component),
    }
    if spec.ingress then
        objects[#objects + 1] = route.ingress(spec, component.name, release.metadata(component, component.name), uses)
    end
    return objects
end

return workload
