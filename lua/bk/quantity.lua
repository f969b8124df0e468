-- Quantities ("500m", "1.5Gi"), their ranges ("500m..2"), and durations ("10s").
-- Source: k8s.io/apimachinery/pkg/api/resource/quantity.go

local check = require "bk.check"
local origin = require "bk.origin"

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

-- Request and limit of "500m..2", "500m..", "..2", "1" and { request = 1, limit = 2 }; false for one that is not there.
local function ends_of(range)
    if type(range) == "table" and not getmetatable(range) then
        return range.request or false, range.limit or false
    end
    local low, high = tostring(range):match "^(.-)%.%.(.*)$"
    if not low then
        return range, range
    end
    return low ~= "" and low, high ~= "" and high
end

--- resources = { cpu = "500m..2", memory = "1Gi", disk = "1Gi..", gpu = "..1" }: request and limit, or one for both,
--- or one of them only. Returns the container's resources. In a bare profile numbers stay numbers.
function quantity.resources(where, what, ranges, release)
    local requests, limits = {}, {}
    local is_bare = release and release.bare
    local function shown(value)
        return is_bare and value or tostring(value)
    end
    for name, range in pairs(ranges) do
        local low, high = ends_of(range)
        local wanted = low and quantity.rule(low) or high and quantity.rule(high)
            or not low and not high and quantity.rule(nil)
        if wanted then
            check.fail_at(where, ranges, name, "%s: resources.%s should be %s, or a range such as 500m..2, not %s",
                what, name, wanted, check.show(range))
        end
        requests[name] = low and shown(low) or nil
        limits[name] = high and shown(high) or nil
        origin.from(requests, name, ranges, name)
        origin.from(limits, name, ranges, name)
    end
    if next(ranges) == nil and not is_bare then
        return { requests = requests, limits = limits }
    end
    return setmetatable({ requests = next(requests) and requests, limits = next(limits) and limits },
        { __name = "bk.object" })
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
