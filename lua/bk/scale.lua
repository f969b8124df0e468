-- How many: the HorizontalPodAutoscaler and the PodDisruptionBudget of a workload.

local check = require "bk.check"
local component = require "bk.component"
local quantity = require "bk.quantity"
local tables = require "bk.tables"

local scale = {}

local function target(value)
    return type(value) ~= "string" and "a share of the request as \"70%\", or a quantity per pod" or
        not value:find "^%d+%%$" and quantity.rule(value) and "a share of the request as \"70%\", or a quantity per pod"
        or nil
end

local scale_rules = tables.with(component.own_rules, {
    min = check.whole(0), max = check.whole(1), cpu = target, memory = target, metrics = check.list(check.map),
    behavior = check.map,
})
local count = check.either("a number of pods or a share as \"25%\"", check.whole(0), function(value)
    return not (type(value) == "string" and value:find "^%d+%%$") and "a share" or nil
end)
scale.count = count
local disruption_rules = tables.with(component.own_rules, { min_available = count, max_unavailable = count,
    unhealthy = check.one_of("AlwaysAllow", "IfHealthyBudget") })

--- Checks scale = { min, max, cpu = "70%", memory, metrics, behavior } and
--- disruption = { min_available or max_unavailable, unhealthy }.
function scale.check(where, what, spec)
    local wanted, disruption = spec.scale, spec.disruption
    if wanted then
        check.fields(where, what .. ": scale", wanted, scale_rules)
        if check.missing(wanted, "max") then
            check.fail_at(where, spec, "scale", "%s: scale: no 'max'", what)
        elseif wanted.max and (wanted.min or 1) > wanted.max then
            check.fail_at(where, wanted, "min", "%s: scale: min %d is above max %d", what, wanted.min, wanted.max)
        elseif check.missing(wanted, "cpu") and check.missing(wanted, "memory")
            and check.missing(wanted, "metrics") then
            check.fail_at(where, spec, "scale", "%s: scale: by what? give cpu, memory or metrics", what)
        elseif spec.replicas then
            check.fail_at(where, spec, "replicas", "%s: has both replicas and scale; with scale the autoscaler sets "
                .. "the replicas", what)
        end
    end
    if disruption then
        check.fields(where, what .. ": disruption", disruption, disruption_rules)
        if check.missing(disruption, "min_available") == check.missing(disruption, "max_unavailable") then
            check.fail_at(where, spec, "disruption", "%s: disruption: wants either min_available or max_unavailable",
                what)
        end
    end
end

local function resource_metric(name, value)
    local share = value:match "^(%d+)%%$"
    return { type = "Resource", resource = { name = name, target = {
        type = share and "Utilization" or "AverageValue",
        averageUtilization = share and math.tointeger(share), averageValue = not share and value or nil,
    } } }
end

--- The objects of `scale` and `disruption` of a component.
function scale.build(self, release, add)
    local wanted, disruption = self.spec.scale, self.spec.disruption
    local name_of_workload = component.object_name(self)
    if wanted then
        local metrics = {}
        for _, name in ipairs { "cpu", "memory" } do
            metrics[#metrics + 1] = wanted[name] and resource_metric(name, wanted[name])
        end
        for _, metric in ipairs(wanted.metrics or {}) do
            metrics[#metrics + 1] = metric
        end
        add {
            apiVersion = "autoscaling/v2", kind = "HorizontalPodAutoscaler",
            metadata = release.metadata(self, name_of_workload, wanted),
            spec = {
                scaleTargetRef = { apiVersion = "apps/v1", kind = self.word, name = name_of_workload },
                minReplicas = wanted.min or release.unless_bare(1), maxReplicas = wanted.max,
                metrics = metrics, behavior = wanted.behavior,
            },
        }
    end
    if disruption then
        add {
            apiVersion = "policy/v1", kind = "PodDisruptionBudget",
            metadata = release.metadata(self, name_of_workload, disruption),
            spec = {
                minAvailable = disruption.min_available, maxUnavailable = disruption.max_unavailable,
                selector = { matchLabels = release.selector(self) },
                unhealthyPodEvictionPolicy = disruption.unhealthy,
            },
        }
    end
end

return scale
