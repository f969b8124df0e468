-- Containers of the input as fields of the language.

local expression = require "import.expression"
local json = require "import.json"
local placement = require "bk.placement"
local port = require "bk.port"
local probe = require "bk.probe"
local quantity = require "bk.quantity"

local container = {}

local call, method = expression.call, expression.method

--- Entries ({ name, value }) as a map where that gives their order, else as a list.
function container.ordered(entries)
    local map, last = {}, nil
    for _, entry in ipairs(entries) do
        if not entry.name or last and last >= entry.name then
            local list = {}
            for i, one in ipairs(entries) do
                list[i] = one.name and { [one.name] = one.value } or one.value
            end
            return list
        end
        map[entry.name], last = entry.value, entry.name
    end
    return map
end

--- Seconds as a duration.
function container.duration(seconds)
    if math.type(seconds) ~= "integer" or seconds < 0 then
        return nil
    elseif seconds >= 3600 and seconds % 3600 == 0 then
        return ("%dh"):format(seconds // 3600)
    elseif seconds >= 120 and seconds % 60 == 0 then
        return ("%dm"):format(seconds // 60)
    end
    return ("%ds"):format(seconds)
end

--- What a function makes of its arguments, or nil where the language refuses them.
function container.try(make, ...)
    local good, value = pcall(make, ...)
    return good and value or nil
end

local try, duration = container.try, container.duration

-- An expression, if the language makes of it what is wanted.
local function proven(node, wanted, make)
    local made = try(function()
        return make(expression.value(node))
    end)
    return made and json.same(made, wanted) and node or nil
end

--- A port as the language has it: 80, or "80/TCP" where the protocol is written.
function container.port_value(number, protocol)
    if math.type(number) ~= "integer" then
        return nil
    end
    return protocol and ("%d/%s"):format(number, protocol) or number
end

local function ports(list)
    local entries, host_ports = {}, nil
    for i, one in ipairs(list) do
        local value = container.port_value(one.containerPort, one.protocol)
        if not value then
            return nil
        end
        entries[i] = { name = one.name, value = value }
        if one.hostPort and one.name then
            host_ports = host_ports or {}
            host_ports[one.name] = one.hostPort
        end
    end
    local made = container.ordered(entries)
    return try(function()
        port.check(nil, "", made)
        return made
    end), host_ports
end

local function range(request, limit)
    if request == nil or limit == nil then
        local one = request == nil and limit or request
        if type(one) ~= "string" then
            return { request = request, limit = limit }
        end
        return request and request .. ".." or ".." .. limit
    elseif request == limit then
        return request
    elseif type(request) == "string" and type(limit) == "string" then
        return request .. ".." .. limit
    end
    return { request = request, limit = limit }
end

local function resources(given, release)
    local ranges = {}
    local requests, limits = json.map(given.requests), json.map(given.limits)
    for name, value in pairs(requests) do
        ranges[name] = range(value, limits[name])
    end
    for name, value in pairs(limits) do
        ranges[name] = ranges[name] or range(nil, value)
    end
    return try(function()
        quantity.resources(nil, "", ranges, release)
        return ranges
    end)
end

local sources = { configMapKeyRef = "ConfigMap", secretKeyRef = "Secret" }

local function variable(one, context)
    local from = json.map(one.valueFrom)
    local kind, reference = next(from)
    if type(one.value) == "string" then
        return one.value
    elseif type(reference) ~= "table" or next(from, kind) ~= nil then
        return ""
    elseif sources[kind] then
        local node = context.key(sources[kind], reference.name, reference.key)
        return node and reference.optional == true and method(node, "optional") or node or ""
    elseif kind == "fieldRef" then
        return call("field", reference.fieldPath, reference.apiVersion)
    elseif kind == "resourceFieldRef" then
        local more = { container = reference.containerName, divisor = reference.divisor }
        return call("resource", reference.resource, next(more) and more)
    end
    return ""
end

local function variables(list, context)
    local entries = {}
    for i, one in ipairs(list) do
        local node = variable(one, context)
        local good = try(function()
            return { expression.value(node) }
        end)
        entries[i] = { name = one.name, value = good and node or "" }
    end
    return container.ordered(entries)
end

local function variables_from(list, context)
    local made = {}
    for i, one in ipairs(list) do
        local kind = one.secretRef and "Secret" or "ConfigMap"
        local reference = json.map(one.secretRef or one.configMapRef)
        local node = context.source(kind, reference.name)
        if not node then
            return nil
        end
        if reference.optional == true then
            node = method(node, "optional")
        end
        made[i] = one.prefix and method(node, "prefix", one.prefix) or node
    end
    return made
end

local timings = { initialDelaySeconds = "initial_delay", periodSeconds = "period", timeoutSeconds = "timeout" }
local counts = { successThreshold = "success", failureThreshold = "failure" }

local function headers(list)
    local entries = {}
    for i, one in ipairs(list) do
        entries[i] = { name = one.name, value = one.value }
    end
    return #entries > 0 and container.ordered(entries) or nil
end

local actions = {}

function actions.httpGet(given, fields, default)
    fields.path, fields.scheme, fields.host = given.path, given.scheme, given.host
    fields.port = given.port ~= default and given.port or nil
    fields.headers = headers(json.list(given.httpHeaders))
    return "http", "path"
end

function actions.tcpSocket(given, fields)
    fields.port = given.port
    return "tcp", "port"
end

function actions.exec(given, fields)
    fields.command = given.command
    return "exec", "command"
end

function actions.grpc(given, fields)
    fields.port, fields.service = given.port, given.service
    return "grpc"
end

-- A probe or handler as bk.http and the like.
local function asked(given, component_ports)
    for key, action in pairs(actions) do
        if type(given[key]) == "table" then
            local fields = {}
            local word, main = action(given[key], fields, port.default(component_ports))
            for from, to in pairs(timings) do
                fields[to] = duration(given[from])
            end
            for from, to in pairs(counts) do
                fields[to] = given[from]
            end
            local alone = main and fields[main] ~= nil and next(fields, next(fields)) == nil
            return call(word, alone and fields[main] or fields)
        end
    end
end

local function a_probe(given, component_ports)
    local node = type(given) == "table" and asked(given, component_ports) or nil
    local made = node and try(function()
        return probe.build(expression.value(node), "", component_ports)
    end)
    return made and node or nil
end

local function handler(given, component_ports)
    local command = json.map(given.exec).command
    local node = command or asked(given, component_ports)
    return node and proven(node, given, function(value)
        return probe.handler(value, "", component_ports)
    end) or nil
end

local function filled(list)
    return not (json.is_list(list) and #list == 0) and list or nil
end

--- The fields of a container, without its volumes.
function container.fields(given, context)
    local fields = {
        image = given.image, command = filled(given.command), args = filled(given.args), working_dir = given.workingDir,
        pull_policy = given.imagePullPolicy, security = given.securityContext, stdin = given.stdin, tty = given.tty,
    }
    if json.is_list(given.ports) and #given.ports > 0 then
        fields.ports, fields.host_ports = ports(given.ports)
    end
    if json.is_map(given.resources) then
        fields.resources = resources(given.resources, context.release)
    end
    if json.is_list(given.env) and #given.env > 0 then
        fields.env = variables(given.env, context)
    end
    if json.is_list(given.envFrom) then
        fields.env_from = variables_from(given.envFrom, context)
    end
    local all = fields.ports or {}
    fields.liveness = a_probe(given.livenessProbe, all)
    fields.readiness = a_probe(given.readinessProbe, all)
    fields.startup = a_probe(given.startupProbe, all)
    local lifecycle = json.map(given.lifecycle)
    fields.pre_stop = lifecycle.preStop and handler(lifecycle.preStop, all)
    fields.post_start = lifecycle.postStart and handler(lifecycle.postStart, all)
    return fields
end

--- Where pods go: the fields of bk.placement for a pod spec.
function container.placement(pod, selector, fields)
    fields.node_selector, fields.tolerations = pod.nodeSelector, pod.tolerations
    local spread = json.list(pod.topologySpreadConstraints)
    if #spread > 0 then
        local one = spread[1]
        local short = { key = one.topologyKey, max_skew = one.maxSkew ~= 1 and one.maxSkew or nil,
            required = one.whenUnsatisfiable == "DoNotSchedule" or nil }
        local alone = next(short, next(short)) == nil and short.key or short
        fields.spread = json.same(try(placement.spread, { spread = alone }, selector), spread) and alone or spread
    end
    local affinity = pod.affinity
    if type(affinity) ~= "table" then
        return
    end
    local short = {}
    local term = json.list(json.map(affinity.podAntiAffinity).preferredDuringSchedulingIgnoredDuringExecution)[1]
    local hard = json.list(json.map(affinity.podAntiAffinity).requiredDuringSchedulingIgnoredDuringExecution)[1]
    if hard then
        short.apart = { key = hard.topologyKey, required = true }
    elseif term then
        short.apart = json.map(term.podAffinityTerm).topologyKey
    end
    local function labels_of(expressions)
        local labels = {}
        for _, one in ipairs(json.list(expressions)) do
            local values = json.list(one.values)
            labels[one.key] = #values == 1 and values[1] or values
        end
        return next(labels) and labels or nil
    end
    local node = json.map(affinity.nodeAffinity)
    local required = json.list(json.map(node.requiredDuringSchedulingIgnoredDuringExecution).nodeSelectorTerms)[1]
    local preferred = json.list(node.preferredDuringSchedulingIgnoredDuringExecution)[1]
    short.nodes = required and labels_of(required.matchExpressions)
    short.prefer_nodes = preferred and labels_of(json.map(preferred.preference).matchExpressions)
    local made = try(function()
        placement.check(nil, "", short)
        return placement.affinity(short, selector)
    end)
    if made and json.same(made, affinity) then
        fields.apart, fields.nodes, fields.prefer_nodes = short.apart, short.nodes, short.prefer_nodes
    else
        fields.affinity = affinity
    end
end

return container
