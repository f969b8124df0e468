-- Values of an environment and fields of components, as the command line's --set changes them.

local check = require "bk.check"
local origin = require "bk.origin"

local values = {}

local function fail(path, format, ...)
    error(("--set %s: %s"):format(path, format:format(...)), 0)
end

--- The text of --set as a value of the type that it replaces, or nil.
local function typed(text, old)
    if math.type(old) == "integer" then
        return math.tointeger(text)
    elseif type(old) == "number" then
        return tonumber(text)
    elseif type(old) == "boolean" then
        if text == "true" or text == "false" then
            return text == "true"
        end
        return nil
    elseif type(old) == "string" then
        return text
    end
end

local function change(path, map, key, text)
    local old = map[key]
    local new = typed(text, old)
    if type(old) == "table" then
        fail(path, "is %s; set what is in it", check.show(old))
    elseif new == nil then
        fail(path, "'%s' is no %s, which it replaces (%s)", text, math.type(old) == "integer" and "whole number"
            or type(old), check.show(old))
    end
    map[key] = new
    origin.note(map, key, "--set " .. path)
end

local function split(path)
    local keys = {}
    for key in path:gmatch "[^.]+" do
        keys[#keys + 1] = math.tointeger(key) or key
    end
    return keys
end

--- A copy of plain tables, so that a change stays with one evaluation.
function values.copy(value)
    if type(value) ~= "table" or getmetatable(value) then
        return value
    end
    local made = origin.copy({}, value)
    for key, item in pairs(value) do
        made[key] = values.copy(item)
    end
    return made
end

--- A field that may be a function of the environment.
function values.of(field, environment)
    if type(field) == "function" then
        return field(environment)
    end
    return field
end

--- Sets what is a value of the environment; returns the settings that are not, for components.
function values.set_environment(environment, settings)
    local rest = {}
    for _, setting in ipairs(settings) do
        local keys = split(setting.path)
        local map = environment
        if rawget(map, keys[1]) == nil or keys[1] == "name" then
            rest[#rest + 1] = setting
        else
            for i = 1, #keys - 1 do
                local next_map = map[keys[i]]
                if type(next_map) ~= "table" or next_map[keys[i + 1]] == nil then
                    fail(setting.path, "there is no '%s' in %s%s", keys[i + 1], keys[i],
                        type(next_map) == "table" and check.suggest(keys[i + 1], next_map) or "")
                end
                map = next_map
            end
            change(setting.path, map, keys[#keys], setting.text)
        end
    end
    return rest
end

local function names(list, environment)
    local known = {}
    for _, part in ipairs(list) do
        known[part.name] = true
    end
    for name in pairs(environment) do
        known[name] = true
    end
    return known
end

--- A component's field is set through its own check: a field that it has keeps its type.
local function set_field(part, setting, keys)
    local given = values.copy(part.given)
    local map = given
    for i = 2, #keys - 1 do
        if type(map[keys[i]]) ~= "table" then
            fail(setting.path, "component '%s' has no '%s'%s", part.name, keys[i], check.suggest(keys[i], map))
        end
        map = map[keys[i]]
    end
    local key = keys[#keys]
    if map[key] == nil then
        fail(setting.path, "component '%s' sets no '%s', so there is nothing to replace%s", part.name, key,
            check.suggest(key, map))
    end
    change(setting.path, map, key, setting.text)
    part:fill(given, "--set " .. setting.path)
end

--- Sets fields of components: web.replicas.
function values.set_components(list, settings, environment)
    for _, setting in ipairs(settings) do
        local keys, found = split(setting.path), false
        for _, part in ipairs(list) do
            if part.name == keys[1] and part.given and keys[2] then
                found = true
                set_field(part, setting, keys)
            end
        end
        if not found then
            fail(setting.path, "neither a value of environment '%s' nor a field of a component%s", environment.name,
                check.suggest(keys[1], names(list, environment)))
        end
    end
end

return values
