-- Kinds of one's own: CustomResourceDefinitions.

local check = require "bk.check"
local component = require "bk.component"
local ordered = require "bk.ordered"

local custom = {}

local function subdomain(where, what, name)
    if type(name) ~= "string" or #name > 253 or not name:find "^[a-z0-9][a-z0-9.-]*%.[a-z0-9.-]*[a-z0-9]$" then
        check.fail(where, "%s name %s: wants plural.group, e.g. \"lamps.example.com\"", what, check.show(name))
    end
end

local define = component.define("crd", {
    kind = check.text, scope = check.one_of("Namespaced", "Cluster"), singular = check.text,
    short = check.list(check.text), versions = ordered.rule, storage = check.text, columns = check.map,
    status = check.flag, list = check.text, categories = check.list(check.text), ready = component.ready_rule,
}, { "kind", "versions" }, function(self, release)
    local spec, versions = self.spec, {}
    for _, entry in ipairs(ordered.entries(spec.versions)) do
        local name = entry.name
        versions[#versions + 1] = {
            name = name, served = true, storage = name == self.storage, schema = { openAPIV3Schema = entry.value },
            subresources = spec.status and { status = setmetatable({}, { __name = "bk.object" }) } or nil,
            additionalPrinterColumns = spec.columns and spec.columns[name],
        }
    end
    local plural, group = self.name:match "^([^.]+)%.(.+)$"
    return { {
        apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
        metadata = release.cluster_metadata(self, self.name),
        spec = {
            group = group, scope = spec.scope or "Namespaced", versions = versions,
            names = { plural = plural, singular = spec.singular or spec.kind:lower(), kind = spec.kind,
                shortNames = spec.short, listKind = spec.list, categories = spec.categories },
        },
    } }
end, subdomain)

--- bk.crd "lamps.example.com" { kind = "Lamp", versions = { v1 = schema }, storage = "v1", scope, short,
--- singular, list, categories, status = true, columns = { v1 = { ... } }, ready = function(obj) end }: a schema is an
--- openAPIV3Schema, `ready` for all objects of the kind. Resources are crd:resource "name" { spec = { ... } }.
function custom.crd(name)
    local make = define(name)
    return function(spec)
        local self = make(spec)
        local versions = ordered.named(spec.versions)
        local only = next(versions)
        self.storage = spec.storage or only
        self.api_version = name:match "^[^.]+%.(.+)$" .. "/" .. tostring(self.storage)
        if self.is_broken then
            return self
        elseif not only or not versions[self.storage] or not spec.storage and next(versions, only) then
            check.fail_at(self.where, spec, "storage", "crd '%s': storage should name one of its versions", name)
        end
        return self
    end
end

return custom
