-- How a component is reached: its Service, the Ingress that leads to it from outside, and names for what
-- lies outside of the cluster.

local check = require "bk.check"
local component = require "bk.component"
local host = require "bk.host"
local keep = require "bk.keep"
local ordered = require "bk.ordered"
local origin = require "bk.origin"
local patch = require "bk.patch"
local port = require "bk.port"
local tables = require "bk.tables"

local route = {}

local service_port_rules = {
    [1] = function(value)
        return not port.parse(value) and "a port's number, or one with its protocol as \"53/UDP\"" or nil
    end,
    target = check.either("the name or number of a container's port, or false", check.text, check.whole(1, 65535),
        check.one_of(false)),
    node_port = check.whole(1, 65535), app_protocol = check.text,
}

local service_only_rules = {
    ports = ordered.rule_unnamed, headless = check.flag, node_ports = check.map,
    type = check.one_of("ClusterIP", "NodePort", "LoadBalancer"), addresses = check.list(check.text),
    external_traffic = check.one_of("Cluster", "Local"), internal_traffic = check.one_of("Cluster", "Local"),
    sticky = check.flag, class = check.text, sources = check.list(check.text),
    publish_not_ready = check.flag, selector = check.map, cluster_ip = check.text, load_balancer_ip = check.text,
    ip_families = check.list(check.one_of("IPv4", "IPv6")),
    ip_family_policy = check.one_of("SingleStack", "PreferDualStack", "RequireDualStack"),
}
local service_rules = tables.with(component.own_rules, service_only_rules)

route.service_rules = service_rules

local port_rule = check.whole(1, 65535)

-- A port of a Service: 80, "53/UDP" or { 443, target = "https", node_port, app_protocol }.
local function check_service_port(where, what, i, entry, known)
    local name, value = entry.name, entry.value
    local shown = name or tostring(i)
    if type(value) == "table" then
        check.fields(where, ("%s: service port '%s'"):format(what, shown), value, service_port_rules)
    elseif name and known and not known[name] then
        check.fail_entry(where, entry, "%s: service port '%s' is none of the component's%s", what, name,
            check.suggest(name, known))
    end
    local number = type(value) == "table" and value[1] or value
    if not port.parse(number) then
        check.fail_entry(where, entry, "%s: service port '%s' should be %s, not %s", what, shown, port_rule(0),
            check.show(number))
    end
end

local function check_ports(where, what, service, known)
    for i, entry in ipairs(ordered.entries(service.ports)) do
        check_service_port(where, what, i, entry, known)
    end
    local own = tables.with(known or {}, ordered.named(service.ports))
    for name, number in pairs(service.node_ports or {}) do
        if not own[name] then
            check.fail_at(where, service.node_ports, name, "%s: service port '%s' is none of the component's%s", what,
                name, check.suggest(name, own))
        elseif port_rule(number) then
            check.fail_at(where, service.node_ports, name, "%s: service port '%s' should be %s, not %s", what, name,
                port_rule(number), check.show(number))
        end
    end
end

--- Checks service = true | false | { ports = { name = number }, type, headless, ... }, and services, a list of such.
function route.check_service(where, what, spec)
    local service, known = spec.service, ordered.named(spec.ports)
    if service == true and not next(spec.ports or {}) then
        check.fail_at(where, spec, "service", "%s: a service needs ports, e.g. ports = { http = 80 }", what)
    elseif type(service) == "table" then
        check.fields(where, what .. ": service", service, service_rules)
        check_ports(where, what, service, known)
    end
    for i, one in ipairs(spec.services or {}) do
        local of = ("%s: services[%d]"):format(what, i)
        check.fields(where, of, one, service_rules)
        check_ports(where, of, one, known)
        if not one.name and (i > 1 or service) then
            check.fail_at(where, spec.services, i, "%s: no 'name', which tells it from the other Services", of)
        end
    end
end

--- The Services of a workload, as tables of fields: its `service`, made with ports, and its `services`.
function route.services_of(spec, kind)
    local all, service = {}, spec.service
    if kind == "Job" or kind == "CronJob" then
        return all
    elseif service == nil and not spec.services then
        service = kind == "StatefulSet" or next(spec.ports or {}) ~= nil
    end
    if service then
        all[1] = type(service) == "table" and service or {}
    end
    for _, one in ipairs(spec.services or {}) do
        all[#all + 1] = one
    end
    return all
end

-- The ports of a Service. One that leads to a port of the component by its name has its protocol.
local function service_ports(service, component_ports, release)
    local made, known = {}, ordered.named(component_ports)
    for _, entry in ipairs(ordered.entries(service.ports or component_ports)) do
        local name, value = entry.name, entry.value
        local fields = type(value) == "table" and value or { value }
        local number, protocol, is_written = port.parse(fields[1])
        if not is_written and known[name] then
            protocol = select(2, port.parse(known[name]))
            is_written = protocol ~= "TCP"
        end
        local target = fields.target
        if target == nil then
            target = known[name] and name
        end
        made[#made + 1] = {
            name = name, port = number, targetPort = target or nil,
            protocol = (is_written or not release.bare) and protocol or nil,
            nodePort = fields.node_port or name and (service.node_ports or {})[name], appProtocol = fields.app_protocol,
        }
        origin.from(made, #made, entry, "value")
        origin.from(made[#made], "targetPort", fields, "target")
    end
    return #made > 0 and made or nil
end

--- A Service of a component; `headless` for a StatefulSet's own, unless it says otherwise.
function route.service(spec, service, metadata, selector, release, headless)
    local implied = headless
    if service.headless ~= nil or service.type then
        implied = service.headless
    end
    -- Peers of a cluster must find each other before they are ready.
    local not_ready = service.publish_not_ready
    if not_ready == nil then
        not_ready = release.unless_bare(implied and true)
    end
    local is_headless = service.headless or release.unless_bare(implied)
    return {
        apiVersion = "v1", kind = "Service", metadata = metadata,
        spec = {
            type = service.type or release.unless_bare "ClusterIP",
            clusterIP = is_headless and "None" or service.cluster_ip, publishNotReadyAddresses = not_ready or nil,
            externalIPs = service.addresses, externalTrafficPolicy = service.external_traffic,
            internalTrafficPolicy = service.internal_traffic, loadBalancerIP = service.load_balancer_ip,
            sessionAffinity = service.sticky and "ClientIP" or nil, loadBalancerClass = service.class,
            loadBalancerSourceRanges = service.sources, ipFamilies = service.ip_families,
            ipFamilyPolicy = service.ip_family_policy, selector = selector,
            ports = service_ports(service, spec.ports, release),
        },
    }
end

local define_service = component.define("service", service_only_rules, {}, function(self, release)
    local spec = self.spec
    check_ports(self.where, ("service '%s'"):format(self.name), spec)
    local made = route.service({}, spec, release.metadata(self, self.service_name), spec.selector, release)
    origin.from(made.spec, "selector", spec, "selector")
    return { made }
end)

--- bk.service "name" { selector = { app = "web" }, ports = { http = { 80, target = 8080 } }, ... }: a Service for the
--- pods of several components, or of others; with the fields of a component's service.
function route.standalone_service(name)
    local make = define_service(name)
    return function(spec)
        local self = make(spec)
        self.service_name = component.object_name(self)
        return self
    end
end

-- Ingress.

local is_target = check.is("", "component")
local backend_rules = {
    service = check.either("a component or the name of a Service", check.text, is_target),
    port = check.either("the name or number of a port", check.text, check.whole(1, 65535)),
    path_type = check.one_of("Prefix", "Exact", "ImplementationSpecific"),
}
local target_rule = check.either("the name or number of a port, a component or { service, port }", check.text,
    check.whole(1, 65535), check.map)
local secret_rule = check.either("a bk.secret or the name of one", check.text, check.is("", "secret"))
local path_rules = {
    host = check.text, path = check.text, paths = ordered.rule, port = backend_rules.port,
    path_type = backend_rules.path_type,
}
local ingress_rules = tables.with(tables.with(path_rules, component.own_rules), {
    hosts = check.list(check.text), rules = check.list(check.map), class = check.text,
    default = check.either("a component or { service, port }", check.map),
    tls = check.either("a bk.secret, the name of one, { host = secret } or a list of { hosts, secret }", secret_rule,
        check.map, check.list(check.map)),
})
route.ingress_rules = ingress_rules
local tls_rules = { hosts = check.list(check.text), secret = secret_rule }

-- What an Ingress says of its hosts and paths: `rules`, or one for each of its hosts.
local function rules_of(ingress)
    if ingress.rules then
        return ingress.rules
    end
    local rules = {}
    for i, wanted in ipairs(ingress.hosts or { ingress.host }) do
        rules[i] = tables.with(ingress, { host = wanted })
    end
    local has_paths = ingress.paths or ingress.path or ingress.port or not ingress.default
    return #rules > 0 and rules or has_paths and { ingress } or {}
end

local function hosts_of(ingress)
    local hosts = {}
    for _, rule in ipairs(rules_of(ingress)) do
        hosts[#hosts + 1] = rule.host
    end
    return hosts
end

local function check_target(where, what, entry, target, ports)
    local path = entry.name
    if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
        check.fail_entry(where, entry, "%s: ingress path %s should begin with '/'", what, check.show(path))
    elseif target_rule(target) then
        check.fail_entry(where, entry, "%s: ingress path %s should lead to %s, not %s", what, path, target_rule(target),
            check.show(target))
    elseif type(target) == "table" and not check.kind(target) then
        local of = ("%s: ingress path %s"):format(what, path)
        check.fields(where, of, target, backend_rules)
        check_target(where, what, entry, target.port or target.service or "http", ports)
    elseif type(target) == "string" and ports and not ports[target] then
        check.fail_entry(where, entry, "%s: ingress leads to port '%s', which the component does not have%s", what,
            target, check.suggest(target, ports))
    elseif type(target) == "table" and not (is_target(target) == nil and (rawget(target, "service_name")
        and port.default(target.spec.ports))) then
        check.fail_entry(where, entry, "%s: ingress path %s leads to component '%s', which has no service with a port "
            .. "'http' or only one", what, path, tostring(target.name))
    end
end

local function paths_of(rule, spec)
    return rule.paths or { [rule.path or "/"] = rule.port or port.default(spec.ports) or "http" }
end

-- The names of ports that an Ingress of the component may lead to: those of its Services too.
local function known_ports(spec)
    local known = ordered.named(spec.ports)
    local first = type(spec.service) == "table" and { spec.service } or {}
    for _, service in ipairs { first[1] or {}, table.unpack(spec.services or {}) } do
        known = tables.with(known, ordered.named(service.ports))
    end
    return known
end

local function check_tls(where, what, ingress)
    local tls = ingress.tls
    if tls and not (type(tls) == "table" and tls[1]) and not hosts_of(ingress)[1] then
        check.fail_at(where, ingress, "tls", "%s: ingress with tls needs a host", what)
    elseif type(tls) ~= "table" or check.kind(tls) then
        return
    elseif tls[1] then
        for i, entry in ipairs(tls) do
            check.fields(where, ("%s: ingress tls[%d]"):format(what, i), entry, tls_rules)
        end
        return
    end
    local known = {}
    for _, name in ipairs(hosts_of(ingress)) do
        known[name] = true
    end
    for name, secret in pairs(tls) do
        if not known[name] then
            check.fail_at(where, tls, name, "%s: ingress tls: '%s' is none of its hosts%s", what, name,
                check.suggest(name, known))
        elseif secret_rule(secret) then
            check.fail_at(where, tls, name, "%s: ingress tls of %s should be %s", what, name, secret_rule(secret))
        end
    end
end

--- Checks ingress = { host or hosts, path or paths, rules, path_type, port, class, tls, default, name, labels,
--- annotations }.
function route.check_ingress(where, what, spec)
    local ingress = spec.ingress
    if not ingress then
        return
    end
    check.fields(where, what .. ": ingress", ingress, ingress_rules)
    local known = known_ports(spec)
    for i, rule in ipairs(rules_of(ingress)) do
        if ingress.rules then
            check.fields(where, ("%s: ingress rules[%d]"):format(what, i), rule, path_rules)
        end
        for _, entry in ipairs(ordered.entries(paths_of(rule, spec))) do
            local own = type(entry.value) == "table" and entry.value.service
            check_target(where, what, entry, entry.value, not own and known or nil)
        end
    end
    if ingress.default then
        check_target(where, what, { name = "/", value = ingress.default }, ingress.default)
    end
    check_tls(where, what, ingress)
end

local function tls_of(ingress, uses)
    local made, tls = {}, ingress.tls
    local function add(hosts, secret)
        if check.kind(secret) then
            uses(secret)
        end
        made[#made + 1] = { hosts = hosts, secretName = type(secret) == "table" and secret.object or secret }
    end
    if tls and (check.kind(tls) or type(tls) == "string") then
        add(hosts_of(ingress), tls)
    elseif tls and tls[1] then
        for _, entry in ipairs(tls) do
            add(entry.hosts, entry.secret)
        end
    else
        for name, secret in pairs(tls or {}) do
            add({ name }, secret)
        end
    end
    return #made > 0 and made or nil
end

local function backend(target, service, ports, uses)
    local wanted = type(target) == "table" and not check.kind(target) and target or {}
    local port_of = wanted.port
    if next(wanted) then
        target = wanted.service
    end
    if type(target) == "table" then
        uses(target)
        service, port_of = target.service_name, port_of or port.default(target.spec.ports)
    elseif next(wanted) then
        service, port_of = target or service, port_of or port.default(ports) or "http"
    else
        port_of = target
    end
    return { service = { name = service,
        port = { [type(port_of) == "string" and "name" or "number"] = port_of } } }
end

--- The Ingress of a component, whose Service is `service`.
function route.ingress(spec, service, metadata, release, uses)
    local ingress, rules = spec.ingress, {}
    for i, rule in ipairs(rules_of(ingress)) do
        local paths = {}
        for k, entry in ipairs(ordered.entries(paths_of(rule, spec))) do
            local own_type = type(entry.value) == "table" and not check.kind(entry.value) and entry.value.path_type
            paths[k] = { path = entry.name,
                pathType = own_type or rule.path_type or ingress.path_type or release.unless_bare "Prefix",
                backend = backend(entry.value, service, spec.ports, uses) }
        end
        rules[i] = { host = rule.host, http = { paths = paths } }
    end
    return {
        apiVersion = "networking.k8s.io/v1", kind = "Ingress", metadata = metadata,
        spec = { ingressClassName = ingress.class, tls = tls_of(ingress, uses), rules = #rules > 0 and rules or nil,
            defaultBackend = ingress.default and backend(ingress.default, service, spec.ports, uses) },
    }
end

-- Of a bk.ingress beside what it has as a component's.
local standalone_rules = tables.with(component.order_rules, { meta = check.map, patch = patch.rule, keep = keep.rule,
    replace = check.flag })

--- bk.ingress "public" { hosts = { ... }, paths = { ["/"] = web, ["/api/"] = api }, ... }: one for several
--- components, with the fields of a component's ingress.
function route.standalone(name)
    local where = host.where()
    check.name(where, "ingress", name)
    local function fill(self, given, place)
        local what = ("ingress '%s'"):format(name)
        if type(given) == "table" and not (given.paths or given.rules or given.default) then
            check.fail(place, "%s: no 'paths', e.g. paths = { [\"/\"] = web }", what)
        end
        local ingress = type(given) == "table" and tables.with(given, {}) or given
        local own = {}
        if type(given) == "table" then
            for field in pairs(standalone_rules) do
                own[field], ingress[field] = given[field], nil
                origin.from(own, field, given, field)
            end
            check.fields(place, what, own, standalone_rules)
            component.check_meta(place, what .. ": meta", own.meta or {})
        end
        self.given, self.spec = given, tables.with(own, { ingress = ingress })
        route.check_ingress(place, what, self.spec)
    end
    return function(given)
        local self = component.new { name = name, word = "ingress", where = where, fill = fill,
            build = function(made, release, uses)
                local objects = { route.ingress(made.spec, name, release.metadata(made, component.object_name(made),
                    made.spec.ingress), release, uses) }
                return made.spec.patch and patch.apply(where, ("ingress '%s'"):format(name), made.spec.patch, objects)
                    or objects
            end }
        return component.take(self, given)
    end
end

-- What lies outside.

local external_rules = tables.with(component.order_rules, {
    host = check.text, addresses = check.list(check.text), ports = port.rule, annotations = check.map,
    meta = check.map, patch = patch.rule, keep = keep.rule, replace = check.flag,
})

local function endpoints(self, release)
    local ports, addresses = {}, {}
    for i, entry in ipairs(ordered.entries(self.spec.ports)) do
        ports[i] = { name = entry.name, port = port.parse(entry.value),
            protocol = port.shown_protocol(entry.value, release) }
    end
    for i, address in ipairs(self.spec.addresses) do
        addresses[i] = { addresses = { address }, conditions = { ready = true } }
    end
    local name = component.object_name(self)
    local metadata = release.metadata(self, name, { labels = { ["kubernetes.io/service-name"] = name } })
    return {
        apiVersion = "discovery.k8s.io/v1", kind = "EndpointSlice", metadata = metadata, ports = ports,
        addressType = self.spec.addresses[1]:find ":" and "IPv6" or "IPv4", endpoints = addresses,
    }
end

--- bk.external "mysql" { host = "db.example.com" } (a Service of type ExternalName), or { addresses =
--- { "10.0.0.5" }, ports = { mysql = 3306 } } (a Service with these endpoints): a name in the namespace for
--- what lies outside; takes the place of a component for who uses its host.
function route.external(name)
    local where = host.where()
    check.name(where, "external", name)
    return function(spec)
        local what = ("external '%s'"):format(name)
        check.fields(where, what, spec, external_rules)
        port.check(where, what, spec.ports)
        if (spec.host == nil) == (spec.addresses == nil) then
            check.fail(where, "%s: wants either a host or addresses", what)
        elseif spec.addresses and not (spec.addresses[1] and next(spec.ports or {})) then
            check.fail(where, "%s: addresses need ports, e.g. ports = { mysql = 3306 }", what)
        end
        component.check_meta(where, what .. ": meta", spec.meta or {})
        return component.new { name = name, word = "external", where = where, spec = spec,
            service_name = component.object_name { name = name, spec = spec },
            build = function(self, release)
                local metadata = release.metadata(self, component.object_name(self), { annotations = spec.annotations })
                local objects = spec.host and { { apiVersion = "v1", kind = "Service", metadata = metadata,
                    spec = { type = "ExternalName", externalName = spec.host } } }
                    or { route.service(spec, {}, metadata, nil, release), endpoints(self, release) }
                return spec.patch and patch.apply(where, what, spec.patch, objects) or objects
            end }
    end
end

return route
