-- Rules for what runs: images, resources, probes, mounts, ports.

local check = require "bk.check"
local release = require "bk.release"

local below, list = release.below, release.list

local function text(value)
    return type(value) == "string" and value or ""
end

local function table_of(value)
    return type(value) == "table" and value or {}
end

local rules = {}

local function add(name, severity, doc, each)
    rules[#rules + 1] = { name = name, severity = severity, doc = doc, check = function(all, report)
        for pod in all:pods() do
            each(pod, function(path, format, ...)
                report(pod, path, format, ...)
            end, all)
        end
    end }
end

--- A rule for every container of every pod.
local function add_container(name, severity, doc, each)
    add(name, severity, doc, function(pod, report, all)
        for _, container in pod:containers() do
            each(container, function(keys, format, ...)
                report(below(container.path, table.unpack(keys)), format, ...)
            end, pod, all)
        end
    end)
end

local function called(container)
    return ("container '%s'"):format(text(container.spec.name))
end

add_container("latest-tag", "warning", "an image without a tag is another one tomorrow",
    function(container, report)
        local image = text(container.spec.image)
        local tag = image:match "^.*/.*:([^:/]+)$" or image:match "^[^/]*:([^:/]+)$"
        if image ~= "" and not image:find "@sha256:" and (not tag or tag == "latest") then
            report({ "image" }, "%s: image '%s' %s, so it is another one tomorrow; name a version", called(container),
                image, tag and "has the tag 'latest'" or "has no tag")
        end
    end)

add_container("no-requests", "warning", "without requests a pod goes where there is no room for it",
    function(container, report)
        local resources = table_of(container.spec.resources)
        local requests, limits = table_of(resources.requests), table_of(resources.limits)
        local missing = {}
        for _, name in ipairs { "cpu", "memory" } do
            missing[#missing + 1] = requests[name] == nil and limits[name] == nil and name or nil
        end
        if container.goes_on and missing[1] then
            report(container.spec.resources and { "resources" } or {},
                "%s: no request of %s; give resources = { cpu = \"100m..1\", memory = \"128Mi..256Mi\" }",
                called(container), table.concat(missing, " and "))
        end
    end)

add_container("no-limits", "warning", "without a limit of memory one container can take a node down",
    function(container, report)
        if container.goes_on and table_of(table_of(container.spec.resources).limits).memory == nil then
            report(container.spec.resources and { "resources" } or {},
                "%s: no limit of memory; give resources = { memory = \"128Mi..256Mi\" }", called(container))
        end
    end)

local standard = { cpu = true, memory = true, ["ephemeral-storage"] = true }

add_container("unknown-resource", "error", "a resource without a domain is one that Kubernetes has",
    function(container, report)
        local told = {}
        for _, field in ipairs { "requests", "limits" } do
            for name in pairs(table_of(table_of(container.spec.resources)[field])) do
                if type(name) == "string" and not standard[name] and not name:find "/" and not name:find "^hugepages%-"
                    and not told[name] then
                    told[name] = true
                    report({ "resources", field, name }, "%s: there is no resource '%s'%s", called(container), name,
                        check.suggest(name, standard))
                end
            end
        end
    end)

add_container("no-readiness", "warning", "a Service sends requests to a pod as soon as it runs, ready or not",
    function(container, report, pod, all)
        if container.is_init or container.spec.readinessProbe or #table_of(container.spec.ports) == 0 then
            return
        end
        local service = all:service_of(pod)
        if service then
            report({}, "%s: Service '%s' leads to it and it has no readiness probe; give readiness = bk.http \"/\" "
                .. "or such", called(container), service.name)
        end
    end)

local function ports_of(container)
    local names, numbers, any = {}, {}, false
    for _, port in list(container.spec.ports) do
        if type(port) == "table" then
            any = true
            names[port.name or false], numbers[port.containerPort or false] = true, true
        end
    end
    names[false], numbers[false] = nil, nil
    return names, numbers, any
end

local actions = { "httpGet", "tcpSocket", "grpc" }

--- Calls each(port, path) for every port that the probes and hooks of a container ask.
local function asked_ports(container, each)
    local function look(keys, probe)
        for _, action in ipairs(actions) do
            local port = table_of(table_of(probe)[action]).port
            if port ~= nil then
                each(port, below(keys, action, "port"))
            end
        end
    end
    for _, field in ipairs { "readinessProbe", "livenessProbe", "startupProbe" } do
        look({ field }, container.spec[field])
    end
    local lifecycle = table_of(container.spec.lifecycle)
    look({ "lifecycle", "preStop" }, lifecycle.preStop)
    look({ "lifecycle", "postStart" }, lifecycle.postStart)
end

add_container("probe-port", "error", "a probe asks by name a port that the container has",
    function(container, report)
        local names = ports_of(container)
        asked_ports(container, function(port, path)
            if type(port) == "string" and not port:find "^%d+$" and not names[port] then
                report(path, "%s: '%s' is not one of its ports%s", called(container), port,
                    check.suggest(port, names))
            end
        end)
    end)

-- A process may listen where its container does not say so.
add_container("probe-undeclared", "warning", "a probe asks a port that the container declares",
    function(container, report)
        local _, numbers, any = ports_of(container)
        asked_ports(container, function(port, path)
            if math.type(port) == "integer" and any and not numbers[port] then
                report(path, "%s: port %d is not one of its ports%s", called(container), port,
                    check.suggest(port, numbers))
            end
        end)
    end)

local function volumes_of(pod)
    local names = {}
    for _, volume in list(pod.spec.volumes) do
        names[text(table_of(volume).name)] = true
    end
    if pod.kind == "StatefulSet" then
        for _, claim in list(pod.object.spec.volumeClaimTemplates) do
            names[text(table_of(table_of(claim).metadata).name)] = true
        end
    end
    return names
end

add("mount-without-volume", "error", "what is mounted is a volume of the pod", function(pod, report)
    local names = volumes_of(pod)
    for _, container in pod:containers() do
        for _, field in ipairs { "volumeMounts", "volumeDevices" } do
            for i, mount in list(container.spec[field]) do
                local name = table_of(mount).name
                if type(name) == "string" and not names[name] then
                    report(below(container.path, field, i - 1, "name"), "%s: mounts '%s', which is no volume of the "
                        .. "pod%s", called(container), name, check.suggest(name, names))
                end
            end
        end
    end
end)

add_container("mounts-collide", "error", "two volumes can't be mounted at one path", function(container, report)
    local seen = {}
    for i, mount in list(container.spec.volumeMounts) do
        local path = text(table_of(mount).mountPath):gsub("(.)/+$", "%1")
        if path ~= "" and seen[path] then
            report({ "volumeMounts", i - 1, "mountPath" }, "%s: '%s' is mounted twice", called(container), path)
        end
        seen[path] = true
    end
end)

add("selector-mismatch", "error", "a workload selects the pods that it makes", function(pod, report)
    local selector = table_of(pod.object.spec).selector
    if pod.kind == "ReplicationController" and selector then
        selector = { matchLabels = selector }
    end
    if selector and pod.kind ~= "Job" and pod.kind ~= "CronJob" and pod.kind ~= "Pod"
        and not release.selects(selector, pod.labels) then
        report({ "spec", "selector" }, "the selector does not match the labels of its own pod template; the API server "
            .. "refuses it")
    end
end)

add("selector-shared", "warning", "two workloads never select each other's pods", function(pod, report, all)
    local selector = table_of(table_of(pod.object.spec).selector)
    if pod.kind == "Job" or pod.kind == "CronJob" or pod.kind == "Pod" or not next(table_of(selector.matchLabels)) then
        return
    end
    for _, other in ipairs(all:selected(selector, pod.namespace)) do
        if other.object ~= pod.object and other.kind == pod.kind then
            report({ "spec", "selector" }, "the selector also matches the pods of %s '%s'", other.kind, other.name)
            return
        end
    end
end)

-- Words by which a process that must be alone is known: celery beat and what is like it.
local alone = { beat = true, celerybeat = true, scheduler = true, cron = true, crond = true }

local function runs_alone(pod)
    for _, container in pod:containers() do
        for _, field in ipairs { "command", "args" } do
            for _, word in list(container.spec[field]) do
                if not container.is_init and type(word) == "string" and alone[word:match "[^/]+$" or ""] then
                    return true
                end
            end
        end
    end
    return false
end

add("singleton-strategy", "warning", "a process that must be alone is not replaced by a second one beside it",
    function(pod, report)
        local spec = table_of(pod.object.spec)
        if pod.kind ~= "Deployment" or not runs_alone(pod) then
            return
        elseif math.type(spec.replicas) == "integer" and spec.replicas > 1 then
            report({ "spec", "replicas" }, "it looks like a scheduler, which runs %d times here: each would send every "
                .. "task; give replicas = 1", spec.replicas)
        elseif table_of(spec.strategy).type ~= "Recreate" then
            report({ "spec", "strategy" }, "it looks like a scheduler, and an update runs two of them at once; give "
                .. "strategy = \"Recreate\"")
        end
    end)

add("claim-strategy", "warning", "a claim of one node can't be mounted by the old pod and the new one", function(pod,
    report, all)
    local spec = table_of(pod.object.spec)
    if pod.kind ~= "Deployment" or table_of(spec.strategy).type == "Recreate" then
        return
    end
    for i, volume in list(pod.spec.volumes) do
        local name = table_of(table_of(volume).persistentVolumeClaim).claimName
        local claim = name and all:find("PersistentVolumeClaim", name, pod.namespace)
        local modes = table_of(table_of(claim and claim.object.spec).accessModes)
        if modes[1] and not modes[2] and text(modes[1]):find "^ReadWriteOnce" then
            report(below(pod.path, "volumes", i - 1), "claim '%s' is %s, and an update starts the new pod beside the "
                .. "old one, which may wait for it for ever; give strategy = \"Recreate\"", name, modes[1])
        end
    end
end)

return rules
