-- How a component is reached: its Service, and the Ingress that leads to it from outside.

local check = require "bk.check"

local route = {}

local service_rules = {
    ports = check.map, annotations = check.map, headless = check.flag,
    type = check.one_of("ClusterIP", "NodePort", "LoadBalancer"),
}

--- Checks service = true | false | { ports = { name = number }, type, headless, annotations }.
function route.check_service(where, what, spec)
    local service = spec.service
    if type(service) == "boolean" or service == nil then
        if service and not next(spec.ports or {}) then
            check.fail(where, "%s: a service needs ports, e.g. ports = { http = 80 }", what)
        end
        return
    end
    check.fields(where, what .. ": service", service, service_rules)
    for name, number in pairs(service.ports or {}) do
        if not (spec.ports or {})[name] then
            check.fail(where, "%s: service port '%s' is none of the component's%s", what, name,
                check.suggest(name, spec.ports or {}))
        elseif check.whole(1, 65535)(number) then
            check.fail(where, "%s: service port '%s' should be %s, not %s", what, name,
                check.whole(1, 65535)(number), check.show(number))
        end
    end
end

--- The Service of a component; `headless` for a StatefulSet's own.
function route.service(spec, metadata, selector, headless)
    local service = type(spec.service) == "table" and spec.service or {}
    local ports = {}
    for name, number in pairs(service.ports or spec.ports or {}) do
        ports[#ports + 1] = { name = name, port = number, targetPort = name, protocol = "TCP" }
    end
    metadata.annotations = service.annotations
    headless = headless or service.headless
    return {
        apiVersion = "v1", kind = "Service", metadata = metadata,
        spec = {
            type = service.type or "ClusterIP",
            clusterIP = headless and "None" or nil,
            -- Peers of a cluster must find each other before they are ready.
            publishNotReadyAddresses = headless and true or nil,
            selector = selector,
            ports = #ports > 0 and ports or nil,
        },
    }
end

local ingress_rules = {
    host = check.text, path = check.text, port = check.text, class = check.text, annotations = check.map,
    path_type = check.one_of("Prefix", "Exact", "ImplementationSpecific"),
    tls = check.either("a bk.secret or the name of one", check.text, check.is("a bk.secret", "secret")),
}

--- Checks ingress = { host, path, path_type, port, class, tls, annotations }.
function route.check_ingress(where, what, spec)
    local ingress = spec.ingress
    if not ingress then
        return
    end
    check.fields(where, what .. ": ingress", ingress, ingress_rules)
    local port = ingress.port or "http"
    if not (spec.ports or {})[port] then
        check.fail(where, "%s: ingress leads to port '%s', which the component does not have%s", what, port,
            check.suggest(port, spec.ports or {}))
    elseif ingress.path and ingress.path:sub(1, 1) ~= "/" then
        check.fail(where, "%s: ingress path %s should begin with '/'", what, check.show(ingress.path))
    elseif ingress.tls and not ingress.host then
        check.fail(where, "%s: ingress with tls needs a host", what)
    end
end

--- The Ingress of a component.
function route.ingress(spec, name, metadata, uses)
    local ingress = spec.ingress
    local secret = ingress.tls
    if check.kind(secret) then
        uses(secret)
        secret = secret.name
    end
    metadata.annotations = ingress.annotations
    return {
        apiVersion = "networking.k8s.io/v1", kind = "Ingress", metadata = metadata,
        spec = {
            ingressClassName = ingress.class,
            tls = secret and { { hosts = { ingress.host }, secretName = secret } },
            rules = { {
                host = ingress.host,
                http = { paths = { {
                    path = ingress.path or "/", pathType = ingress.path_type or "Prefix",
                    backend = { service = { name = name, port = { name = ingress.port or "http" } } },
                } } },
            } },
        },
    }
end

return route
