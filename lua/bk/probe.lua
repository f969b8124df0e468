-- Probes: how a kubelet finds out whether a container lives, is ready, has started.
-- kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/

local check = require "bk.check"
local host = require "bk.host"
local ordered = require "bk.ordered"
local port_of = require "bk.port"
local quantity = require "bk.quantity"

local probe = {}

local Probe = { kind = "probe", what = "a probe" }
local port = check.either("a port's name or number", check.text, check.whole(1, 65535))
local timings = {
    initial_delay = "initialDelaySeconds", period = "periodSeconds", timeout = "timeoutSeconds",
}
local counts = { success = "successThreshold", failure = "failureThreshold" }

local function constructor(name, main, rules, action)
    rules.initial_delay, rules.period, rules.timeout = quantity.duration, quantity.duration, quantity.duration
    rules.success, rules.failure = check.whole(1), check.whole(1)
    return function(spec)
        local where = host.where()
        if type(spec) ~= "table" or main == "command" and spec[1] then
            spec = { [main] = spec }
        end
        check.fields(where, "bk." .. name, spec, rules)
        if main and check.missing(spec, main) then
            check.fail(where, "bk.%s: no '%s'", name, main)
        end
        local made = {}
        for from, to in pairs(timings) do
            made[to] = spec[from] and quantity.seconds(spec[from])
        end
        for from, to in pairs(counts) do
            made[to] = spec[from]
        end
        return setmetatable({ spec = made, action = action, given = spec, where = where }, Probe)
    end
end

--- bk.http "/ready" or bk.http { path, port, scheme, host, headers, initial_delay, period, timeout, success, failure }
probe.http = constructor("http", "path", {
    path = check.text, port = port, scheme = check.one_of("HTTP", "HTTPS"), headers = ordered.rule,
    host = check.text,
}, function(given, default_port)
    local headers
    for _, entry in ipairs(ordered.entries(given.headers)) do
        headers = headers or {}
        headers[#headers + 1] = { name = entry.name, value = tostring(entry.value) }
    end
    return "httpGet", {
        path = given.path, port = given.port or default_port, scheme = given.scheme, httpHeaders = headers,
        host = given.host,
    }
end)

--- bk.tcp "http" or bk.tcp { port, ... }
probe.tcp = constructor("tcp", "port", { port = port }, function(given)
    return "tcpSocket", { port = given.port }
end)

--- bk.exec { "redis-cli", "ping" } or bk.exec { command = { ... }, ... }
probe.exec = constructor("exec", "command", { command = check.list(check.text) }, function(given)
    return "exec", { command = given.command }
end)

--- bk.grpc { port = 9000, service = "name", ... }
probe.grpc = constructor("grpc", "port", { port = check.whole(1, 65535), service = check.text }, function(given)
    return "grpc", { port = given.port, service = given.service }
end)

probe.rule = check.is("a probe: bk.http, bk.tcp, bk.exec or bk.grpc", "probe")

--- What a handler of pre_stop and post_start may be: a command, or what a probe asks.
probe.handler_rule = check.either("a command { \"sh\", \"-c\", ... }, bk.http, bk.tcp or bk.exec",
    check.list(check.text), probe.rule)

--- Field and content of what a probe asks; a port by name is one of the container's.
local function action_of(value, what, ports)
    local field, action = value.action(value.given, port_of.default(ports))
    if field == "httpGet" or field == "tcpSocket" then
        local named, names = ordered.named(ports), {}
        for name in pairs(named) do
            names[#names + 1] = name
        end
        if not action.port then
            check.fail(value.where, "%s: the probe needs a port; the container has %s", what,
                #names == 0 and "none" or table.concat(names, ", "))
        elseif type(action.port) == "string" and not named[action.port] then
            check.fail_at(value.where, value.given, "port", "%s: the probe's port '%s' is not one of the container's%s",
                what, action.port, check.suggest(action.port, named))
        end
    end
    return field, action
end

--- The probe of a container whose ports are `ports` ({ name = number }).
function probe.build(value, what, ports)
    local field, action = action_of(value, what, ports)
    local made = { [field] = action }
    for key, number in pairs(value.spec) do
        made[key] = number
    end
    return made
end

--- The lifecycle handler of a container.
function probe.handler(value, what, ports)
    if check.kind(value) ~= "probe" then
        return { exec = { command = value } }
    end
    local field, action = action_of(value, what, ports)
    return { [field] = action }
end

return probe
