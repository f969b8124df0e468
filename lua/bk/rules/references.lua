-- Rules for what is named elsewhere: configs, secrets and their keys, claims, Services, Roles.

local check = require "bk.check"
local elsewhere = require "bk.elsewhere"
local release = require "bk.release"

local below, list = release.below, release.list

local function table_of(value)
    return type(value) == "table" and value or {}
end

local data_fields = { "data", "binaryData", "stringData" }

local function has_key(entry, key)
    for _, field in ipairs(data_fields) do
        if table_of(entry.object[field])[key] ~= nil then
            return true
        end
    end
    return false
end

local function keys_of(entry)
    local keys = {}
    for _, field in ipairs(data_fields) do
        for key in pairs(table_of(entry.object[field])) do
            keys[key] = true
        end
    end
    return keys
end

--- Looks at one reference to a ConfigMap, Secret or PersistentVolumeClaim.
local function look(all, pod, report, path, kind, field, reference, key_fields)
    local name = reference[field]
    if type(name) ~= "string" or reference.optional == true then
        return
    end
    local entry = all:find(kind, name, pod.namespace)
    if not entry then
        if not elsewhere.has(kind, name) then
            local word = kind == "Secret" and "secret" or kind == "ConfigMap" and "config" or "claim"
            report(pod, below(path, field), "there is no %s '%s' in the profile%s; bk.existing_%s \"%s\" says that the "
                .. "cluster has it", kind, name, check.suggest(name, all:names(kind, pod.namespace)), word, name)
        end
        return
    end
    for _, at in ipairs(key_fields) do
        if type(at.key) == "string" and not has_key(entry, at.key) then
            report(pod, below(path, table.unpack(at.path)), "%s '%s' has no key '%s'%s", kind, name, at.key,
                check.suggest(at.key, keys_of(entry)))
        end
    end
end

local function item_keys(source)
    local keys = {}
    for i, item in list(source.items) do
        keys[i] = { key = table_of(item).key, path = { "items", i - 1, "key" } }
    end
    return keys
end

local key_kinds = { configMapKeyRef = "ConfigMap", secretKeyRef = "Secret" }
local source_kinds = { configMapRef = "ConfigMap", secretRef = "Secret" }
local projected_kinds = { configMap = "ConfigMap", secret = "Secret" }

--- Calls each(reference, field, kind) for those of some fields that a value has.
local function references_of(value, kinds, each)
    for field, kind in next, kinds do
        local reference = table_of(value)[field]
        if type(reference) == "table" then
            each(reference, field, kind)
        end
    end
end

local function environment(all, pod, report)
    for _, container in pod:containers() do
        for i, variable in list(container.spec.env) do
            references_of(table_of(variable).valueFrom, key_kinds, function(reference, field, kind)
                look(all, pod, report, below(container.path, "env", i - 1, "valueFrom", field), kind, "name", reference,
                    { { key = reference.key, path = { "key" } } })
            end)
        end
        for i, source in list(container.spec.envFrom) do
            references_of(source, source_kinds, function(reference, field, kind)
                look(all, pod, report, below(container.path, "envFrom", i - 1, field), kind, "name", reference, {})
            end)
        end
    end
end

local volume_kinds = { configMap = "ConfigMap", secret = "Secret", persistentVolumeClaim = "PersistentVolumeClaim" }
local name_fields = { ConfigMap = "name", Secret = "secretName", PersistentVolumeClaim = "claimName" }

local function volumes(all, pod, report)
    for i, volume in list(pod.spec.volumes) do
        references_of(volume, volume_kinds, function(reference, field, kind)
            look(all, pod, report, below(pod.path, "volumes", i - 1, field), kind, name_fields[kind], reference,
                item_keys(reference))
        end)
        for k, source in list(table_of(table_of(volume).projected).sources) do
            references_of(source, projected_kinds, function(reference, field, kind)
                look(all, pod, report, below(pod.path, "volumes", i - 1, "projected", "sources", k - 1, field), kind,
                    "name", reference, item_keys(reference))
            end)
        end
    end
end

local function add_missing(all, entry, report, path, kind, name, namespace)
    -- Of another namespace a profile need not have all.
    if type(name) == "string" and namespace == all.namespace and not all:find(kind, name, namespace) then
        report(entry, path, "there is no %s '%s' in the profile%s", kind, name,
            check.suggest(name, all:names(kind, namespace)))
    end
end

return {
    { name = "missing-reference", severity = "error", whole = true,
        doc = "configs, secrets, their keys and claims that pods read are in the profile, or said to be there already",
        check = function(all, report)
            for pod in all:pods() do
                environment(all, pod, report)
                volumes(all, pod, report)
            end
        end },
    { name = "missing-service", severity = "error", whole = true,
        doc = "the Service that gives a StatefulSet's pods their names is in the profile",
        check = function(all, report)
            for entry in all:each "StatefulSet" do
                add_missing(all, entry, report, { "spec", "serviceName" }, "Service",
                    table_of(entry.object.spec).serviceName, entry.namespace)
            end
        end },
    { name = "missing-role", severity = "error", whole = true,
        doc = "the Role that a RoleBinding gives is in the profile",
        check = function(all, report)
            for entry in all:each "RoleBinding" do
                local role = table_of(entry.object.roleRef)
                if role.kind == "Role" then
                    add_missing(all, entry, report, { "roleRef", "name" }, "Role", role.name, entry.namespace)
                end
            end
        end },
    { name = "scale-target", severity = "error", whole = true, doc = "what an autoscaler scales is in the profile",
        check = function(all, report)
            for entry in all:each "HorizontalPodAutoscaler" do
                local target = table_of(table_of(entry.object.spec).scaleTargetRef)
                if all.by_kind[target.kind] or target.kind == "Deployment" or target.kind == "StatefulSet" then
                    add_missing(all, entry, report, { "spec", "scaleTargetRef", "name" }, target.kind, target.name,
                        entry.namespace)
                end
            end
        end },
}
