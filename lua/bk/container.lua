-- One container: image, command, ports, resources, probes, env sources, files.

local check = require "bk.check"
local env = require "bk.env"
local ordered = require "bk.ordered"
local port = require "bk.port"
local probe = require "bk.probe"
local quantity = require "bk.quantity"

local container = {}

--- The fields of a container; a component has them for its main container.
container.rules = {
    image = check.text,
    command = check.list(check.scalar),
    args = check.list(check.scalar),
    working_dir = check.text,
    ports = port.rule,
    resources = check.map,
    liveness = probe.rule,
    readiness = probe.rule,
    startup = probe.rule,
    env = ordered.rule,
    env_from = check.list(check.is("a bk.config or bk.secret", "config", "secret", "files")),
    files = ordered.rule,
    volumes = ordered.rule,
    pull_policy = check.one_of("Always", "IfNotPresent", "Never"),
    security = check.map,
    pre_stop = probe.handler_rule, post_start = probe.handler_rule,
    host_ports = check.map, stdin = check.flag, tty = check.flag,
}

--- Checks one container's fields; `name` is its own name.
function container.check(where, what, spec)
    if check.missing(spec, "image") then
        check.fail(where, "%s: no image; give image = \"registry/name:tag\"", what)
    elseif spec.image and (spec.image == "" or spec.image:find "%s") then
        check.fail_at(where, spec, "image", "%s: %s is no image", what, check.show(spec.image))
    end
    port.check(where, what, spec.ports)
    local named = ordered.named(spec.ports)
    for name in pairs(spec.host_ports or {}) do
        if not named[name] then
            check.fail_at(where, spec.host_ports, name, "%s: host_ports: '%s' is none of its ports%s", what, name,
                check.suggest(name, named))
        end
    end
    if spec.resources then
        quantity.resources(where, what, spec.resources)
    end
    env.check(where, what, spec)
end

local function texts(list)
    local made
    for i, word in ipairs(list or {}) do
        made = made or {}
        made[i] = tostring(word)
    end
    return made
end

--- The container object. `volumes` collects (bk.volume), `uses` is told of configs and components,
--- `extra` are mounts of the component's claims.
function container.build(where, what, name, spec, volumes, uses, extra)
    local ports
    for _, entry in ipairs(ordered.entries(spec.ports)) do
        ports = ports or {}
        ports[#ports + 1] = { name = entry.name, containerPort = port.parse(entry.value),
            protocol = port.shown_protocol(entry.value, volumes.release),
            hostPort = entry.name and (spec.host_ports or {})[entry.name] }
    end
    local list, from = env.build(where, what, spec, uses)
    local mounts = volumes.mounts(where, what, spec, uses)
    for _, mount in ipairs(extra or {}) do
        mounts[#mounts + 1] = mount
    end
    local made = {
        name = name, image = spec.image, command = texts(spec.command), args = texts(spec.args),
        workingDir = spec.working_dir, imagePullPolicy = spec.pull_policy, ports = ports,
        env = list, envFrom = from, volumeMounts = #mounts > 0 and mounts or nil,
        securityContext = spec.security,
        resources = spec.resources and quantity.resources(where, what, spec.resources, volumes.release),
        stdin = spec.stdin, tty = spec.tty,
        lifecycle = (spec.pre_stop or spec.post_start) and {
            preStop = spec.pre_stop and probe.handler(spec.pre_stop, what, spec.ports or {}),
            postStart = spec.post_start and probe.handler(spec.post_start, what, spec.ports or {}),
        },
    }
    for field, key in pairs { liveness = "livenessProbe", readiness = "readinessProbe", startup = "startupProbe" } do
        made[key] = spec[field] and probe.build(spec[field], what, spec.ports or {})
    end
    return made
end

return container
