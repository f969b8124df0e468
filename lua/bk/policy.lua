-- What a namespace or cluster allows: priorities, quotas, limits; and other namespaces.

local check = require "bk.check"
local component = require "bk.component"
local quantity = require "bk.quantity"

local policy = {}

--- bk.priority_class "name" { value = 1000, default = false, preemption = "Never", description = "text" }
policy.priority_class = component.define("priority class", {
    value = check.whole(-2147483648, 1000000000), default = check.flag, description = check.text,
    preemption = check.one_of("Never", "PreemptLowerPriority"),
}, { "value" }, function(self, release)
    local spec = self.spec
    return { {
        apiVersion = "scheduling.k8s.io/v1", kind = "PriorityClass",
        metadata = release.cluster_metadata(self, component.object_name(self)),
        value = spec.value, globalDefault = spec.default, description = spec.description,
        preemptionPolicy = spec.preemption,
    } }
end)

local function quantities(where, what, map)
    local made = {}
    for name, value in pairs(map) do
        local wanted = quantity.rule(value)
        if wanted then
            check.fail(where, "%s: '%s' should be %s, not %s", what, name, wanted, check.show(value))
        end
        made[name] = tostring(value)
    end
    return made
end

--- bk.quota "name" { hard = { pods = 50, ["requests.cpu"] = "10" }, scopes = { "NotTerminating" } }
policy.quota = component.define("quota", {
    hard = check.map, scopes = check.list(check.text),
}, { "hard" }, function(self, release)
    return { {
        apiVersion = "v1", kind = "ResourceQuota", metadata = release.metadata(self, component.object_name(self)),
        spec = { hard = quantities(self.where, ("quota '%s': hard"):format(self.name), self.spec.hard),
            scopes = self.spec.scopes },
    } }
end)

local limit_fields = { max = check.map, min = check.map, default = check.map, request = check.map, ratio = check.map }

--- bk.limits "name" { container = { default = { cpu = "1" }, request, max, min, ratio }, pod, claim }
policy.limits = component.define("limits", {
    container = check.map, pod = check.map, claim = check.map,
}, {}, function(self, release)
    local list = {}
    local types = { container = "Container", pod = "Pod", claim = "PersistentVolumeClaim" }
    for field, type_name in pairs(types) do
        local given = self.spec[field]
        if given then
            local what = ("limits '%s': %s"):format(self.name, field)
            check.fields(self.where, what, given, limit_fields)
            local function of(name)
                return given[name] and quantities(self.where, what .. "." .. name, given[name])
            end
            list[#list + 1] = {
                type = type_name, max = of "max", min = of "min", default = of "default", defaultRequest = of "request",
                maxLimitRequestRatio = of "ratio",
            }
        end
    end
    return { {
        apiVersion = "v1", kind = "LimitRange", metadata = release.metadata(self, component.object_name(self)),
        spec = { limits = list },
    } }
end)

--- bk.namespace "name" { meta = { labels = {} } }: a namespace beside the profile's own.
policy.namespace = component.define("namespace", {}, {}, function(self, release)
    return { {
        apiVersion = "v1", kind = "Namespace", metadata = release.cluster_metadata(self, component.object_name(self)),
    } }
end)

return policy
