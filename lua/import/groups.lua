-- Which objects of the input belong together: a workload with its Services, Ingress, autoscaler, budget, policy and
-- claims; an account with its roles; a role with who has it.

local json = require "import.json"
local words = require "import.words"
local workload = require "import.workload"

local groups = {}

local function is_served(object)
    return object.kind == "Deployment" or object.kind == "StatefulSet" or object.kind == "DaemonSet"
end

-- Whether the language writes this kind in this version.
function groups.is_known(object)
    return words.versions[object.kind] == object.apiVersion
end

local function is_part_of(labels, others)
    for key, value in pairs(labels) do
        if others[key] ~= value then
            return false
        end
    end
    return next(labels) ~= nil
end

-- The one workload of a list for which `fits`, or nil.
local function the_one(workloads, place, fits)
    local found
    for _, group in ipairs(workloads) do
        if group.place == place and fits(group) then
            if found then
                return nil
            end
            found = group
        end
    end
    return found
end

local attach = {}

function attach.Service(object, workloads, place)
    local selector = json.map(json.map(object.spec).selector)
    local group = the_one(workloads, place, function(one)
        return is_served(one.object)
            and is_part_of(selector, json.map(json.map(workload.template(one.object).metadata).labels))
    end)
    if group then
        table.insert(group.services, object)
    end
    return group
end

local function backends(spec)
    local names = {}
    for _, rule in ipairs(json.list(spec.rules)) do
        for _, path in ipairs(json.list(json.map(json.map(rule).http).paths)) do
            names[#names + 1] = json.map(json.map(json.map(path).backend).service).name or false
        end
    end
    if spec.defaultBackend then
        names[#names + 1] = json.map(json.map(spec.defaultBackend).service).name or false
    end
    return names
end

function attach.Ingress(object, workloads, place)
    local names = backends(json.map(object.spec))
    local group = the_one(workloads, place, function(one)
        local own = {}
        for _, service in ipairs(one.services) do
            own[service.metadata.name] = true
        end
        for _, name in ipairs(names) do
            if not own[name] then
                return false
            end
        end
        return #names > 0
    end)
    if group and not group.ingress then
        group.ingress = object
        return group
    end
end

function attach.HorizontalPodAutoscaler(object, workloads, place)
    local target = json.map(json.map(object.spec).scaleTargetRef)
    local group = the_one(workloads, place, function(one)
        return one.object.kind == target.kind and one.object.metadata.name == target.name and target.kind ~= "DaemonSet"
    end)
    if group and not group.autoscaler then
        group.autoscaler = object
        return group
    end
end

local function by_selector(field, of)
    return function(object, workloads, place)
        local selector = json.map(json.map(object.spec)[of])
        local group = the_one(workloads, place, function(one)
            return is_served(one.object) and json.same(json.map(selector.matchLabels), workload.selector(one.object))
        end)
        if group and not group[field] then
            group[field] = object
            return group
        end
    end
end

attach.PodDisruptionBudget = by_selector("budget", "selector")
attach.NetworkPolicy = by_selector("policy", "podSelector")

function attach.PersistentVolumeClaim(object, workloads, place)
    local function mounts(one)
        for _, given in ipairs(json.list(json.map(workload.template(one.object).spec).volumes)) do
            if json.map(json.map(given).persistentVolumeClaim).claimName == object.metadata.name then
                return true
            end
        end
        return false
    end
    local group = the_one(workloads, place, mounts)
    if group and is_served(group.object) and group.object.kind ~= "StatefulSet" then
        group.claims[object.metadata.name] = object
        return group
    end
end

-- In this order: an Ingress is of the workload that has its Services.
local order = { "Service", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
    "PersistentVolumeClaim" }

--- Takes an object out of a group.
function groups.detach(group, object)
    for _, field in ipairs { "ingress", "autoscaler", "budget", "policy" } do
        if group[field] == object then
            group[field] = nil
        end
    end
    for i, service in ipairs(group.services) do
        if service == object then
            table.remove(group.services, i)
            -- An Ingress leads to a Service of the group.
            group.ingress = nil
            break
        end
    end
    if group.claims[object.metadata.name] == object then
        group.claims[object.metadata.name] = nil
    end
end

--- The workloads of the input with what belongs to them, and the objects that belong to none.
function groups.workloads(objects, place_of)
    local workloads, owned = {}, {}
    for _, object in ipairs(objects) do
        if groups.is_known(object) and workload.words[object.kind] then
            workloads[#workloads + 1] = { object = object, place = place_of(object), services = {}, claims = {} }
            owned[object] = true
        end
    end
    for _, kind in ipairs(order) do
        for _, object in ipairs(objects) do
            if object.kind == kind and groups.is_known(object) and not owned[object] then
                owned[object] = attach[kind](object, workloads, place_of(object)) and true or nil
            end
        end
    end
    return workloads, owned
end

local function only_subject(binding, account, place)
    local subjects = json.list(binding.subjects)
    local one = json.map(subjects[1])
    return #subjects == 1 and one.kind == "ServiceAccount" and one.name == account.metadata.name
        and (one.namespace or "default") == place
end

local function binds(binding, role)
    local reference = json.map(binding.roleRef)
    return reference.kind == role.kind and reference.name == role.metadata.name
end

local function same_metadata(a, b)
    return json.same(json.map(a.metadata.labels), json.map(b.metadata.labels))
        and json.same(json.map(a.metadata.annotations), json.map(b.metadata.annotations))
end

--- Roles and accounts with what belongs to them: { [role] = { binding }, [account] = { Role, ClusterRole, all } }, and
--- the objects that are owned so.
function groups.rights(objects, surroundings)
    local of, owned = {}, {}
    for _, role in ipairs(objects) do
        if groups.is_known(role) and (role.kind == "Role" or role.kind == "ClusterRole") then
            local binding = surroundings.object(role.kind .. "Binding", surroundings.place(role), role.metadata.name)
            if binding and groups.is_known(binding) and binds(binding, role) and same_metadata(role, binding) then
                of[role] = { binding = binding }
                owned[binding] = true
            end
        end
    end
    for _, account in ipairs(objects) do
        if groups.is_known(account) and account.kind == "ServiceAccount" then
            local place = surroundings.place(account)
            local mine = { all = {} }
            for _, kind in ipairs { "Role", "ClusterRole" } do
                local role = surroundings.object(kind, place, account.metadata.name)
                local binding = role and of[role] and of[role].binding
                if binding and only_subject(binding, account, place) and same_metadata(role, account) then
                    mine[kind] = role
                    mine.all[#mine.all + 1], mine.all[#mine.all + 2] = role, binding
                end
            end
            of[account] = mine
            for _, object in ipairs(mine.all) do
                owned[object] = true
            end
        end
    end
    return of, owned
end

return groups
