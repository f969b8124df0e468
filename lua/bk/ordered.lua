-- Maps that may have an order: { a = 1, b = 2 } goes by the names, { { b = 2 }, { a = 1 } } as it is written.

local check = require "bk.check"
local origin = require "bk.origin"

local ordered = {}

local function is_map(value)
    return type(value) == "table" and value[1] == nil and not getmetatable(value)
end

--- The entries of such a map, in order: { { name =, value = }, ... }. What stands in a list without a name has none.
function ordered.entries(value)
    local entries = {}
    local function add(map)
        for name, item in pairs(map) do
            local entry = { name = name, value = item }
            entries[#entries + 1] = origin.from(origin.from(entry, "value", map, name), "name", map, name)
        end
    end
    if not value or value[1] == nil then
        add(value or {})
        return entries
    end
    for i, item in ipairs(value) do
        if is_map(item) then
            add(item)
        else
            entries[#entries + 1] = origin.from({ value = item }, "value", value, i)
        end
    end
    return entries
end

--- Its values by name; what has no name is left out.
function ordered.named(value)
    local named = {}
    for _, entry in ipairs(ordered.entries(value)) do
        if entry.name then
            named[entry.name] = entry.value
            origin.from(named, entry.name, entry, "value")
        end
    end
    return named
end

--- Rule: a map, or a list of maps.
function ordered.rule(value)
    local wanted = "a table { name = value }, or a list of such in an order"
    if type(value) ~= "table" or check.kind(value) then
        return wanted
    end
    for i, item in pairs(value) do
        if type(i) == "number" and not is_map(item) or value[1] ~= nil and type(i) ~= "number" then
            return wanted
        end
    end
end

--- Rule: the same, whose list may also hold values without a name.
function ordered.rule_unnamed(value)
    if type(value) ~= "table" or check.kind(value) then
        return "a table { name = value }, or a list"
    end
    for i in pairs(value) do
        if value[1] ~= nil and type(i) ~= "number" then
            return "a table { name = value }, or a list, not both in one"
        end
    end
end

return ordered
