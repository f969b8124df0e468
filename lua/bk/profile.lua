-- The profile: environments, the namespace, and the components in their order.

local check = require "bk.check"
local config = require "bk.config"
local conflict = require "bk.conflict"
local hook = require "bk.hook"
local host = require "bk.host"
local input = require "bk.input"
local keep = require "bk.keep"
local origin = require "bk.origin"
local patch = require "bk.patch"
local quantity = require "bk.quantity"
local rule = require "bk.rule"
local tables = require "bk.tables"
local values = require "bk.values"

local profile = {}

local Profile = { kind = "profile", what = "a profile" }

-- What the components of an evaluation were made from, and the profile that it was of.
local parts = setmetatable({}, { __mode = "k" })
local profiles = setmetatable({}, { __mode = "k" })
local hooks = setmetatable({}, { __mode = "k" })

local function is_function(value)
    return type(value) ~= "function" and "a function" or nil
end

local rules = {
    namespace = check.text, environments = check.map, default = check.text, create_namespace = check.flag,
    bare = check.flag, labels = check.map,
    components = check.either("a list of components, or a function that returns one", is_function,
        check.list(check.any)),
    transform = is_function, rules = rule.list_or_function, allow = rule.allow, conflicts = conflict.rule,
    hooks = hook.rule,
    version = check.either("a version such as 1.2.3, or a function of the environment that returns one", check.text,
        is_function),
    requires = check.either("a list as { \"bkiam ^1.12.0\" }, or a function of the environment that returns one",
        is_function, check.list(check.text)),
}

profile.rules = rules

--- A profile as a value; `derive` makes another one of the same kind, for who extends it.
local function make(fields)
    fields.derive = make
    return setmetatable(fields, Profile)
end

--- bk.profile "name" { components = { ... } or function(env), environments = { name = { values } },
--- default = "dev", namespace = "text", create_namespace = true, labels = {}, bare = false,
--- conflicts = { { kind, field, manager, action = "take" } }, hooks = { before_apply = function(ctx) end },
--- transform = function(object, component) end }
function profile.new(name)
    local where = host.where()
    check.name(where, "profile", name)
    return function(spec)
        local what = ("profile '%s'"):format(name)
        check.fields(where, what, spec, rules)
        if check.missing(spec, "components") then
            check.fail(where, "%s: no components", what)
        elseif spec.components == nil then
            check.again()
        elseif spec.default and not (spec.environments or {})[spec.default] then
            check.fail_at(where, spec, "default", "%s: the default environment '%s' is not one of its environments%s",
                what, spec.default, check.suggest(spec.default, spec.environments or {}))
        end
        for environment, given in pairs(spec.environments or {}) do
            if type(given) ~= "table" or given.cluster ~= nil and check.kind(given.cluster) ~= "cluster" then
                check.fail_at(where, spec.environments, environment,
                    "%s: environment '%s' should be a table { name = value }%s", what, tostring(environment),
                    type(given) == "table" and ", its 'cluster' a bk.cluster" or "")
            end
        end
        return make { name = name, spec = spec, where = where, allowed = spec.allow or {},
            rules = { { spec = spec, where = where } }, conflicts = conflict.read(where, what, spec.conflicts),
            transforms = spec.transform and { { run = spec.transform, where = where } } or {} }
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
    local chosen = { name = name }
    for key, value in pairs(environments[name]) do
        chosen[key] = values.copy(value)
        origin.from(chosen, key, environments[name], key)
    end
    return setmetatable(chosen, { __index = function(_, key)
        check.fail(nil, "environment '%s' has no value '%s'%s", name, tostring(key),
            check.suggest(key, environments[name]))
    end })
end

--- The namespace, and what of it the objects show: all of it, but in a bare profile only one that is written.
local function namespace_of(self, env)
    local written = rawget(env, "namespace") or self.spec.namespace
    local name = written or self.spec.bare and "default"
        or (self.spec.environments and ("%s-%s"):format(self.name, env.name) or self.name)
    check.name(self.where, "namespace", name)
    return name, not self.spec.bare and name or written
end

local is_job = { Job = true, CronJob = true }

--- What components need of the profile ({ name, spec }) around them: labels, metadata, selectors, and whether it is
--- bare.
local function release_of(self, namespace, shown_namespace)
    local release = { namespace = namespace, bare = self.spec.bare }
    local common = self.spec.labels

    --- What an object has though nobody has written it: nothing, in a bare profile.
    function release.unless_bare(value)
        return not release.bare and value or nil
    end

    -- Small and never changed: a selector is immutable, and each component has its own.
    local function default_selector(component)
        if release.bare then
            return is_job[component.word] and {} or { app = component.name }
        end
        return { ["app.kubernetes.io/name"] = component.name, ["app.kubernetes.io/part-of"] = self.name }
    end

    function release.selector(component)
        return tables.with(component.spec and component.spec.selector or default_selector(component), {})
    end

    local function own_labels(component)
        local labels = default_selector(component)
        labels["app.kubernetes.io/managed-by"] = "bkdeploy"
        return labels
    end

    --- The labels of a component's pods.
    function release.labels(component)
        return tables.with(release.bare and {} or own_labels(component), release.selector(component))
    end

    local function metadata_of(component, name, own, own_namespace)
        local meta = component.spec and component.spec.meta or {}
        own = own or {}
        local made = { name = own.name or name, namespace = own_namespace,
            labels = release.bare and {} or own_labels(component) }
        for _, labels in ipairs { common or {}, meta.labels or {}, own.labels or {} } do
            made.labels = patch.merge(made.labels, labels)
        end
        if meta.annotations or own.annotations then
            made.annotations = patch.merge(patch.merge({}, meta.annotations or {}), own.annotations or {})
            made.annotations = next(made.annotations) ~= nil and made.annotations or nil
        end
        made.labels = (next(made.labels) ~= nil or not release.bare) and made.labels or nil
        return made
    end

    --- The metadata of an object; `own` is what it has for itself: { name, labels, annotations }.
    function release.metadata(component, name, own)
        local wanted = component.spec and component.spec.meta and component.spec.meta.namespace or shown_namespace
        return metadata_of(component, name, own, wanted ~= patch.remove and wanted or nil)
    end

    --- For objects that belong to no namespace.
    function release.cluster_metadata(component, name, own)
        return metadata_of(component, name, own)
    end

    --- The namespace that a component's objects go to.
    function release.namespace_of(component)
        return release.metadata(component, "").namespace or namespace
    end

    --- An object that is there already, with the profile's labels.
    function release.labelled(object)
        if not common then
            return object
        end
        local labels = patch.merge(common, object.metadata.labels or {})
        labels = next(labels) ~= nil and labels or nil
        local metadata = tables.with(object.metadata, {})
        metadata.labels = labels
        return tables.with(object, { metadata = metadata })
    end

    return release
end

--- requires = { "bkiam ^1.12.0", "bkpaas ^2.14.0 or bk-apigateway ^1.12.0" } as the program checks it.
local function requirements(self, env)
    local list = values.of(self.spec.requires, env) or {}
    if check.list(check.text)(list) then
        check.fail(self.where, "profile '%s': requires should be a list as { \"bkiam ^1.12.0\" }", self.name)
    end
    local made
    for i, text in ipairs(list) do
        local any = {}
        for part in (text .. " or "):gmatch "(.-) or " do
            local name, range = part:match "^%s*([%a%d][%w_.-]*)%s*(%S*)%s*$"
            if not name or not range:find "^[%^~>]?=?%d[%d.]*$" and range ~= "" then
                check.fail(self.where, "profile '%s': requires: '%s' is not as \"bkiam ^1.12.0\"; ranges are ^1.2.3, "
                    .. "~1.2.3, >=1.2 and 1.2", self.name, part)
            end
            any[#any + 1] = { name = name, range = range }
        end
        made = made or {}
        made[i] = { text = text, origin = self.where, any = any }
    end
    return made
end

local function is_part(value)
    local kind = check.kind(value)
    return kind == "component" or kind == "config" or kind == "secret"
end

-- Holds nothing by itself: who is finished with may go, when memory is short.
local by_part, by_name = { __mode = "k" }, { __mode = "v" }

local function index_parts(self, list)
    local listed, owner, home = setmetatable({}, by_part), setmetatable({}, by_name), {}
    check.strip(list)
    for i, part in pairs(list) do
        if not is_part(part) then
            check.fail(self.where, "profile '%s': item %s of its components is %s, not a component", self.name,
                tostring(i), check.show(part))
        elseif home[part.name] then
            check.fail(part.where, "component '%s' stands twice; the other one is at %s", part.name, home[part.name])
        end
        listed[part], owner[part.name], home[part.name] = true, part, part.where
        if part.replaces then
            listed[part.replaces] = true -- who holds the one that was replaced means this one
        end
    end
    return listed, owner, home
end

--- Names in `made.after` what the component comes after, beside what it needs. One that is written later, or by a site,
--- is given by its name.
local function add_after(made, listed, known)
    local part, seen = parts[made], {}
    local given = part.spec.after
    for _, need in ipairs(made.needs) do
        seen[need] = true
    end
    for i, other in ipairs(given) do
        local name = type(other) == "string" and other or other.name
        if type(other) == "string" and not known[name] then
            check.fail_at(part.where, given, i, "component '%s' comes after '%s', which is no component of the "
                .. "profile%s", part.name, name, check.suggest(name, known))
        elseif type(other) == "table" and not (listed[other] or known[name] and check.kind(other) ~= "component") then
            check.fail_at(part.where, given, i, "component '%s' comes after '%s' (%s), which the profile does not list",
                part.name, name, other.where)
        elseif not seen[name] then
            seen[name] = true
            made.after = made.after or {}
            made.after[#made.after + 1] = name
        end
    end
end

--- The names of the tasks that are to run before a component, by its name: it needs them.
local function tasks_before(list, listed)
    local found = {}
    for _, part in ipairs(list) do
        local spec = check.kind(part) == "component" and not part.is_broken and part.spec
        local before = type(spec) == "table" and spec.before or {}
        for i, later in ipairs(before) do
            check.guard(function()
                if not listed[later] then
                    check.fail_at(part.where, before, i, "task '%s' is to run before '%s' (%s), which the profile does "
                        .. "not list", part.name, later.name, later.where)
                end
                found[later.name] = found[later.name] or {}
                table.insert(found[later.name], part.name)
            end)
        end
    end
    return found
end

--- Lists the components with their objects behind what is in `order`; configs that are used but not listed go before
--- their first user. `take(made, number)` is called for each when it is made, but for those that come after others by
--- their names; what it takes is not needed any more.
local function build_all(self, list, release, order, take)
    local listed, owner, home = index_parts(self, list)
    local built, later, tasks = setmetatable({}, by_part), {}, tasks_before(list, listed)

    local function add(part)
        if built[part] then
            return
        end
        local made = { name = part.name, origin = part.where, needs = {}, objects = {} }
        local seen = {}
        built[part] = made
        local function uses(value, map, key)
            local is_config = check.kind(value) ~= "component"
            if is_config and not value.data then
                return -- made elsewhere
            elseif is_config and home[value.name] and owner[value.name] ~= value then
                check.fail(value.where, "%s '%s' has the name of the component at %s; give it another one", value.word,
                    value.name, home[value.name])
            elseif not is_config and not listed[value] then
                check.fail_at(part.where, map, key, "component '%s' needs '%s' (%s), which the profile does not list",
                    part.name, value.name, value.where)
            end
            if is_config then
                owner[value.name], home[value.name] = value, value.where
                add(value)
            end
            if not seen[value.name] and value.name ~= part.name then
                seen[value.name] = true
                made.needs[#made.needs + 1] = value.name
            end
        end
        if check.kind(part) ~= "component" then
            made.objects[1] = part.data and config.build(part, release) or nil
            made.objects = keep.apply(made.objects, { keep = part.is_kept })
            made.keep = part.is_kept
        elseif not part.is_broken then
            check.guard(function()
                for i, need in ipairs(part.spec.needs or {}) do
                    uses(need, part.spec.needs, i)
                end
                made.objects = keep.apply(part:build(release, uses), part.spec)
                made.keep, made.replace = part.spec.keep, part.spec.replace
                made.grace = part.spec.grace and quantity.seconds(part.spec.grace)
            end)
        end
        for _, task in ipairs(tasks[part.name] or {}) do
            if not seen[task] then
                made.needs[#made.needs + 1] = task
            end
        end
        order[#order + 1] = made
        local spec = not part.is_broken and type(part.spec) == "table" and part.spec or {}
        if spec.after then
            later[#later + 1] = made
        end
        if spec.after or not take(made, #order) or spec.ready then
            parts[made] = part
        end
    end

    for i, part in ipairs(list) do
        add(part)
        list[i] = parts[built[part]]
    end
    local known = {}
    for _, made in ipairs(order) do
        known[made.name] = true
    end
    for _, made in ipairs(later) do
        check.guard(add_after, made, listed, known)
    end
end

--- The site's own functions see every object before it leaves the language.
local function transform(self, components, env)
    for _, step in ipairs(self.transforms) do
        for _, component in ipairs(components) do
            for i, object in ipairs(component.objects) do
                check.guard(function()
                    local made = step.run(object, component.name, env)
                    if made ~= nil and (type(made) ~= "table" or not made.kind) then
                        check.fail(step.where, "transform of %s %s returns %s, not an object", object.kind,
                            object.metadata.name, check.show(made))
                    end
                    component.objects[i] = made or object
                end)
            end
        end
    end
end

profile.release = release_of

local function mark_lists(components)
    local List = { __name = "bk.array" }
    for _, component in ipairs(components) do
        setmetatable(component.needs, List)
        if component.after then
            setmetatable(component.after, List)
        end
        setmetatable(component.objects, List)
    end
    return setmetatable(components, List)
end

local stub_of = {}

--- What is left of objects that were taken: of which kind they are.
local function stubs(objects)
    local made = {}
    for i, object in ipairs(objects) do
        local key = object.apiVersion .. " " .. object.kind
        stub_of[key] = stub_of[key] or { apiVersion = object.apiVersion, kind = object.kind }
        made[i] = stub_of[key]
    end
    return made
end

local function components_of(self, env)
    local list = self.spec.components
    if type(list) == "function" then
        list = list(env)
        if type(list) ~= "table" then
            check.fail(self.where, "profile '%s': its components function returns %s, not a list", self.name,
                check.show(list))
        end
    end
    return list
end

local function makes_namespace(self, namespace)
    local wanted = self.spec.create_namespace
    if self.spec.bare then
        return wanted == true
    end
    return wanted ~= false and namespace ~= "default"
end

local function namespace_object(self, namespace, env)
    local version, labels = values.of(self.spec.version, env), nil
    if version or not self.spec.bare then
        labels = { ["app.kubernetes.io/part-of"] = self.name, ["app.kubernetes.io/version"] = version }
    end
    if self.spec.labels then
        labels = patch.merge(labels or {}, self.spec.labels)
    end
    return { apiVersion = "v1", kind = "Namespace", metadata = { name = namespace, labels = labels } }
end

--- Called by the program with what the profile returned, the environment of -e (or nil) and the settings of
--- --set ({ { path, text } }). `take(component, number)`, if the program gives it, takes a component that is made, so
--- that its objects need not stay; false if it does not want it yet.
function profile.compile(self, environment, settings, take)
    if check.kind(self) ~= "profile" then
        error(("the profile returns %s; end it with: return bk.profile \"name\" { ... }"):format(check.show(self)), 0)
    end
    local env = choose(self, environment)
    local rest = values.set_environment(env, settings)
    local namespace, shown_namespace = namespace_of(self, env)
    local list = components_of(self, env)
    values.set_components(list, rest, env)
    local components = {}
    if makes_namespace(self, namespace) then
        components[1] = {
            name = "namespace", origin = self.where, needs = {}, objects = { namespace_object(self, namespace, env) },
        }
    end
    local is_final = not self.transforms[1]
    build_all(self, list, release_of(self, namespace, shown_namespace), components, function(made, number)
        local taken = take and is_final and take(mark_lists { made }[1], number)
        made.objects = taken and stubs(made.objects) or made.objects
        return taken
    end)
    transform(self, components, env)
    local pin, own_hooks = rawget(env, "cluster"), hook.read(self.rules, env, components)
    input.check_all()
    local made = {
        name = self.name, environment = env.name, namespace = namespace, components = mark_lists(components),
        requires = requirements(self, env), conflicts = self.conflicts[1] and self.conflicts or nil,
        hooks = hook.names(own_hooks),
        pin = pin and { server = pin.server, context = pin.context, uid = pin.uid, origin = pin.where },
    }
    profiles[made], hooks[made] = self, { list = own_hooks, env = env }
    return made
end

-- For who looks at what compile() made (bk.review).

--- What a component of it was made from; for its namespace, which nobody wrote, the component itself.
function profile.part_of(component)
    return parts[component] or { where = component.origin }
end

--- The profile's own rules, and those of the profiles that it extends.
function profile.rules_of(made)
    return rule.all(profiles[made].rules)
end

--- The hooks of the profile and of those that it extends, and the environment that they see.
function profile.hooks_of(made)
    return hooks[made].list, hooks[made].env
end

--- Whether a rule is switched off for a component, by its name, or for all.
function profile.allows(made, name, rule_name)
    local self = profiles[made]
    if self.allowed[rule_name] then
        return true
    end
    for _, component in ipairs(made.components) do
        local part = component.name == name and parts[component]
        if part and type(part.spec) == "table" and type(part.spec.allow) == "table" and part.spec.allow[rule_name] then
            return true
        end
    end
    return false
end

return profile
