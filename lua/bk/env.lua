-- Env sources: where the value of an environment variable comes from.

local check = require "bk.check"
local ordered = require "bk.ordered"
local origin = require "bk.origin"

local env = {}

local Text = { kind = "text", what = "a text with a component's host", __index = {} }
local Field = { kind = "field", what = "a field" }

--- Text that remembers the components whose names are in it: "http://" .. api.host .. "/".
function env.text(value, uses)
    return setmetatable({ value = value, uses = uses }, Text)
end

function Text.__concat(a, b)
    local uses = {}
    for _, part in ipairs { a, b } do
        for _, component in ipairs(check.kind(part) == "text" and part.uses or {}) do
            uses[#uses + 1] = component
        end
    end
    return env.text(tostring(a) .. tostring(b), uses)
end

function Text.__tostring(text)
    return text.value
end

--- bk.field "status.hostIP": a field of the pod (downward API); bk.field("status.hostIP", "v1") with its version.
function env.field(path, version)
    if check.text(path) then
        check.fail(nil, "bk.field wants a path such as 'status.podIP', not %s", check.show(path))
    end
    return setmetatable({ fieldRef = { fieldPath = path, apiVersion = version } }, Field)
end

local resource_rules = { container = check.text, divisor = check.scalar }

--- bk.resource "limits.memory": a request or limit of the container itself; bk.resource("limits.memory", { container =
--- "app", divisor = "1Mi" }): of another one, in another unit.
function env.resource(name, more)
    if check.text(name) or not name:find "^[rl][ei][qm][ui]%w+%.%S+$" then
        check.fail(nil, "bk.resource wants 'limits.memory', 'requests.cpu' or such, not %s", check.show(name))
    end
    more = more or {}
    check.fields(nil, "bk.resource", more, resource_rules)
    return setmetatable({ resourceFieldRef = { resource = name, containerName = more.container,
        divisor = more.divisor } }, Field)
end

local function reference(key)
    local kind = key.source.word == "secret" and "secretKeyRef" or "configMapKeyRef"
    return { [kind] = { name = key.source.object, key = key.name, optional = key.is_optional } }
end

--- One variable of a container. `uses(value)` is told what the value holds.
local function variable(where, what, entry, uses)
    local name, value = tostring(entry.name), entry.value
    local kind = check.kind(value)
    if not name:find "^[%a_][%w_.-]*$" then
        check.fail_entry(where, entry, "%s: '%s' is no name of a variable", what, name)
    elseif kind == "key" then
        uses(value.source)
        return { name = name, valueFrom = reference(value) }
    elseif kind == "field" then
        return { name = name, valueFrom = { fieldRef = value.fieldRef, resourceFieldRef = value.resourceFieldRef } }
    elseif kind == "text" then
        for _, component in ipairs(value.uses) do
            uses(component)
        end
        return { name = name, value = value.value }
    elseif check.scalar(value) then
        check.fail_entry(where, entry, "%s: env %s should be a string, number, boolean, a key (secret:key \"name\"), "
            .. "bk.field or bk.resource, not %s", what, name, check.show(value))
    end
    value = tostring(value)
    if not check.is_text(value) then
        check.fail_entry(where, entry, "%s: env %s is not text (UTF-8, no NUL)", what, name)
    end
    return { name = name, value = value }
end

--- Checks the variables of a container.
function env.check(where, what, spec)
    for _, entry in ipairs(ordered.entries(spec.env)) do
        check.guard(variable, where, what, entry, function() end)
    end
end

--- The env and envFrom of a container: by their names, or as a list has them.
function env.build(where, what, spec, uses)
    local list, from
    for _, entry in ipairs(ordered.entries(spec.env)) do
        list = list or {}
        list[#list + 1] = variable(where, what, entry, uses)
        origin.from(list, #list, entry, "value")
    end
    for _, source in ipairs(spec.env_from or {}) do
        from = from or {}
        local held = source.source or source -- a view, as conf:optional()
        uses(held)
        from[#from + 1] = { prefix = source.variable_prefix,
            [held.word == "secret" and "secretRef" or "configMapRef"] = {
                name = held.object, optional = source.is_optional,
            } }
    end
    return list, from
end

return env
