-- Rules for how pods are reached: Services, Ingresses, NetworkPolicies.

local check = require "bk.check"
local release = require "bk.release"

local list = release.list

local function table_of(value)
    return type(value) == "table" and value or {}
end

--- The named and numbered ports of some pods.
local function ports_of(pods)
    local names, numbers, any = {}, {}, false
    for _, pod in ipairs(pods) do
        for _, container in pod:containers() do
            for _, port in list(container.spec.ports) do
                port = table_of(port)
                any = true
                names[port.name or ""], numbers[port.containerPort or ""] = true, true
            end
        end
    end
    names[""], numbers[""] = nil, nil
    return names, numbers, any
end

local function selector_of(service)
    local selector = table_of(service.object.spec).selector
    return type(selector) == "table" and next(selector) and { matchLabels = selector } or nil
end

--- Calls each(service, path, target, names, numbers) for every port that a Service leads to; `numbers` is nil where its
--- pods declare none.
local function target_ports(all, each)
    for service in all:each "Service" do
        local selector = selector_of(service)
        local pods = selector and all:selected(selector, service.namespace) or {}
        local names, numbers, any = ports_of(pods)
        for i, port in list(pods[1] and service.object.spec.ports) do
            local target = table_of(port).targetPort
            each(service, { "spec", "ports", i - 1, "targetPort" }, target, names, any and numbers)
        end
    end
end

local function check_service_ports(all, report)
    target_ports(all, function(service, path, target, names)
        if type(target) == "string" and not target:find "^%d+$" and not names[target] then
            report(service, path, "none of its pods has a port '%s'%s", target, check.suggest(target, names))
        end
    end)
end

local function check_undeclared(all, report)
    target_ports(all, function(service, path, target, _, numbers)
        if math.type(target) == "integer" and numbers and not numbers[target] then
            report(service, path, "none of its pods declares the port %d%s", target, check.suggest(target, numbers))
        end
    end)
end

local function check_backend(all, entry, report, path, backend)
    local wanted = table_of(table_of(backend).service)
    if type(wanted.name) ~= "string" then
        return
    end
    local at = release.below(path, "service", "name")
    local service = all:find("Service", wanted.name, entry.namespace)
    if not service then
        report(entry, at, "there is no Service '%s' in the profile%s", wanted.name,
            check.suggest(wanted.name, all:names("Service", entry.namespace)))
        return
    end
    local port, known = table_of(wanted.port), {}
    for _, one in list(table_of(service.object.spec).ports) do
        known[table_of(one).name or ""], known[table_of(one).port or ""] = true, true
    end
    known[""] = nil
    local value = port.name or port.number
    if value ~= nil and not known[value] and table_of(service.object.spec).type ~= "ExternalName" then
        report(entry, release.below(path, "service", "port", port.name and "name" or "number"),
            "Service '%s' has no port '%s'%s", wanted.name, tostring(value), check.suggest(value, known))
    end
end

local function check_backends(all, report)
    for entry in all:each "Ingress" do
        local spec = table_of(entry.object.spec)
        check_backend(all, entry, report, { "spec", "defaultBackend" }, spec.defaultBackend)
        for i, rule in list(spec.rules) do
            for k, path in list(table_of(table_of(rule).http).paths) do
                check_backend(all, entry, report, { "spec", "rules", i - 1, "http", "paths", k - 1, "backend" },
                    table_of(path).backend)
            end
        end
    end
end

local function check_hosts(all, report)
    local seen = {}
    for entry in all:each "Ingress" do
        local spec = table_of(entry.object.spec)
        for i, rule in list(spec.rules) do
            for k, path in list(table_of(table_of(rule).http).paths) do
                local key = ("%s|%s%s"):format(tostring(spec.ingressClassName), tostring(rule.host),
                    tostring(path.path))
                if seen[key] and seen[key] ~= entry then
                    report(entry, { "spec", "rules", i - 1, "http", "paths", k - 1, "path" },
                        "%s%s is also led elsewhere by Ingress '%s'", rule.host or "*", path.path or "/",
                        seen[key].name)
                end
                seen[key] = seen[key] or entry
            end
        end
    end
end

return {
    { name = "service-without-pods", severity = "error", whole = true, doc = "a Service's selector matches pods",
        check = function(all, report)
            for service in all:each "Service" do
                local selector = selector_of(service)
                if selector and not all:selected(selector, service.namespace)[1] then
                    report(service, { "spec", "selector" }, "the selector matches no pods of the profile")
                end
            end
        end },
    { name = "service-port", severity = "error", whole = true,
        doc = "a Service leads by name to ports that its pods have", check = check_service_ports },
    { name = "service-undeclared", severity = "warning", whole = true,
        doc = "a Service leads to ports that its pods declare", check = check_undeclared },
    { name = "ingress-backend", severity = "error", whole = true,
        doc = "an Ingress leads to Services and ports that exist", check = check_backends },
    { name = "ingress-collision", severity = "warning", doc = "a host's path is led to one place",
        check = check_hosts },
    { name = "policy-without-pods", severity = "warning", whole = true,
        doc = "a NetworkPolicy is for pods of the profile",
        check = function(all, report)
            for entry in all:each "NetworkPolicy" do
                local selector = table_of(table_of(entry.object.spec).podSelector)
                if next(selector) and not all:selected(selector, entry.namespace)[1] then
                    report(entry, { "spec", "podSelector" }, "the selector matches no pods of the profile")
                end
            end
        end },
}
