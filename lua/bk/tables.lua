-- Tables as values.

local origin = require "bk.origin"

local tables = {}

--- A copy of `base` with the fields of `more` in it, and its metatable.
function tables.with(base, more)
    local made = {}
    for name, value in pairs(base) do
        made[name] = value
    end
    for name, value in pairs(more) do
        made[name] = value
        origin.from(made, name, more, name)
    end
    return setmetatable(origin.copy(made, base), getmetatable(base))
end

return tables
