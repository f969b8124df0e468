-- On which nodes pods go: node affinity, anti-affinity, spread.

local check = require "bk.check"
local origin = require "bk.origin"

local placement = {}

placement.rules = {
    node_selector = check.map, affinity = check.map, tolerations = check.list(check.map),
    nodes = check.map, prefer_nodes = check.map,
    apart = check.either("a node label, or { key, required }", check.text, check.map),
    spread = check.either("a node label, { key, max_skew, required }, or a list of constraints as Kubernetes has them",
        check.text, check.map, check.list(check.map)),
}

local label_values = check.either("a value or a list of values", check.text, check.list(check.text))
local apart_rules = { key = check.text, required = check.flag }
local spread_rules = { key = check.text, max_skew = check.whole(1), required = check.flag }

--- Checks nodes = { label = value or { values } }, prefer_nodes, apart, spread.
function placement.check(where, what, spec)
    for _, field in ipairs { "nodes", "prefer_nodes" } do
        for label, values in pairs(spec[field] or {}) do
            if label_values(values) then
                check.fail(where, "%s: %s: '%s' should be %s, not %s", what, field, label, label_values(values),
                    check.show(values))
            end
        end
    end
    for field, rules in pairs { apart = apart_rules, spread = spread_rules } do
        if type(spec[field]) == "table" and not (field == "spread" and spec[field][1]) then
            check.fields(where, ("%s: %s"):format(what, field), spec[field], rules)
            if not spec[field].key then
                check.fail(where, "%s: %s: no 'key', e.g. \"kubernetes.io/hostname\"", what, field)
            end
        end
    end
    if spec.affinity and (spec.nodes or spec.prefer_nodes or spec.apart) then
        check.fail(where, "%s: has affinity beside nodes, prefer_nodes or apart; write one or the other", what)
    end
end

local function expressions(map)
    local list = {}
    for label, values in pairs(map) do
        list[#list + 1] = { key = label, operator = "In", values = type(values) == "table" and values or { values } }
        origin.from(list, #list, map, label)
    end
    return list
end

--- The affinity of a pod spec, or nil.
function placement.affinity(spec, selector)
    if spec.affinity then
        return spec.affinity
    end
    local node, pods
    if spec.nodes or spec.prefer_nodes then
        node = {
            requiredDuringSchedulingIgnoredDuringExecution = spec.nodes and {
                nodeSelectorTerms = { { matchExpressions = expressions(spec.nodes) } },
            },
            preferredDuringSchedulingIgnoredDuringExecution = spec.prefer_nodes and {
                { weight = 100, preference = { matchExpressions = expressions(spec.prefer_nodes) } },
            },
        }
    end
    if spec.apart then
        local wanted = type(spec.apart) == "table" and spec.apart or { key = spec.apart }
        local term = { topologyKey = wanted.key, labelSelector = { matchLabels = selector } }
        pods = wanted.required and { requiredDuringSchedulingIgnoredDuringExecution = { term } }
            or { preferredDuringSchedulingIgnoredDuringExecution = { { weight = 100, podAffinityTerm = term } } }
    end
    return (node or pods) and { nodeAffinity = node, podAntiAffinity = pods } or nil
end

--- The topologySpreadConstraints of a pod spec, or nil.
function placement.spread(spec, selector)
    if not spec.spread then
        return nil
    end
    if type(spec.spread) == "table" and spec.spread[1] then
        return spec.spread
    end
    local wanted = type(spec.spread) == "table" and spec.spread or { key = spec.spread }
    return { {
        topologyKey = wanted.key, maxSkew = wanted.max_skew or 1, labelSelector = { matchLabels = selector },
        whenUnsatisfiable = wanted.required and "DoNotSchedule" or "ScheduleAnyway",
    } }
end

return placement
