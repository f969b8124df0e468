-- Quantities ("500m", "1.5Gi"), their ranges ("500m..2"), and durations ("10s").
-- Source: k8s.io/apimachinery/pkg/api/resource/quantity.go

local check = require "bk.check"

local quantity = {}

local suffixes = {}
for suffix in ("n u m k M G T P E Ki Mi Gi Ti Pi Ei"):gmatch "%S+" do
    suffixes[suffix] = true
end
suffixes[""] = true

--- Rule: a quantity of Kubernetes, or a number.
function quantity.rule(value)
    if type(value) == "number" then
        return value < 0 and "a quantity such as 500m, 2 or 1.5Gi" or nil
    end
    local number, suffix = tostring(value):match "^([%d.]+)(%a*)$"
    if type(value) ~= "string" or not number or not tonumber(number) or not suffixes[suffix] then
        return "a quantity such as 500m, 2 or 1.5Gi"
    end
end

--- resources = { cpu = "500m..2", memory = "1Gi" }: request and limit, or one for both.
--- Returns the container's resources.
function quantity.resources(where, what, ranges)
    local requests, limits = {}, {}
    for name, range in pairs(ranges) do
        local low, high = tostring(range):match "^(.-)%.%.(.+)$"
        low, high = low or range, high or range
        local wanted = quantity.rule(low) or quantity.rule(high)
        if wanted then
            check.fail(where, "%s: resources.%s should be %s, or a range such as 500m..2, not %s", what, name,
                wanted, check.show(range))
        end
        requests[name], limits[name] = tostring(low), tostring(high)
    end
    return { requests = requests, limits = limits }
end

local units = { s = 1, m = 60, h = 3600 }

--- Seconds of a duration ("10s", "5m", "1h") or of a whole number; nil when it is neither.
function quantity.seconds(value)
    if math.type(value) == "integer" and value >= 0 then
        return value
    end
    local number, unit = tostring(value):match "^(%d+)([smh])$"
    return type(value) == "string" and number and math.tointeger(number) * units[unit] or nil
end

--- Rule: a duration.
function quantity.duration(value)
    return not quantity.seconds(value) and "a duration such as 10s, 5m or 1h" or nil
end

return quantity
