-- Merging: what a site changes in a component's fields, and what a patch changes in an object.

local check = require "bk.check"
local origin = require "bk.origin"

local patch = {}

--- bk.remove: as a value in an override or patch, takes the field away.
patch.remove = setmetatable({}, { kind = "remove", what = "bk.remove" })

local Replace = { kind = "replace", what = "a bk.replace" }

--- bk.replace { ... }: as a value in an override or patch, stands in the place of what is there, and is not merged
--- with it.
function patch.replace(value)
    if type(value) ~= "table" then
        check.fail(nil, "bk.replace wants a table, not %s", check.show(value))
    end
    return setmetatable({ value = value }, Replace)
end

local function is_plain(value)
    return type(value) == "table" and not check.kind(value)
end

local function is_list(value)
    return #value > 0
end

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

--- What is new where nothing was: without what takes away or replaces.
local function fresh(value)
    if check.kind(value) == "replace" then
        return value.value
    elseif not is_plain(value) then
        return value
    end
    local made = origin.copy(setmetatable({}, getmetatable(value)), value)
    for key, item in pairs(value) do
        if item ~= patch.remove then
            made[key] = fresh(item)
        end
    end
    return made
end

--- `base` with `changes` in it, as a new value: maps are merged, lists replaced; lists whose items all
--- have a name of their own (containers, env, ports, volumes) are merged by it, as kubectl's strategic merge does
--- (kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch).
function patch.merge(base, changes)
    if check.kind(changes) == "replace" then
        return changes.value
    end
    if not is_plain(base) or not is_plain(changes) or is_list(base) ~= is_list(changes) and next(base) ~= nil then
        return changes
    end
    local made = origin.copy(setmetatable({}, getmetatable(base)), base)
    for key, value in pairs(base) do
        made[key] = value
    end
    local known = is_list(changes) and names_in(base)
    if is_list(changes) then
        if not known or not names_in(changes) then
            return changes
        end
        for _, item in ipairs(changes) do
            local index = known[item.name] or #made + 1
            made[index] = known[item.name] and patch.merge(made[index], item) or fresh(item)
            origin.from(made, index, item, "name")
        end
        return made
    end
    for key, value in pairs(changes) do
        origin.from(made, key, changes, key)
        if value == patch.remove then
            made[key] = nil
        elseif made[key] == nil then
            made[key] = fresh(value)
        else
            made[key] = patch.merge(made[key], value)
        end
    end
    return made
end

--- Checks patch = { deployment = { ... } } by the kinds that a component may make, or a function. Where it makes
--- several of a kind, ["service/web"] is the one of that name.
function patch.rule(value)
    return type(value) ~= "function" and (type(value) ~= "table" or value[1] ~= nil)
        and "a table { deployment = { ... } } or a function of an object" or nil
end

--- Applies a component's patch to its objects.
function patch.apply(where, what, wanted, objects)
    if type(wanted) == "function" then
        for i, object in ipairs(objects) do
            objects[i] = wanted(object) or object
        end
        return objects
    end
    local kinds = {}
    for i, object in ipairs(objects) do
        local kind = object.kind:lower()
        local one = kind .. "/" .. object.metadata.name
        kinds[kind], kinds[one] = kind, kind
        for _, key in ipairs { kind, one } do
            if wanted[key] then
                objects[i] = patch.merge(objects[i], wanted[key])
            end
        end
    end
    for kind in pairs(wanted) do
        if not kinds[kind] then
            check.fail_at(where, wanted, kind, "%s: patch: it has no %s%s", what, check.show(kind),
                check.suggest(kind, kinds))
        end
    end
    return objects
end

return patch
