-- The parts of a profile: each object of the input in the component that says it.

local assembly = require "import.assembly"
local base64 = require "import.base64"
local difference = require "import.difference"
local groups = require "import.groups"
local json = require "import.json"
local names = require "import.names"
local surroundings = require "import.surroundings"
local words = require "import.words"
local workload = require "import.workload"

local parts = {}

-- The maker of parts: what all of it needs.
local function maker(flat, options, around)
    local self = { around = around, taken = {}, index = {}, done = {} }
    for i, entry in ipairs(flat) do
        self.index[entry.object] = i
    end

    function self.part(word, object, fields)
        local name = object.metadata.name
        if word ~= "crd" then -- these have their own: plural.group
            name = names.new(name, object.kind, self.taken, around.release_name)
        end
        return { word = word, name = name, fields = fields,
            index = self.index[object], objects = { object }, suffix = names.suffix(object.kind) }
    end

    function self.keep(part)
        around.parts[#around.parts + 1] = part
        for _, object in ipairs(part.objects) do
            around.note(object, part)
            self.done[object] = true
        end
        return part
    end

    self.options = options
    return self
end

--- The object as it is, but for the profile's labels.
local function raw_part(make, object)
    local fields, metadata = {}, {}
    for key, value in pairs(object) do
        fields[key] = value
    end
    for key, value in pairs(object.metadata) do
        metadata[key] = value
    end
    fields.metadata = metadata
    if make.around.labels then
        metadata.labels = difference.between(make.around.labels, json.map(metadata.labels))
    end
    local part = make.part("raw", object, { fields })
    local result, problem = assembly.attempt(part, part.fields, { object }, make.around.release)
    if not result or result.patch then
        error(("%s %s can't be said as it is: %s"):format(object.kind, object.metadata.name, problem or "labels"), 0)
    end
    return make.keep(assembly.take(part, result))
end

-- A part of these fields, if the language makes the object of it, and `others`; nil else. `said` is the object without
-- the metadata that the fields say already.
local function try_part(make, object, word, fields, others, said)
    if not word then
        return nil
    end
    local part = make.part(word, object, fields)
    local wanted = { object, table.unpack(others or {}) }
    if fields.meta == nil then
        fields.meta = make.around.context(object).meta(said or object, part.name, others)
    end
    local result = assembly.best(part, { fields }, wanted, make.around.release)
    if not result or assembly.is_poor(result.patch, wanted) then
        make.taken[part.name] = nil
        return nil
    end
    part.objects = wanted
    return make.keep(assembly.take(part, result))
end

-- ConfigMaps and Secrets.

local function secret_fields(object)
    local fields = {}
    for key, value in pairs(json.map(object.data)) do
        local text = type(value) == "string" and base64.decode(value)
        if not text or not utf8.len(text) or text:find "[%z\1-\8\11\12\14-\31\127]" then
            return nil
        end
        fields[key] = text
    end
    return fields
end

local function source_part(make, object)
    local is_secret = object.kind == "Secret"
    local is_plain = is_secret and object.stringData ~= nil and object.data == nil
    local fields = object.data
    if is_secret then
        fields = is_plain and object.stringData or secret_fields(object)
    end
    if not json.is_map(fields) then
        return nil
    end
    local part = make.part(is_secret and "secret" or "config", object, fields)
    part.methods = {}
    local function add(name, argument)
        table.insert(part.methods, { name = name, argument = argument })
    end
    if object.immutable == true then
        add "immutable"
    end
    if is_secret and object.type ~= nil then
        add("type", object.type)
    end
    if is_plain then
        add "plain"
    end
    local meta = make.around.context(object).meta(object, part.name)
    if meta then
        add("meta", meta)
    end
    local result = assembly.attempt(part, fields, { object }, make.around.release)
    if not result or result.patch then
        make.taken[part.name] = nil
        return nil
    end
    return make.keep(assembly.take(part, result))
end

-- Workloads.

local function try_workload(make, group, name)
    local object = group.object
    local part = { word = workload.words[object.kind], name = name, index = make.index[object],
        suffix = names.suffix(object.kind) }
    local wanted = { object, table.unpack(workload.others(group)) }
    local good, candidates = pcall(workload.candidates, name, group, make.around.context(object))
    if not good then
        return nil, candidates
    end
    local result, problem = assembly.best(part, candidates, wanted, make.around.release)
    if not result then
        return nil, problem
    end
    part.objects = wanted
    return assembly.take(part, result), problem
end

-- An object of a group whose patch says more than it says itself.
local function poor_one(part, group)
    for _, object in ipairs(workload.others(group)) do
        local kind = object.kind:lower()
        local change = (part.patch or {})[kind .. "/" .. object.metadata.name] or (part.patch or {})[kind]
        if assembly.is_poor(change, object) then
            return object
        end
    end
end

local function workload_part(make, group)
    local name = names.new(group.object.metadata.name, group.object.kind, make.taken, make.around.release_name)
    while true do
        local part = try_workload(make, group, name)
        local others = workload.others(group)
        local poor = part and poor_one(part, group)
        if part and not poor and not assembly.is_poor(part.patch, part.objects) then
            return make.keep(part)
        elseif poor then
            groups.detach(group, poor)
        elseif #others > 0 then
            -- Which of them it is, the language does not say: the last that came to it first.
            groups.detach(group, others[1])
        else
            make.taken[name] = nil
            return nil
        end
    end
end

-- All the rest.

local function custom_part(make, object, crd)
    local fields = {}
    for key, value in pairs(object) do
        fields[key] = value
    end
    fields.kind = nil
    fields.apiVersion = object.apiVersion ~= crd.live.api_version and object.apiVersion or nil
    local plain = { name = object.metadata.name, namespace = not crd.is_cluster and make.around.namespace or nil,
        labels = make.around.labels }
    fields.metadata = not json.same(plain, object.metadata) and object.metadata or nil
    local part = make.part("resource", object, fields)
    part.name, part.of = object.metadata.name, crd
    if not fields.metadata and part.name ~= object.metadata.name then
        return nil
    end
    local result = assembly.attempt(part, fields, { object }, make.around.release)
    if not result or result.patch then
        return nil
    end
    return make.keep(assembly.take(part, result))
end

local function by_kinds(make, objects, kinds)
    for _, kind in ipairs(kinds) do
        for _, object in ipairs(objects) do
            if object.kind == kind and not make.done[object] and groups.is_known(object) then
                local context = make.around.context(object)
                local good, word, fields, said = pcall(words.made[kind], object, context)
                if good then
                    try_part(make, object, word, fields, nil, said)
                end
            end
        end
    end
end

local function rights(make, objects)
    local of, owned = groups.rights(objects, make.around)
    local function make_all(kind)
        for _, object in ipairs(objects) do
            if object.kind == kind and groups.is_known(object) and not make.done[object] then
                local context, mine = make.around.context(object), of[object] or {}
                local good, word, fields = pcall(words.made[kind], object, context,
                    kind == "ServiceAccount" and mine or mine.binding)
                local others = kind == "ServiceAccount" and mine.all or { mine.binding }
                if good and not try_part(make, object, word, fields, others) then
                    good, word, fields = pcall(words.made[kind], object, context)
                    if good then
                        try_part(make, object, word, fields)
                    end
                end
            end
        end
    end
    local bindings = { RoleBinding = true, ClusterRoleBinding = true }
    make_all "ServiceAccount"
    for _, object in ipairs(objects) do
        -- A binding goes with its role, which an account may have taken already.
        if owned[object] and bindings[object.kind] then
            of[object] = {}
        end
    end
    make_all "Role"
    make_all "ClusterRole"
    make_all "RoleBinding"
    make_all "ClusterRoleBinding"
end

local function custom_resources(make, objects)
    local crds = {}
    for _, part in ipairs(make.around.parts) do
        if part.word == "crd" then
            part.is_cluster = part.fields.scope == "Cluster"
            crds[part.live.api_version:match "^[^/]+" .. "|" .. part.fields.kind] = part
        end
    end
    for _, object in ipairs(objects) do
        local crd = crds[(object.apiVersion:match "^(.-)/" or "") .. "|" .. object.kind]
        if crd and not make.done[object] then
            custom_part(make, object, crd)
        end
    end
end

--- The parts of a profile that makes all objects of the input: what is around them, with `parts` in it, and the
--- objects.
--- `is_plain`: without labels and a namespace for all.
function parts.of(flat, options, is_plain)
    local objects = {}
    for i, entry in ipairs(flat) do
        objects[i] = entry.object
    end
    local around = surroundings.of(options.name, objects, is_plain)
    local make = maker(flat, options, around)
    local by_key = {}
    for _, object in ipairs(objects) do
        by_key[object.kind .. "|" .. (surroundings.of_cluster[object.kind] and "" or around.place(object)) .. "|"
            .. object.metadata.name] = object
    end
    function around.object(kind, place, name)
        return by_key[kind .. "|" .. (surroundings.of_cluster[kind] and "" or place) .. "|" .. name]
            or kind:find "^Cluster" and by_key[kind .. "||" .. name] or nil
    end
    local workloads, owned = groups.workloads(objects, around.place)
    -- Workloads have their names before all others.
    for _, group in ipairs(workloads) do
        make.taken[group.object.metadata.name] = true
    end
    for _, object in ipairs(objects) do
        if (object.kind == "ConfigMap" or object.kind == "Secret") and groups.is_known(object) then
            source_part(make, object)
        end
    end
    by_kinds(make, objects, { "Namespace", "StorageClass", "PriorityClass", "PersistentVolume" })
    rights(make, objects)
    local free = {}
    for _, object in ipairs(objects) do
        free[#free + 1] = not owned[object] and object or nil
    end
    by_kinds(make, free, { "PersistentVolumeClaim" })
    for _, group in ipairs(workloads) do
        make.taken[group.object.metadata.name] = nil
        workload_part(make, group)
    end
    by_kinds(make, objects, { "Service", "PersistentVolumeClaim", "Ingress", "NetworkPolicy", "ResourceQuota",
        "LimitRange", "CustomResourceDefinition" })
    custom_resources(make, objects)
    for _, object in ipairs(objects) do
        if not make.done[object] then
            raw_part(make, object)
        end
    end
    table.sort(around.parts, function(a, b)
        return a.index < b.index
    end)
    return around, objects
end

return parts
