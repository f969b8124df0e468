-- Hooks: functions of a profile, and of the sites that extend it, that run while it is applied or deleted.

local check = require "bk.check"
local quantity = require "bk.quantity"
local values = require "bk.values"

local hook = {}

local List = { __name = "bk.array" }

-- In the order of their running. Those that come after the work run inside out: the site's first.
local names = { "before_plan", "before_apply", "before_component", "after_component", "after_apply", "on_failure",
    "before_delete" }
local inside_out = { after_component = true, after_apply = true, on_failure = true }

local timeout_default = 60

local function is_function(value)
    return type(value) ~= "function" and "a function of the context" or nil
end

local function by_component(value)
    if type(value) ~= "table" or getmetatable(value) then
        return ""
    end
    for name, run in pairs(value) do
        if type(name) ~= "string" or type(run) ~= "function" then
            return ""
        end
    end
end

local of_component = check.either("a function of the context, or a table { component = function }", is_function,
    by_component)

local rules = {
    timeout = quantity.duration, before_plan = is_function, before_apply = is_function,
    before_component = of_component, after_component = of_component, after_apply = is_function,
    on_failure = is_function, before_delete = is_function,
}

hook.rules = rules

--- What `hooks` of a profile or site may be.
hook.rule = check.either("a table { before_apply = function(ctx) ... end }, or a function of the environment that "
    .. "returns one", is_function, check.map)

-- The site's own components are known here; those of the profile that it extends may have been taken out by it.
local function check_components(where, name, functions, components)
    local known = {}
    for _, component in ipairs(components) do
        known[component.name] = true
    end
    for component in pairs(functions) do
        if not known[component] then
            check.fail_at(where, functions, component, "hooks: %s: the profile has no component '%s'%s", name,
                component, check.suggest(component, known))
        end
    end
end

local function read(owner, env, components, is_last)
    local hooks = values.of(owner.spec.hooks, env) or {}
    check.fields(owner.where, "hooks", hooks, rules)
    for _, name in ipairs(names) do
        if is_last and type(hooks[name]) == "table" then
            check_components(owner.where, name, hooks[name], components)
        end
    end
    return hooks
end

--- The hooks of a profile and its sites ({ { spec, where } }, the profile first) in an environment: a list of { name,
--- component, run, timeout }, those of one name in their order.
function hook.read(owners, env, components)
    local read_hooks, list = {}, {}
    for i, owner in ipairs(owners) do
        check.guard(function()
            read_hooks[i] = read(owner, env, components, i == #owners)
        end)
    end
    for _, name in ipairs(names) do
        local first, last, step = 1, #owners, 1
        if inside_out[name] then
            first, last, step = last, first, -1
        end
        for i = first, last, step do
            local hooks = read_hooks[i] or {}
            local given = hooks[name]
            local timeout = hooks.timeout and quantity.seconds(hooks.timeout) or timeout_default
            if type(given) == "function" then
                list[#list + 1] = { name = name, run = given, timeout = timeout }
            end
            for component, run in pairs(type(given) == "table" and given or {}) do
                list[#list + 1] = { name = name, component = component, run = run, timeout = timeout }
            end
        end
    end
    return list
end

--- Their names, each once; nil when there is none.
function hook.names(list)
    local found, seen = setmetatable({}, List), {}
    for _, one in ipairs(list) do
        if not seen[one.name] then
            seen[one.name] = true
            found[#found + 1] = one.name
        end
    end
    return found[1] and found
end

return hook
