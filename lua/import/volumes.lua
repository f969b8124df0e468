-- Volumes of a pod of the input and where its containers mount them. There are several ways to say the same; each is a
-- plan, from the shortest on, and who asks takes the first that gives the same pod.

local container = require "import.container"
local expression = require "import.expression"
local json = require "import.json"
local volume = require "bk.volume"

local volumes = {}

local call, method = expression.call, expression.method

local function octal(mode)
    return math.type(mode) == "integer" and mode >= 0 and mode <= 511 and ("0%03o"):format(mode) or nil
end

local function items_of(list)
    local made = {}
    for i, item in ipairs(list) do
        made[i] = item.key == item.path and item.key or { [item.path] = item.key }
    end
    return made
end

-- A config or secret as files: all of it, or the keys that are named.
local function of_source(node, given)
    if given.items then
        node = method(node, "only", items_of(given.items))
    end
    local mode = given.defaultMode and octal(given.defaultMode)
    if mode then
        node = method(node, "mode", mode)
    end
    return given.optional == true and method(node, "optional") or node
end

local kinds = {}

function kinds.configMap(given, context)
    local node = context.source("ConfigMap", given.name)
    return node and of_source(node, given)
end

function kinds.secret(given, context)
    local node = context.source("Secret", given.secretName)
    return node and of_source(node, given)
end

function kinds.emptyDir(given)
    local fields = { size = given.sizeLimit, memory = given.medium == "Memory" or nil }
    return next(fields) and call("empty_dir", fields) or call "empty_dir"
end

function kinds.hostPath(given)
    return call("host_path", given.path, given.type)
end

function kinds.persistentVolumeClaim(given, context)
    return call("existing_claim", context.claim(given.claimName) or given.claimName)
end

function kinds.nfs(given)
    return call("nfs", { server = given.server, path = given.path, read_only = given.readOnly })
end

function kinds.csi(given)
    return call("csi", { driver = given.driver, handle = given.volumeHandle, filesystem = given.fsType,
        attributes = given.volumeAttributes, read_only = given.readOnly })
end

local function projected_part(given, parts, context)
    local kind, source = next(given)
    if kind == "serviceAccountToken" then
        parts[#parts + 1] = call("token", { path = source.path ~= "token" and source.path or nil,
            audience = source.audience, expires = container.duration(source.expirationSeconds) })
    elseif kind == "downwardAPI" then
        for _, item in ipairs(source.items) do
            local from = item.fieldRef or item.resourceFieldRef
            parts[item.path] = item.fieldRef and call("field", from.fieldPath, from.apiVersion)
                or call("resource", from.resource, { container = from.containerName, divisor = from.divisor })
        end
    else
        local node = context.source(kind == "secret" and "Secret" or "ConfigMap", source.name)
        parts[#parts + 1] = of_source(node, source)
    end
end

function kinds.projected(given, context)
    local parts = {}
    for _, source in ipairs(given.sources) do
        projected_part(source, parts, context)
    end
    local node = call("projected", parts)
    local mode = given.defaultMode and octal(given.defaultMode)
    return mode and method(node, "mode", mode) or node
end

-- What the language makes of a volume that is declared by its name.
local function made_of(node, name, context)
    local collected = volume.collect(context.release, {})
    collected.declare(nil, "", { { [name] = expression.value(node) } }, nil, function() end)
    return collected.volumes[1]
end

--- The expression of a volume, without its name.
local function volume_node(given, context)
    local fields = {}
    for key, value in pairs(given) do
        fields[key] = key ~= "name" and value or nil
    end
    local kind = next(fields)
    if kind and kinds[kind] and next(fields, kind) == nil then
        local node = container.try(kinds[kind], fields[kind], context)
        local made = node and container.try(made_of, node, given.name, context)
        if made and json.same(made, given) then
            return node
        end
    end
    return call("volume", fields)
end

local function with_view(node, mount)
    if mount.mountPropagation then
        node = method(node, "propagation", mount.mountPropagation)
    end
    if mount.readOnly ~= nil then
        node = method(node, mount.readOnly and "read_only" or "writable")
    end
    return node
end

local function by_name(mount)
    local node = mount.subPath and method(call("mount", mount.name), "sub", mount.subPath) or nil
    if mount.readOnly ~= nil or mount.mountPropagation then
        node = with_view(node or call("mount", mount.name), mount)
    end
    return node or mount.name
end

--- How often each volume is mounted.
local function count_mounts(containers)
    local counts = {}
    for _, one in ipairs(containers) do
        for _, mount in ipairs(json.list(one.volumeMounts)) do
            counts[mount.name] = (counts[mount.name] or 0) + 1
        end
    end
    return counts
end

-- A mount where the volume itself is written, and whether it is one of a config or secret.
local function inline(mount, given, node)
    local source = given.configMap or given.secret
    local is_plain = source and expression.kind(node) ~= "method" and not source.items
    local derived = nil
    if is_plain and mount.subPath and source.optional == nil and source.defaultMode == nil then
        local key = method(node, "key", mount.subPath)
        if container.try(expression.value, key) then
            node, derived = key, true
        end
    end
    if mount.subPath and not derived then
        node = method(node, "sub", mount.subPath)
    end
    return with_view(method(node, "named", mount.name), mount)
end

--- The plans for a pod: `claims` are those of its component, { name = claim }, `templates` whether they are of a
--- StatefulSet. Each plan is { declared, mounts = { [container] = { files, volumes } }, paths = { [claim] = mount } }.
function volumes.plans(pod, containers, claims, templates, context)
    local nodes, given_by_name, order = {}, {}, {}
    for i, given in ipairs(json.list(pod.volumes)) do
        given_by_name[given.name], order[i] = given, given.name
        nodes[given.name] = not claims[given.name] and volume_node(given, context) or nil
    end
    local counts = count_mounts(containers)

    -- Which claims are mounted by their `path`: once, in the main container, after all else.
    local function claim_paths(allowed)
        local paths, mounts = {}, json.list(containers[1].volumeMounts)
        for i = #mounts, 1, -1 do
            local mount = mounts[i]
            local good = allowed and claims[mount.name] and counts[mount.name] == 1 and not mount.mountPropagation
            if not good then
                break
            end
            paths[mount.name] = mount
        end
        return paths
    end

    local function mounts_of(one, paths, is_inline)
        local files, others, all, files_first = {}, {}, {}, true
        for _, mount in ipairs(json.list(one.volumeMounts)) do
            if not paths[mount.name] then
                local given = given_by_name[mount.name]
                local here = is_inline(mount.name)
                local is_file = here and (given.configMap or given.secret) ~= nil
                local entry = { name = mount.mountPath,
                    value = here and inline(mount, given, nodes[mount.name]) or by_name(mount) }
                all[#all + 1] = entry
                local list = is_file and files or others
                files_first = files_first and not (is_file and #others > 0)
                list[#list + 1] = entry
            end
        end
        if not files_first then
            files, others = {}, all
        end
        return { files = #files > 0 and container.ordered(files) or nil,
            volumes = #others > 0 and container.ordered(others) or nil }
    end

    local function plan(declares, with_paths)
        local made = { paths = claim_paths(with_paths), mounts = {} }
        local declared = {}
        local function is_inline(name)
            return nodes[name] ~= nil and not declares(name)
        end
        for _, name in ipairs(order) do
            if nodes[name] and declares(name) then
                declared[#declared + 1] = { name = name, value = nodes[name] }
            elseif claims[name] and not templates and declares(name) then
                declared[#declared + 1] = { value = name }
            end
        end
        made.declared = #declared > 0 and container.ordered(declared) or nil
        for _, one in ipairs(containers) do
            made.mounts[one] = mounts_of(one, made.paths, is_inline)
        end
        return made
    end

    local function shared(name)
        return nodes[name] ~= nil and counts[name] ~= 1
    end
    local function all()
        return true
    end
    return { plan(shared, true), plan(shared, false), plan(all, true), plan(all, false) }
end

return volumes
