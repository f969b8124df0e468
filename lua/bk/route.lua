-- How a component is reached: its Service, the Ingress that leads to it from outside, and names for what
-- lies outside of the cluster.

local check = require "bk.check"
local component = require "bk.component"
local host = require "bk.host"
local port = require "bk.port"

local route = {}

local service_rules = {
    ports = check.map, annotations = check.map, headless = check.flag, node_ports = check.map,
    type = check.one_of("ClusterIP", "NodePort", "LoadBalancer"), addresses = check.list(check.text),
    external_traffic = check.one_of("Cluster", "Local"), sticky = check.flag, class = check.text,
    sources = check.list(check.text),
}

local port_rule = check.whole(1, 65535)

--- Checks service = true | false | { ports = { name = number }, type, headless, ... }.
function route.check_service(where, what, spec)
    local service = spec.service
    if type(service) == "boolean" or service == nil then
        if service and not next(spec.ports or {}) then
            check.fail(where, "%s: a service needs ports, e.g. ports = { http = 80 }", what)
        end
        return
    end
    check.fields(where, what .. ": service", service, service_rules)
    for _, field in ipairs { "ports", "node_ports" } do
        for name, number in pairs(service[field] or {}) do
            if not (spec.ports or {})[name] then
                check.fail(where, "%s: service port '%s' is none of the component's%s", what, name,
                    check.suggest(name, spec.ports or {}))
            elseif port_rule(number) then
                check.fail(where, "%s: service port '%s' should be %s, not %s", what, name, port_rule(number),
                    check.show(number))
            end
        end
    end
end

--- The Service of a component; `headless` for a StatefulSet's own, unless it says otherwise.
function route.service(spec, metadata, selector, headless)
    local service = type(spec.service) == "table" and spec.service or {}
    local ports = {}
    for name, value in pairs(service.ports or spec.ports or {}) do
        local number = port.parse(value)
        local _, protocol = port.parse(spec.ports[name])
        ports[#ports + 1] = { name = name, port = number, targetPort = name, protocol = protocol,
            nodePort = (service.node_ports or {})[name] }
    end
    metadata.annotations = service.annotations
    if service.headless ~= nil or service.type then
        headless = service.headless
    end
    return {
        apiVersion = "v1", kind = "Service", metadata = metadata,
        spec = {
            type = service.type or "ClusterIP",
            clusterIP = headless and "None" or nil,
            -- Peers of a cluster must find each other before they are ready.
            publishNotReadyAddresses = headless and true or nil,
            externalIPs = service.addresses, externalTrafficPolicy = service.external_traffic,
            sessionAffinity = service.sticky and "ClientIP" or nil, loadBalancerClass = service.class,
            loadBalancerSourceRanges = service.sources,
            selector = selector,
            ports = #ports > 0 and ports or nil,
        },
    }
end

-- Ingress.

local target_rule = check.either("the name of a port, or a component", check.text, check.is("", "component"))
local secret_rule = check.either("a bk.secret or the name of one", check.text, check.is("", "secret"))
local ingress_rules = {
    host = check.text, hosts = check.list(check.text), path = check.text, paths = check.map, port = check.text,
    class = check.text, annotations = check.map,
    path_type = check.one_of("Prefix", "Exact", "ImplementationSpecific"),
    tls = check.either("a bk.secret, the name of one, or { host = secret }", secret_rule, check.map),
}

local function hosts_of(ingress)
    return ingress.hosts or ingress.host and { ingress.host } or {}
end

local function check_target(where, what, path, target, spec)
    local ports = spec.ports or {}
    if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
        check.fail(where, "%s: ingress path %s should begin with '/'", what, check.show(path))
    elseif target_rule(target) then
        check.fail(where, "%s: ingress path %s should lead to %s, not %s", what, path, target_rule(target),
            check.show(target))
    elseif type(target) == "string" and not ports[target] then
        check.fail(where, "%s: ingress leads to port '%s', which the component does not have%s", what, target,
            check.suggest(target, ports))
    elseif type(target) == "table" and not (rawget(target, "service_name") and port.default(target.spec.ports)) then
        check.fail(where, "%s: ingress path %s leads to component '%s', which has no service with a port 'http' or "
            .. "only one", what, path, target.name)
    end
end

local function paths_of(ingress, spec)
    return ingress.paths or { [ingress.path or "/"] = ingress.port or port.default(spec.ports) or "http" }
end

--- Checks ingress = { host or hosts, path or paths, path_type, port, class, tls, annotations }.
function route.check_ingress(where, what, spec)
    local ingress = spec.ingress
    if not ingress then
        return
    end
    check.fields(where, what .. ": ingress", ingress, ingress_rules)
    for path, target in pairs(paths_of(ingress, spec)) do
        check_target(where, what, path, target, spec)
    end
    if ingress.tls and not hosts_of(ingress)[1] then
        check.fail(where, "%s: ingress with tls needs a host", what)
    elseif type(ingress.tls) == "table" and not check.kind(ingress.tls) then
        local known = {}
        for _, name in ipairs(hosts_of(ingress)) do
            known[name] = true
        end
        for name, secret in pairs(ingress.tls) do
            if not known[name] then
                check.fail(where, "%s: ingress tls: '%s' is none of its hosts%s", what, name,
                    check.suggest(name, known))
            elseif secret_rule(secret) then
                check.fail(where, "%s: ingress tls of %s should be %s", what, name, secret_rule(secret))
            end
        end
    end
end

local function tls_of(ingress, uses)
    local made = {}
    local function add(hosts, secret)
        if check.kind(secret) then
            uses(secret)
        end
        made[#made + 1] = { hosts = hosts, secretName = type(secret) == "table" and secret.object or secret }
    end
    if ingress.tls and (check.kind(ingress.tls) or type(ingress.tls) == "string") then
        add(hosts_of(ingress), ingress.tls)
    else
        for name, secret in pairs(ingress.tls or {}) do
            add({ name }, secret)
        end
    end
    return #made > 0 and made or nil
end

--- The Ingress of a component.
function route.ingress(spec, name, metadata, uses)
    local ingress, paths, rules = spec.ingress, {}, {}
    for path, target in pairs(paths_of(ingress, spec)) do
        local service, port_name = name, target
        if type(target) == "table" then
            uses(target)
            service, port_name = target.service_name, port.default(target.spec.ports)
        end
        paths[#paths + 1] = { path = path, pathType = ingress.path_type or "Prefix",
            backend = { service = { name = service, port = { name = port_name } } } }
    end
    for i, wanted in ipairs(hosts_of(ingress)) do
        rules[i] = { host = wanted, http = { paths = paths } }
    end
    rules[1] = rules[1] or { http = { paths = paths } }
    metadata.annotations = ingress.annotations
    return {
        apiVersion = "networking.k8s.io/v1", kind = "Ingress", metadata = metadata,
        spec = { ingressClassName = ingress.class, tls = tls_of(ingress, uses), rules = rules },
    }
end

--- bk.ingress "public" { hosts = { ... }, paths = { ["/"] = web, ["/api/"] = api }, ... }: one for several
--- components, with the fields of a component's ingress.
function route.standalone(name)
    local where = host.where()
    check.name(where, "ingress", name)
    local function fill(self, given, place)
        local what = ("ingress '%s'"):format(name)
        if type(given) == "table" and not given.paths then
            check.fail(place, "%s: no 'paths', e.g. paths = { [\"/\"] = web }", what)
        end
        self.given, self.spec = given, { ingress = given }
        route.check_ingress(place, what, self.spec)
    end
    return function(given)
        local self = component.new { name = name, word = "ingress", where = where, fill = fill,
            build = function(made, release, uses)
                return { route.ingress(made.spec, name, release.metadata(made, name), uses) }
            end }
        fill(self, given, where)
        return self
    end
end

-- What lies outside.

local external_rules = {
    host = check.text, addresses = check.list(check.text), ports = check.map, annotations = check.map,
}

local function endpoints(self, release)
    local ports, addresses = {}, {}
    for name, value in pairs(self.spec.ports) do
        local number, protocol = port.parse(value)
        ports[#ports + 1] = { name = name, port = number, protocol = protocol }
    end
    for i, address in ipairs(self.spec.addresses) do
        addresses[i] = { addresses = { address }, conditions = { ready = true } }
    end
    local metadata = release.metadata(self, self.name)
    metadata.labels["kubernetes.io/service-name"] = self.name
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
        return component.new { name = name, word = "external", where = where, spec = spec, service_name = name,
            build = function(self, release)
                local metadata = release.metadata(self, name)
                if spec.host then
                    metadata.annotations = spec.annotations
                    return { { apiVersion = "v1", kind = "Service", metadata = metadata,
                        spec = { type = "ExternalName", externalName = spec.host } } }
                end
                return { route.service(spec, metadata), endpoints(self, release) }
            end }
    end
end

return route
