-- What belongs to a workload of the input as fields of its component: Services, Ingress, autoscaler, budget, policy.

local container = require "import.container"
local expression = require "import.expression"
local json = require "import.json"
local network = require "bk.network"
local ordered = require "bk.ordered"
local port = require "bk.port"

local route = {}

-- Ports of a Service. One that leads to the container's port of its own name is a number.
local function service_ports(list, component_ports)
    local known, entries = ordered.named(component_ports), {}
    for i, one in ipairs(list) do
        local number = container.port_value(one.port, one.protocol)
        local fields = { number, node_port = one.nodePort, app_protocol = one.appProtocol }
        local is_own = one.name and known[one.name] ~= nil
        if not (is_own and one.targetPort == one.name) then
            fields.target = one.targetPort
            if one.targetPort == nil and is_own then
                fields.target = false
            end
        end
        local is_plain = next(fields, 1) == nil and (is_own or not one.name or not component_ports)
        entries[i] = { name = one.name, value = is_plain and number or fields }
    end
    return #entries > 0 and container.ordered(entries) or nil
end

-- Whether a Service offers just what its component's ports say.
local function has_default_ports(made, component_ports)
    local mine, theirs = ordered.entries(made), ordered.entries(component_ports)
    for i, entry in ipairs(theirs) do
        if not mine[i] or mine[i].name ~= entry.name or not entry.name or mine[i].value ~= entry.value then
            return false
        end
    end
    return made ~= nil and #mine == #theirs
end

--- The fields of a Service; `selector` and `component_ports` are its component's, nil where it has none.
function route.service_fields(object, selector, component_ports)
    local spec = json.map(object.spec)
    local fields = {
        ports = service_ports(json.list(spec.ports), component_ports), type = spec.type,
        headless = spec.clusterIP == "None" or nil, cluster_ip = spec.clusterIP ~= "None" and spec.clusterIP or nil,
        publish_not_ready = spec.publishNotReadyAddresses, addresses = spec.externalIPs,
        external_traffic = spec.externalTrafficPolicy, internal_traffic = spec.internalTrafficPolicy,
        load_balancer_ip = spec.loadBalancerIP, sticky = spec.sessionAffinity == "ClientIP" or nil,
        class = spec.loadBalancerClass, sources = spec.loadBalancerSourceRanges, ip_families = spec.ipFamilies,
        ip_family_policy = spec.ipFamilyPolicy,
    }
    if not selector or not json.same(spec.selector, selector) then
        fields.selector = spec.selector
    end
    if component_ports and has_default_ports(fields.ports, component_ports) then
        fields.ports = nil
    end
    return fields
end

local function own(object, name, group, fields, context)
    local metadata = context.own_metadata(object, group.object, group.annotations)
    fields.name = object.metadata.name ~= name and object.metadata.name or nil
    fields.labels, fields.annotations = metadata.labels, metadata.annotations
    return fields
end

local function is_kind_with_services(kind)
    return kind == "Deployment" or kind == "StatefulSet" or kind == "DaemonSet"
end

local function attach_services(group, fields, selector, context)
    local name = group.object.metadata.name
    local first, rest = nil, nil
    for _, service in ipairs(group.services) do
        if service.metadata.name == name then
            first = service
        end
    end
    first = first or group.services[1]
    for _, service in ipairs(group.services) do
        local made = own(service, name, group, route.service_fields(service, selector, fields.ports or {}), context)
        if service ~= first then
            rest = rest or {}
            rest[#rest + 1] = made
        elseif next(made) or not fields.ports then
            fields.service = made
        end
    end
    fields.services = rest
    if rest and not fields.service and first then
        fields.service = true
    elseif not first and (fields.ports or group.object.kind == "StatefulSet") then
        fields.service = false
    end
    return first and first.metadata.name
end

local function governing_service(group, first)
    local headless
    for _, service in ipairs(group.services) do
        if not headless and json.map(service.spec).clusterIP == "None" and service.metadata.name == first then
            headless = first
        end
    end
    for _, service in ipairs(group.services) do
        if not headless and json.map(service.spec).clusterIP == "None" then
            headless = service.metadata.name
        end
    end
    return headless or first
end

--- The name or number of the port that a backend leads to.
function route.backend_port(backend)
    local given = json.map(json.map(backend.service).port)
    return given.name or given.number
end

local function paths_of(http, path_type, target)
    local entries = {}
    for i, one in ipairs(json.list(json.map(http).paths)) do
        local node = target(one.backend)
        if one.pathType ~= path_type then
            if type(node) ~= "table" then
                node = { port = node }
            elseif expression.kind(node) then
                node = { service = node, port = route.backend_port(one.backend) }
            end
            node.path_type = one.pathType
        end
        entries[i] = { name = one.path, value = node }
    end
    return entries
end

local function common_type(rules)
    local first = json.map(json.list(json.map(json.map(rules[1]).http).paths)[1]).pathType
    return first
end

local function tls_fields(list, hosts, context)
    local entries = {}
    local is_short = #list > 0
    for i, one in ipairs(list) do
        local node = one.secretName and (context.secret(one.secretName) or one.secretName)
        entries[i] = { hosts = one.hosts, secret = node }
        is_short = is_short and node ~= nil
    end
    if #list == 1 and is_short and json.same(entries[1].hosts, hosts) then
        return entries[1].secret
    end
    return #entries > 0 and entries or nil
end

--- The fields of an Ingress; `target(backend)` is where a path leads to, `default_port` what the language leads to.
function route.ingress_fields(object, context, target, default_port)
    local spec = json.map(object.spec)
    local rules = json.list(spec.rules)
    local fields = { class = spec.ingressClassName, path_type = common_type(rules), rules = {} }
    local hosts, same = {}, true
    for i, rule in ipairs(rules) do
        hosts[#hosts + 1] = rule.host
        same = same and json.same(rule.http, rules[1].http)
        fields.rules[i] = { host = rule.host, paths = container.ordered(paths_of(rule.http, fields.path_type, target)) }
    end
    if same and #rules > 0 and (#hosts == #rules or #rules == 1) then
        local entries = paths_of(rules[1].http, fields.path_type, target)
        fields.rules = nil
        fields.host = #hosts == 1 and hosts[1] or nil
        fields.hosts = #hosts > 1 and hosts or nil
        if #entries == 1 and default_port and type(entries[1].value) ~= "table" then
            fields.path = entries[1].name ~= "/" and entries[1].name or nil
            fields.port = entries[1].value ~= default_port and entries[1].value or nil
        else
            fields.paths = container.ordered(entries)
        end
    elseif #rules == 0 then
        fields.rules = nil
    end
    fields.tls = tls_fields(json.list(spec.tls), hosts, context)
    if spec.defaultBackend then
        local node = target(spec.defaultBackend)
        fields.default = type(node) == "table" and node or { port = node }
    end
    return fields
end

local function attach_ingress(group, fields, service, context)
    local known = ordered.named(fields.ports)
    local first = type(fields.service) == "table" and fields.service or {}
    for _, one in ipairs { first, table.unpack(fields.services or {}) } do
        for name in pairs(ordered.named(one.ports)) do
            known[name] = true
        end
    end
    local function target(backend)
        local name, number = json.map(backend.service).name, route.backend_port(backend)
        if name == service and (type(number) == "number" or known[number]) then
            return number
        end
        return { service = name, port = number }
    end
    local default = port.default(fields.ports)
    fields.ingress = own(group.ingress, group.object.metadata.name, group,
        route.ingress_fields(group.ingress, context, target, default or "http"), context)
end

local function share_of(metric, name)
    local resource = json.map(metric.resource)
    if metric.type ~= "Resource" or resource.name ~= name then
        return nil
    end
    local target = json.map(resource.target)
    if target.type == "Utilization" and math.type(target.averageUtilization) == "integer" then
        return ("%d%%"):format(target.averageUtilization)
    end
    return target.type == "AverageValue" and type(target.averageValue) == "string" and target.averageValue or nil
end

local function scale_fields(object)
    local spec = json.map(object.spec)
    local fields = { min = spec.minReplicas, max = spec.maxReplicas, behavior = spec.behavior }
    local rest, at = {}, 1
    local metrics = json.list(spec.metrics)
    for _, name in ipairs { "cpu", "memory" } do
        fields[name] = metrics[at] and share_of(metrics[at], name)
        at = fields[name] and at + 1 or at
    end
    for i = at, #metrics do
        rest[#rest + 1] = metrics[i]
    end
    fields.metrics = #rest > 0 and rest or nil
    return fields
end

local function peers(list)
    local made = {}
    for i, one in ipairs(list) do
        local labels = json.map(json.map(one.namespaceSelector).matchLabels)
        if one.ipBlock then
            made[i] = expression.call("cidr", one.ipBlock.cidr, one.ipBlock.except)
        else
            made[i] = labels["kubernetes.io/metadata.name"] or ""
        end
    end
    return made
end

--- The fields of a policy, in short words where these give the same. `component` is { spec = { ports } }.
function route.policy_fields(object, component_ports, release)
    local spec = json.map(object.spec)
    local short = {}
    for _, kind in ipairs(json.list(spec.policyTypes)) do
        local is_in = kind == "Ingress"
        local rules = json.list(is_in and spec.ingress or spec.egress)
        local rule = is_in and rules[1] or rules[2] or {}
        short[is_in and "from" or "to"] = peers(json.list(json.map(rule)[is_in and "from" or "to"]))
    end
    local made = container.try(function()
        local live = expression.value(short)
        network.check(nil, "", { network = live })
        return network.spec(live, component_ports, spec.podSelector, release)
    end)
    if made and json.same(made, spec) then
        return short
    end
    local fields, types = { ingress = spec.ingress, egress = spec.egress }, {}
    for _, kind in ipairs { "Ingress", "Egress" } do
        types[#types + 1] = spec[kind:lower()] and kind or nil
    end
    fields.types = not json.same(types, spec.policyTypes) and spec.policyTypes or nil
    return fields
end

--- Gives the fields of a workload what belongs to it.
function route.attach(_, group, fields, context)
    local object = group.object
    local name = object.metadata.name
    local selector = json.map(json.map(json.map(object.spec).selector).matchLabels)
    if is_kind_with_services(object.kind) then
        local first = attach_services(group, fields, selector, context)
        if object.kind == "StatefulSet" then
            local given = json.map(object.spec).serviceName
            fields.service_name = given ~= governing_service(group, first) and given or nil
        end
        if group.ingress then
            attach_ingress(group, fields, first, context)
        end
    end
    if group.autoscaler then
        fields.scale, fields.replicas = own(group.autoscaler, name, group, scale_fields(group.autoscaler), context), nil
    end
    if group.budget then
        local spec = json.map(group.budget.spec)
        fields.disruption = own(group.budget, name, group, { min_available = spec.minAvailable,
            max_unavailable = spec.maxUnavailable, unhealthy = spec.unhealthyPodEvictionPolicy }, context)
    end
    if group.policy then
        local policy = route.policy_fields(group.policy, fields.ports, context.release)
        fields.network = own(group.policy, name, group, policy, context)
    end
end

return route
