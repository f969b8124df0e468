-- The inverse of a patch: what must be said so that patch.merge(made, difference) is what is wanted.

local expression = require "import.expression"
local json = require "import.json"
local patch = require "bk.patch"

local difference = {}

local between

local function names_in(list)
    local names = {}
    for i, item in ipairs(list) do
        if type(item) ~= "table" or type(item.name) ~= "string" or names[item.name] then
            return nil
        end
        names[item.name] = i
    end
    return names
end

--- Items that are changed, by their names, and those that come after all; nil when lists differ in another way.
local function of_named(made, wanted)
    local known, target = names_in(made), names_in(wanted)
    if not known or not target or #wanted < #made then
        return nil
    end
    local changes = {}
    for i, item in ipairs(wanted) do
        if made[i] and made[i].name ~= item.name then
            return nil
        end
        local change = made[i] and between(made[i], item) or not made[i] and item or nil
        if change and made[i] then
            if expression.kind(change) then
                return nil
            end
            change.name = item.name
        end
        changes[#changes + 1] = change
    end
    return changes
end

local function of_lists(made, wanted)
    if not names_in(made) or not names_in(wanted) or #wanted == 0 then
        return wanted -- replaces by itself
    end
    return of_named(made, wanted) or expression.call("replace", wanted)
end

local function of_maps(made, wanted)
    local changes, removed = {}, 0
    for key, value in pairs(made) do
        if wanted[key] == nil then
            changes[key] = expression.remove
            removed = removed + 1
        else
            changes[key] = between(value, wanted[key])
        end
    end
    for key, value in pairs(wanted) do
        if made[key] == nil then
            changes[key] = value
        end
    end
    if removed > 1 and removed > json.size(wanted) then
        return expression.call("replace", wanted)
    end
    return changes
end

--- An expression of the changes, or nil where there are none.
function between(made, wanted)
    if json.same(made, wanted) then
        return nil
    elseif wanted == json.null then
        return expression.null
    elseif json.is_list(made) and json.is_list(wanted) then
        return of_lists(made, wanted)
    elseif json.is_map(made) and json.is_map(wanted) then
        return of_maps(made, wanted)
    elseif type(made) == "table" and type(wanted) == "table" then
        return expression.call("replace", wanted)
    end
    return wanted
end

--- The same, proven: patch.merge() with it gives what is wanted.
function difference.between(made, wanted)
    local changes = between(made, wanted)
    if changes and not json.same(patch.merge(made, expression.value(changes)), wanted) then
        return expression.call("replace", wanted)
    end
    return changes
end

return difference
