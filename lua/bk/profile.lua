-- The profile: environments, the namespace, and the components in their order.

local check = require "bk.check"
local config = require "bk.config"
local host = require "bk.host"
local workload = require "bk.workload"

local profile = {}

local Profile = { kind = "profile", what = "a profile" }

local rules = {
    namespace = check.text, environments = check.map, default = check.text, create_namespace = check.flag,
    components = check.either("a list of components, or a function that returns one",
        function(value)
            return type(value) ~= "function" or nil
        end, check.list(check.any)),
}

--- bk.profile "name" { components = { ... } or function(env), environments = { name = { values } },
--- default = "dev", namespace = "text", create_namespace = true }
function profile.new(name)
    local where = host.where()
    check.name(where, "profile", name)
    return function(spec)
        local what = ("profile '%s'"):format(name)
        check.fields(where, what, spec, rules)
        if spec.components == nil then
            check.fail(where, "%s: no components", what)
        elseif spec.default and not (spec.environments or {})[spec.default] then
            check.fail(where, "%s: the default environment '%s' is not one of its environments%s", what,
                spec.default, check.suggest(spec.default, spec.environments or {}))
        end
        return setmetatable({ name = name, spec = spec, where = where }, Profile)
    end
end

local function names_of(map)
    local all = {}
    for name in pairs(map) do
        all[#all + 1] = name
    end
    return table.concat(all, ", ")
end

--- The values of the chosen environment; reading one that is not set is an error.
local function choose(self, wanted)
    local environments = self.spec.environments
    local name = wanted or self.spec.default
    if not environments or not next(environments) then
        if wanted then
            check.fail(self.where, "profile '%s' has no environments, so -e %s names none", self.name, wanted)
        end
        environments, name = { default = {} }, "default"
    elseif not name then
        check.fail(self.where, "profile '%s' has the environments %s; choose one with -e", self.name,
            names_of(environments))
    elseif not environments[name] then
        check.fail(self.where, "profile '%s' has no environment '%s'; there is: %s", self.name, name,
            names_of(environments))
    end
    local values = { name = name }
    for key, value in pairs(environments[name]) do
        values[key] = value
    end
    return setmetatable(values, { __index = function(_, key)
        check.fail(nil, "environment '%s' has no value '%s'%s", name, tostring(key),
            check.suggest(key, environments[name]))
    end })
end

local function namespace_of(self, env)
    local name = rawget(env, "namespace") or self.spec.namespace
        or (self.spec.environments and ("%s-%s"):format(self.name, env.name) or self.name)
    check.name(self.where, "namespace", name)
    return name
end

--- What components need of the profile around them: labels, metadata, selectors.
local function release_of(self, namespace)
    local release = {}

    -- Small and never changed: a selector is immutable, and each component has its own.
    function release.selector(component)
        return { ["app.kubernetes.io/name"] = component.name, ["app.kubernetes.io/part-of"] = self.name }
    end

    function release.labels(component)
        local labels = release.selector(component)
        labels["app.kubernetes.io/managed-by"] = "bkdeploy"
        return labels
    end

    function release.metadata(component, name)
        return { name = name, namespace = namespace, labels = release.labels(component) }
    end

    function release.adopt(objects)
        local list = {}
        for i, object in ipairs(objects) do
            list[i] = object
        end
        return list
    end

    return release
end

local function is_part(value)
    local kind = check.kind(value)
    return kind == "component" or kind == "config" or kind == "secret"
end

--- Lists the components with their objects; configs that are used but not listed go before their
--- first user.
local function build_all(self, list, release)
    local listed, owner, built, order = {}, {}, {}, {}
    for i, part in pairs(list) do
        if not is_part(part) then
            check.fail(self.where, "profile '%s': item %s of its components is %s, not a component", self.name,
                tostring(i), check.show(part))
        elseif owner[part.name] then
            check.fail(part.where, "component '%s' stands twice; the other one is at %s", part.name,
                owner[part.name].where)
        end
        listed[part], owner[part.name] = true, part
    end

    local function add(part)
        if built[part] then
            return
        end
        local made = { name = part.name, origin = part.where, needs = {}, objects = {} }
        local seen = {}
        built[part] = made
        local function uses(value)
            local is_config = check.kind(value) ~= "component"
            if is_config and not value.data then
                return -- made elsewhere
            elseif is_config and owner[value.name] and owner[value.name] ~= value then
                check.fail(value.where, "%s '%s' has the name of the component at %s; give it another one", value.word,
                    value.name, owner[value.name].where)
            elseif not is_config and not listed[value] then
                check.fail(part.where, "component '%s' needs '%s' (%s), which the profile does not list", part.name,
                    value.name, value.where)
            end
            if is_config then
                owner[value.name] = value
                add(value)
            end
            if not seen[value] then
                seen[value] = true
                made.needs[#made.needs + 1] = value.name
            end
        end
        if check.kind(part) ~= "component" then
            made.objects[1] = part.data and config.build(part, release.metadata(part, part.name)) or nil
        else
            made.objects = workload.build(part, release, uses)
        end
        order[#order + 1] = made
    end

    for _, part in ipairs(list) do
        add(part)
    end
    return order
end

local function mark_lists(components)
    local List = { __name = "bk.array" }
    for _, component in ipairs(components) do
        setmetatable(component.needs, List)
        setmetatable(component.objects, List)
    end
    return setmetatable(components, List)
end

--- Called by the program with what the profile returned and the environment of -e (or nil).
function profile.compile(value, environment)
    if check.kind(value) ~= "profile" then
        error(("the profile returns %s; end it with: return bk.profile \"name\" { ... }"):format(check.show(value)), 0)
    end
    local env = choose(value, environment)
    local namespace = namespace_of(value, env)
    local list = value.spec.components
    if type(list) == "function" then
        list = list(env)
        if type(list) ~= "table" then
            check.fail(value.where, "profile '%s': its components function returns %s, not a list", value.name,
                check.show(list))
        end
    end
    local components = build_all(value, list, release_of(value, namespace))
    if value.spec.create_namespace ~= false and namespace ~= "default" then
        table.insert(components, 1, {
            name = "namespace", origin = value.where, needs = {},
            objects = { {
                apiVersion = "v1", kind = "Namespace",
                metadata = { name = namespace, labels = { ["app.kubernetes.io/part-of"] = value.name } },
            } },
        })
    end
    return { name = value.name, environment = env.name, namespace = namespace, components = mark_lists(components) }
end

return profile
