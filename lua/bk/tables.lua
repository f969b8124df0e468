-- Tables as values.

local tables = {}

--- A copy of `base` with the fields of `more` in it, and its metatable.
function tables.with(base, more)
    local made = {}
    for name, value in pairs(base) do
        made[name] = value
    end
    for name, value in pairs(more) do
        made[name] = value
    end
    return setmetatable(made, getmetatable(base))
end

return tables
