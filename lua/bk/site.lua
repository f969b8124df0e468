-- Sites: a profile that takes another one and changes what is different there; and the cluster that an
-- environment belongs to.

local check = require "bk.check"
local conflict = require "bk.conflict"
local hook = require "bk.hook"
local host = require "bk.host"
local origin = require "bk.origin"
local patch = require "bk.patch"
local rule = require "bk.rule"
local tables = require "bk.tables"
local values = require "bk.values"

local site = {}

local Cluster = { kind = "cluster", what = "a bk.cluster" }

--- bk.cluster { server = "https://...", context = "site-a-*", uid = "..." }: what the cluster must be, as the
--- `cluster` of an environment. `uid` is that of the namespace kube-system.
function site.cluster(spec)
    local where = host.where()
    check.fields(where, "bk.cluster", spec, { server = check.text, context = check.text, uid = check.text })
    if not next(spec) then
        check.fail(where, "bk.cluster: wants server, context or uid")
    end
    return setmetatable({ server = spec.server, context = spec.context, uid = spec.uid, where = where }, Cluster)
end

local function list_or_function(value)
    return type(value) ~= "function" and (type(value) ~= "table" or next(value) ~= nil and not value[1])
        and "a list of components, or a function of the environment that returns one" or nil
end

local rules = {
    name = check.text, namespace = check.text, create_namespace = check.flag, environments = check.map,
    default = check.text, images = check.map, remove = check.list(check.text), replace = check.map,
    override = check.either("a table { component = { field = value } }, or a function that returns one", check.map,
        function(value)
            return type(value) ~= "function" or nil
        end),
    add = list_or_function, rules = rule.list_or_function, allow = rule.allow, conflicts = conflict.rule,
    hooks = hook.rule,
    transform = function(value)
        return type(value) ~= "function" and "a function of an object" or nil
    end,
}

site.rules = rules

local own_names = { namespace = true, cluster = true }

--- A value of a site is one that the base knows, of its type.
local function check_value(where, base, from, known, name, own, key)
    local old, value = known[key], own[key]
    if own_names[key] or not from then
        return
    elseif old == nil then
        check.fail_at(where, own, key, "environment '%s': profile '%s' has no value '%s' in '%s'%s", name, base.name,
            tostring(key), from, check.suggest(key, known))
    elseif type(old) ~= type(value) then
        check.fail_at(where, own, key, "environment '%s': '%s' should be a %s as in '%s', not %s", name, key, type(old),
            from, check.show(value))
    end
end

--- The environments of a site: each takes the values of the base's environment that it names.
local function environments_of(where, base, given)
    if not given then
        return base.spec.environments
    end
    local known, made = base.spec.environments or {}, {}
    for name, own in pairs(given) do
        if type(own) ~= "table" then
            check.fail_at(where, given, name, "environment '%s' should be a table { name = value }, not %s",
                tostring(name), check.show(own))
        end
        local from = own.base or (known[name] and name) or base.spec.default
        if from and not known[from] then
            check.fail_at(where, own, "base", "environment '%s': its base '%s' is none of profile '%s'%s", name, from,
                base.name, check.suggest(from, known))
        end
        made[name] = {}
        for key, value in pairs(from and known[from] or {}) do
            made[name][key] = value
            origin.from(made[name], key, known[from], key)
        end
        for key, value in pairs(own) do
            if key ~= "base" then
                check_value(where, base, from, made[name], name, own, key)
                made[name][key] = value
                origin.from(made[name], key, own, key)
            end
        end
    end
    return made
end

-- `key` is that of the site's `map` by which the component is named.
local function index_of(where, list, name, doing, map, key)
    local known = {}
    for i, part in ipairs(list) do
        if part.name == name then
            return i
        end
        known[part.name] = true
    end
    check.fail_at(where, map, key, "%s: the profile that is extended has no component '%s'%s", doing, tostring(name),
        check.suggest(tostring(name), known))
end

local function change(where, spec, list, env)
    for i, name in ipairs(spec.remove or {}) do
        table.remove(list, index_of(where, list, name, "remove", spec.remove, i))
    end
    for name, part in pairs(spec.replace or {}) do
        local index = index_of(where, list, name, "replace", spec.replace, name)
        if check.kind(part) ~= "component" or part.name ~= name then
            check.fail_at(where, spec.replace, name, "replace: '%s' should be a component of that name, not %s", name,
                check.show(part))
        end
        part.replaces = list[index]
        list[index] = part
    end
    local override = values.of(spec.override, env) or {}
    for name, fields in pairs(override) do
        local part = list[index_of(where, list, name, "override", override, name)]
        if not part.given then
            check.fail_at(where, override, name, "override: '%s' is %s, which has no fields to override; replace it",
                name, check.show(part))
        elseif type(fields) ~= "table" then
            check.fail_at(where, override, name, "override: '%s' should be a table { field = value }, not %s", name,
                check.show(fields))
        end
        part:fill(patch.merge(part.given, fields), where)
    end
    for _, part in ipairs(values.of(spec.add, env) or {}) do
        list[#list + 1] = part
    end
    return list
end

local function pod_spec(object)
    local spec = type(object.spec) == "table" and object.spec or {}
    local job = object.kind == "CronJob" and type(spec.jobTemplate) == "table" and spec.jobTemplate.spec or spec
    return type(job) == "table" and type(job.template) == "table" and job.template.spec
        or object.kind == "Pod" and spec or nil
end

--- images = { ["hub.example.com/"] = "registry.site/" }: the longest beginning that fits is replaced.
local function rewrite_images(images)
    return function(object)
        local spec = pod_spec(object)
        for _, field in ipairs { "initContainers", "containers" } do
            for _, container in ipairs(type(spec) == "table" and spec[field] or {}) do
                local best = ""
                for from in pairs(images) do
                    if #from > #best and container.image:sub(1, #from) == from then
                        best = from
                    end
                end
                if images[best] then
                    container.image = images[best] .. container.image:sub(#best + 1)
                    origin.last(container, "image", images, best)
                end
            end
        end
    end
end

--- bk.extend "bklog" { environments, images, override, replace, remove, add, transform, conflicts, hooks, name,
--- namespace, default }: the profile in the folder of that name, beside this one's folder or beside one of the two
--- folders around it, with changes.
function site.extend(name)
    local where = host.where()
    check.name(where, "profile", name)
    local base = host.extend(name)
    if check.kind(base) ~= "profile" then
        check.fail(where, "bk.extend '%s': that profile returns %s", name, check.show(base))
    end
    return function(spec)
        check.fields(where, ("bk.extend '%s'"):format(name), spec, rules)
        local transforms = { table.unpack(base.transforms) }
        for from, to in pairs(spec.images or {}) do
            if type(from) ~= "string" or type(to) ~= "string" or from == "" then
                check.fail_at(where, spec.images, from, "images: wants { [\"hub.example.com/\"] = \"registry.site/\" }")
            end
        end
        transforms[#transforms + 1] = spec.images and { run = rewrite_images(spec.images), where = where } or nil
        transforms[#transforms + 1] = spec.transform and { run = spec.transform, where = where } or nil
        local environments = environments_of(where, base, spec.environments)
        local default = spec.default or base.spec.default
        if not environments or not environments[default] then
            default = spec.default
        end
        local own_rules = { table.unpack(base.rules) }
        own_rules[#own_rules + 1] = { spec = spec, where = where }
        local conflicts = conflict.read(where, ("bk.extend '%s'"):format(name), spec.conflicts)
        table.move(base.conflicts, 1, #base.conflicts, #conflicts + 1, conflicts) -- the site's own go first
        return base.derive {
            rules = own_rules, allowed = tables.with(base.allowed, spec.allow or {}),
            name = spec.name or base.name, where = where, transforms = transforms, conflicts = conflicts,
            spec = {
                namespace = spec.namespace or base.spec.namespace, environments = environments, default = default,
                version = base.spec.version, requires = base.spec.requires, bare = base.spec.bare,
                labels = base.spec.labels,
                create_namespace = spec.create_namespace == nil and base.spec.create_namespace or spec.create_namespace,
                components = function(env)
                    return change(where, spec, { table.unpack(values.of(base.spec.components, env)) }, env)
                end,
            },
        }
    end
end

return site
