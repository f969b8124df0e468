-- Storage that outlives pods: claims, and for sites without a provisioner volumes and classes.
-- kubernetes.io/docs/concepts/storage/persistent-volumes/

local check = require "bk.check"
local component = require "bk.component"
local quantity = require "bk.quantity"

local storage = {}

local modes = check.list(check.one_of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"))
local is_class = check.either("a bk.storage_class or the name of one", check.text, function(value)
    return check.kind(value) ~= "component" or value.word ~= "storage class" or nil
end)
local is_volume = check.either("a bk.persistent_volume or the name of one", check.text, function(value)
    return check.kind(value) ~= "component" or value.word ~= "persistent volume" or nil
end)

local function name_of(value)
    return type(value) == "table" and value.name or value
end

local claim_rules = {
    size = quantity.rule, path = check.text, class = is_class, modes = modes, volume = is_volume,
    read_only = check.flag,
    selector = check.map,
}

--- Checks claims = { data = { size, path, class, modes, volume, selector, read_only } }.
function storage.check_claims(where, what, claims)
    for name, claim in pairs(claims) do
        check.name(where, what .. ": claim", name)
        local of = ("%s: claim '%s'"):format(what, name)
        check.fields(where, of, claim, claim_rules)
        for _, field in ipairs { "size", "path" } do
            if claim[field] == nil then
                check.fail(where, "%s: no '%s'", of, field)
            end
        end
    end
end

--- The spec of a claim, for a claim template or a claim of its own.
function storage.claim_spec(claim, uses)
    for _, value in pairs { claim.class or false, claim.volume or false } do
        if type(value) == "table" then
            uses(value)
        end
    end
    return {
        accessModes = claim.modes or { "ReadWriteOnce" },
        storageClassName = name_of(claim.class), volumeName = name_of(claim.volume),
        selector = claim.selector and { matchLabels = claim.selector },
        resources = { requests = { storage = tostring(claim.size) } },
    }
end

--- bk.storage_class "fast" { provisioner = "csi.example.com", parameters, reclaim = "Retain", binding =
--- "WaitForFirstConsumer", expansion = true, default = true }; without a provisioner for bk.persistent_volume.
storage.storage_class = component.define("storage class", {
    provisioner = check.text, parameters = check.map, reclaim = check.one_of("Delete", "Retain"),
    binding = check.one_of("Immediate", "WaitForFirstConsumer"), expansion = check.flag, default = check.flag,
}, {}, function(self, release)
    local spec, metadata = self.spec, release.cluster_metadata(self, self.name)
    metadata.annotations = spec.default ~= nil
        and { ["storageclass.kubernetes.io/is-default-class"] = tostring(spec.default) } or nil
    return { {
        apiVersion = "storage.k8s.io/v1", kind = "StorageClass", metadata = metadata,
        provisioner = spec.provisioner or "kubernetes.io/no-provisioner", parameters = spec.parameters,
        reclaimPolicy = spec.reclaim, volumeBindingMode = spec.binding, allowVolumeExpansion = spec.expansion,
    } }
end)

local function source_rule(value)
    local source = check.kind(value) == "volume" and value.source
    return source ~= "hostPath" and source ~= "nfs" and source ~= "csi"
        and "where it lies: bk.host_path, bk.nfs or bk.csi" or nil
end

--- bk.persistent_volume "name" { size, source = bk.nfs {...}, class, modes, reclaim = "Retain", nodes =
--- { ["kubernetes.io/hostname"] = "node-1" }, labels, mount_options }
storage.persistent_volume = component.define("persistent volume", {
    size = quantity.rule, source = source_rule, class = is_class, modes = modes, nodes = check.map,
    reclaim = check.one_of("Retain", "Delete", "Recycle"), labels = check.map, mount_options = check.list(check.text),
}, { "size", "source" }, function(self, release, uses)
    local spec, metadata = self.spec, release.cluster_metadata(self, self.name)
    if type(spec.class) == "table" then
        uses(spec.class)
    end
    for key, value in pairs(spec.labels or {}) do
        metadata.labels[key] = value
    end
    local expressions
    for label, values in pairs(spec.nodes or {}) do
        expressions = expressions or {}
        expressions[#expressions + 1] = { key = label, operator = "In",
            values = type(values) == "table" and values or { values } }
    end
    return { {
        apiVersion = "v1", kind = "PersistentVolume", metadata = metadata,
        spec = {
            capacity = { storage = tostring(spec.size) }, accessModes = spec.modes or { "ReadWriteOnce" },
            persistentVolumeReclaimPolicy = spec.reclaim or "Retain", storageClassName = name_of(spec.class),
            mountOptions = spec.mount_options, [spec.source.source] = spec.source.fields,
            nodeAffinity = expressions and {
                required = { nodeSelectorTerms = { { matchExpressions = expressions } } },
            },
        },
    } }
end)

return storage
