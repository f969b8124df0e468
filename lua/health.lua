-- What health scripts of Argo CD find beside the libraries of Lua 5.4: the names of Lua 5.1 that they are written for,
-- and its only kind of number, which prints 3, never 3.0.
local format, tostring_ = string.format, tostring

local function whole(value)
    return math.type(value) == "float" and value % 1 == 0 and math.tointeger(value) or value
end

unpack = table.unpack
loadstring = load

function tostring(value)
    return tostring_(whole(value))
end

function string.format(text, ...)
    local values, at = table.pack(...), 0
    for letter in text:gmatch "%%[-+ #0-9.]*([%a%%])" do
        at = letter ~= "%" and at + 1 or at
        local value = values[at]
        if letter == "s" then
            values[at] = whole(value)
        elseif letter:find "[dixXuc]" and math.type(value) == "float" then
            values[at] = math.tointeger(value < 0 and math.ceil(value) or math.floor(value)) or value
        end
    end
    return format(text, table.unpack(values, 1, values.n))
end

function table.getn(list)
    return #list
end

function table.maxn(list)
    local most = 0
    for key in next, list do
        most = type(key) == "number" and key > most and key or most
    end
    return most
end

function table.foreach(map, call)
    for key, value in pairs(map) do
        local result = call(key, value)
        if result ~= nil then
            return result
        end
    end
end

function table.foreachi(list, call)
    for i, value in ipairs(list) do
        local result = call(i, value)
        if result ~= nil then
            return result
        end
    end
end

string.gfind = string.gmatch
math.mod = math.fmod

function math.pow(base, exponent)
    return whole(base ^ exponent)
end

function math.log10(value)
    return math.log(value, 10)
end
