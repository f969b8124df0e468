-- Merging: what a site changes in a component's fields, and what a patch changes in an object.

local check = require "bk.check"

local patch = {}

--- bk.remove: as a value in an override or patch, takes the field away.
patch.remove = setmetatable({}, { kind = "remove", what = "bk.remove" })

local function is_plain(value)
    return type(value) == "table" and not check.kind(value)
end

local function is_list(value)
    return #value > 0
end

local function names_in(list)
    local names = {}
    for i, item in ipairs(list) do
        if type(item) ~= "table" or type(item.name) ~= "string" then
            return nil
        end
        names[item.name] = i
    end
    return names
end

--- `base` with `changes` in it, as a new value: maps are merged, lists replaced; lists whose items all
--- have a name (containers, env, ports, volumes) are merged by it, as kubectl's strategic merge does
--- (kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch).
function patch.merge(base, changes)
    if not is_plain(base) or not is_plain(changes) or is_list(base) ~= is_list(changes) and next(base) ~= nil then
        return changes
    end
    local made = setmetatable({}, getmetatable(base))
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
            made[index] = known[item.name] and patch.merge(made[index], item) or item
        end
        return made
    end
    for key, value in pairs(changes) do
        if value == patch.remove then
            made[key] = nil
        elseif made[key] == nil then
            made[key] = value
        else
            made[key] = patch.merge(made[key], value)
        end
    end
    return made
end

--- Checks patch = { deployment = { ... } } by the kinds that a component may make, or a function.
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
        kinds[kind] = true
        if wanted[kind] then
            objects[i] = patch.merge(object, wanted[kind])
        end
    end
    for kind in pairs(wanted) do
        if not kinds[kind] then
            check.fail(where, "%s: patch: it has no %s%s", what, check.show(kind), check.suggest(kind, kinds))
        end
    end
    return objects
end

return patch
