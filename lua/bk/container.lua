-- One container: image, command, ports, resources, probes, env sources, files.

local check = require "bk.check"
local env = require "bk.env"
local probe = require "bk.probe"
local quantity = require "bk.quantity"

local container = {}

--- The fields of a container; a component has them for its main container.
container.rules = {
    image = check.text,
    command = check.list(check.scalar),
    args = check.list(check.scalar),
    working_dir = check.text,
    ports = check.map,
    resources = check.map,
    liveness = probe.rule,
    readiness = probe.rule,
    startup = probe.rule,
    env = check.map,
    env_from = check.list(check.is("a bk.config or bk.secret", "config", "secret")),
    files = check.map,
    volumes = check.map,
    pull_policy = check.one_of("Always", "IfNotPresent", "Never"),
    security = check.map,
    pre_stop = check.list(check.text),
}

local port_rule = check.whole(1, 65535)

--- Checks one container's fields; `name` is its own name.
function container.check(where, what, spec)
    if spec.image == nil then
        check.fail(where, "%s: no image; give image = \"registry/name:tag\"", what)
    elseif spec.image == "" or spec.image:find "%s" then
        check.fail(where, "%s: %s is no image", what, check.show(spec.image))
    end
    for name, number in pairs(spec.ports or {}) do
        if type(name) ~= "string" or #name > 15 or not name:find "^[a-z0-9-]*[a-z][a-z0-9-]*$" then
            check.fail(where, "%s: %s is no port name; at most 15 of a-z, 0-9 and '-', e.g. ports = { http = 8080 }",
                what, check.show(name))
        elseif port_rule(number) then
            check.fail(where, "%s: port '%s' should be %s, not %s", what, name, port_rule(number), check.show(number))
        end
    end
    if spec.resources then
        quantity.resources(where, what, spec.resources)
    end
end

local function texts(list)
    local made
    for i, word in ipairs(list or {}) do
        made = made or {}
        made[i] = tostring(word)
    end
    return made
end

--- The container object. `volumes` collects (bk.storage), `uses` is told of configs and components,
--- `extra` are mounts of the component's claims.
function container.build(where, what, name, spec, volumes, uses, extra)
    local ports
    for port, number in pairs(spec.ports or {}) do
        ports = ports or {}
        ports[#ports + 1] = { name = port, containerPort = number, protocol = "TCP" }
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
        resources = spec.resources and quantity.resources(where, what, spec.resources),
        lifecycle = spec.pre_stop and { preStop = { exec = { command = spec.pre_stop } } },
    }
    for field, key in pairs { liveness = "livenessProbe", readiness = "readinessProbe", startup = "startupProbe" } do
        made[key] = spec[field] and probe.build(spec[field], what, spec.ports or {})
    end
    return made
end

return container
