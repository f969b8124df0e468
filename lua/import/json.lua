-- JSON values as the program hands them over: lists and maps that are empty carry a mark, null is a value.

local null = require "cjson".null

local json = { null = null }

--- Whether a table is a list; an empty one by its mark only.
function json.is_list(value)
    if type(value) ~= "table" then
        return false
    elseif value[1] ~= nil then
        return true
    end
    local meta = getmetatable(value)
    return type(meta) == "table" and meta.__name == "bk.array" and next(value) == nil
end

function json.is_map(value)
    return type(value) == "table" and not json.is_list(value)
end

--- A map or nothing: what is neither is none.
function json.map(value)
    return json.is_map(value) and value or {}
end

--- A list or nothing.
function json.list(value)
    return json.is_list(value) and value or {}
end

--- Whether two values are the same JSON.
function json.same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
        return a == b
    elseif json.is_list(a) ~= json.is_list(b) or #a ~= #b then
        return false
    end
    for key, value in next, a do
        if not json.same(value, b[key]) then
            return false
        end
    end
    for key in next, b do
        if a[key] == nil then
            return false
        end
    end
    return true
end

--- How much a value says: leaves, and keys on the way. Nulls and what is empty say nothing.
function json.size(value)
    if type(value) ~= "table" then
        return value == json.null and 0 or 1
    elseif next(value) == nil then
        return 0
    end
    local size = 1
    for _, item in next, value do
        size = size + json.size(item)
    end
    return size
end

return json
