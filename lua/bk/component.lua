-- A component as a value: what a profile lists, and what others hold and so need.

local check = require "bk.check"
local env = require "bk.env"
local host = require "bk.host"
local keep = require "bk.keep"
local origin = require "bk.origin"
local patch = require "bk.patch"
local quantity = require "bk.quantity"
local rule = require "bk.rule"
local tables = require "bk.tables"

local component = {}

--- The fields of what component.define() makes, by word.
component.rules = {}

local methods = {}
local Component = { kind = "component", what = "a component" }

--- component.host: the name that its Service has in the namespace; carries the need for it.
function Component.__index(self, key)
    if key ~= "host" then
        return methods[key]
    elseif rawget(self, "is_broken") then
        return env.text(self.name, { self })
    elseif not rawget(self, "service_name") then
        check.fail(nil, "component '%s' has no service, so it has no host; give it ports", self.name)
    end
    return env.text(self.service_name, { self })
end

--- Makes a component of { name, word, where, spec, build, ... }. `build(self, release, uses)` returns
--- its objects and tells `uses` of every config and component that it holds; `fill(self, spec, where)`
--- checks fields and takes them, for those whose fields a site may change.
function component.new(fields)
    return origin.mark(setmetatable(fields, Component))
end

--- Checks the fields of a new component and takes them. One in error makes no objects, where mistakes are collected.
function component.take(self, given)
    local before, stripped = check.count(), check.strip(given)
    if not check.guard(self.fill, self, given, self.where) then
        self.given, self.spec = self.given or {}, rawget(self, "spec") or {}
    end
    self.is_broken = stripped or check.count() > before
    return self
end

local function object_name(value)
    return (type(value) ~= "string" or value == "" or value == "." or value == ".." or value:find "[/%%%c]")
        and "the name of an object" or nil
end

--- Checks the name of an object that is there already: a DNS subdomain (RFC 1123), as most objects may have.
function component.check_existing(where, what, name)
    if type(name) ~= "string" or #name > 253 or not name:find "^[a-z0-9][-.a-z0-9]*$" or not name:find "[a-z0-9]$" then
        check.fail(where, "%s name %s: wants at most 253 of a-z, 0-9, '-' and '.', no '-' or '.' at either end", what,
            check.show(name))
    end
end

local meta_rules = {
    name = object_name, namespace = check.either("a namespace's name, or bk.remove", check.text,
        check.is("", "remove")),
    labels = check.map, annotations = check.map,
}

--- Checks meta = { name, namespace, labels, annotations }: of the objects that a component makes.
function component.check_meta(where, what, meta)
    check.fields(where, what, meta, meta_rules)
end

--- Rule of the name, labels and annotations that a Service, Ingress and the like may have for itself.
component.own_rules = { name = object_name, labels = check.map, annotations = check.map }

--- The name of a component's main object, or of what is named by its name only.
function component.object_name(value)
    local meta = type(value) == "table" and value.spec and value.spec.meta or nil
    return meta and meta.name or type(value) == "table" and value.name or value
end

--- The same, telling `uses` of a component.
function component.use(value, uses)
    if type(value) == "table" then
        uses(value)
    end
    return component.object_name(value)
end

local need = check.is("a component of the profile", "component", "config", "secret")

--- What every component may say of its order: what it needs, what else it comes after (by name, too), and how long a
--- cause of failure must stay.
component.order_rules = {
    needs = check.list(need),
    after = check.list(check.either("a component of the profile or the name of one", check.text, need)),
    grace = quantity.duration,
}

--- Checks the fields that a component has beside what it describes; `rules` are those of their names. Returns them.
function component.take_own(where, what, given, rules)
    local own = {}
    for field, field_rule in pairs(rules) do
        local wanted = given[field] ~= nil and field_rule(given[field])
        if wanted then
            check.fail_at(where, given, field, "%s: '%s' should be %s, not %s", what, field, wanted,
                check.show(given[field]))
        end
        own[field] = given[field]
        origin.from(own, field, given, field)
    end
    return own
end

--- A constructor bk.word "name" { ... } for components without containers. `rules` are those of its
--- fields, `required` lists names, `build` as above.
function component.define(word, rules, required, build, check_name)
    for field, field_rule in pairs(component.order_rules) do
        rules[field] = field_rule
    end
    rules.meta, rules.patch, rules.allow = check.map, patch.rule, rule.allow
    rules.keep, rules.replace = keep.rule, check.flag
    component.rules[word] = rules
    local function fill(self, spec, where)
        local what = ("%s '%s'"):format(word, self.name)
        check.fields(where, what, spec, rules)
        for _, field in ipairs(required) do
            if check.missing(spec, field) then
                check.fail(where, "%s: no '%s'", what, field)
            end
        end
        component.check_meta(where, what .. ": meta", spec.meta or {})
        self.given, self.spec = spec, spec
    end
    local function patched(self, release, uses)
        local objects, spec = build(self, release, uses), self.spec
        local what = ("%s '%s'"):format(word, self.name)
        return spec.patch and patch.apply(self.where, what, spec.patch, objects) or objects
    end
    return function(name)
        local where = host.where();
        (check_name or check.name)(where, word, name)
        return function(spec)
            local self = component.new { name = name, word = word, where = where, fill = fill, build = patched }
            return component.take(self, spec)
        end
    end
end

--- Rule of `ready`: a function of the object on the cluster that returns "Current", "InProgress" or "Failed", and why.
function component.ready_rule(value)
    return type(value) ~= "function" and "a function of the live object" or nil
end

local resource_rules = tables.with(component.order_rules, { ready = component.ready_rule })

--- crd:resource "name" { spec = ..., ready, needs, after, grace }: a custom resource of a bk.crd, which it needs.
function methods.resource(self, name)
    if self.word ~= "crd" then
        check.fail(nil, "component '%s' is no bk.crd, so it has no resources", self.name)
    end
    local where = host.where()
    check.name(where, "resource", name)
    return function(fields)
        if type(fields) ~= "table" then
            check.fail(where, "resource '%s': wants a table { spec = { ... } }, not %s", name, check.show(fields))
        end
        local own = component.take_own(where, ("resource '%s'"):format(name), fields, resource_rules)
        return component.new { name = name, word = "resource", where = where, spec = own,
            is_broken = rawget(self, "is_broken"),
            build = function(made, release, uses)
                uses(self)
                local object = { apiVersion = self.api_version, kind = self.spec.kind,
                    metadata = self.spec.scope == "Cluster" and release.cluster_metadata(made, name)
                        or release.metadata(made, name) }
                for key, value in pairs(fields) do
                    if not resource_rules[key] then
                        object[key] = value
                        origin.from(object, key, fields, key)
                    end
                end
                return { object }
            end }
    end
end

return component
