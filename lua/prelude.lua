-- Makes the evaluation of a profile repeatable: the same profile gives the same bytes. Lua seeds
-- its hashes and math.random from addresses and the clock; a profile that builds a list with
-- pairs() would come out in another order at each run.

math.randomseed(0)

local next, type, sort = next, type, table.sort
local getmetatable, rawget = getmetatable, rawget
local rank = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
    local ta, tb = type(a), type(b)
    if ta ~= tb then
        return (rank[ta] or 4) < (rank[tb] or 4)
    end
    return (ta == "number" or ta == "string") and a < b
end

--- pairs() in order: numbers, then strings, each ascending; other keys last, as they come.
function pairs(t)
    local meta = getmetatable(t)
    local own = type(meta) == "table" and rawget(meta, "__pairs")
    if own then
        return own(t)
    end
    local keys, n = {}, 0
    for key in next, t do
        n = n + 1
        keys[n] = key
    end
    sort(keys, before)
    local i = 0
    return function()
        repeat
            i = i + 1
            local key = keys[i]
            if key == nil then
                return nil
            end
            local value = t[key]
            if value ~= nil then
                return key, value
            end
        until false
    end, t, nil
end
