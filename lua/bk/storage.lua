-- Storage that outlives pods: claims, and for sites without a provisioner volumes and classes.
-- kubernetes.io/docs/concepts/storage/persistent-volumes/

local check = require "bk.check"
local component = require "bk.component"
local keep = require "bk.keep"
local ordered = require "bk.ordered"
local origin = require "bk.origin"
local quantity = require "bk.quantity"
local tables = require "bk.tables"

local storage = {}

local modes = check.list(check.one_of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"))
local is_class = check.either("a bk.storage_class or the name of one", check.text, function(value)
    return check.kind(value) ~= "component" or value.word ~= "storage class" or nil
end)
local is_volume = check.either("a bk.persistent_volume or the name of one", check.text, function(value)
    return check.kind(value) ~= "component" or value.word ~= "persistent volume" or nil
end)

local claim_rules = {
    size = quantity.rule, class = is_class, modes = modes, volume = is_volume, selector = check.map,
    volume_mode = check.one_of("Filesystem", "Block"),
}
local own_claim_rules = tables.with(tables.with(claim_rules, component.own_rules), {
    path = check.text, read_only = check.flag, sub = check.text, keep = keep.rule,
})

--- The names of volumes that containers mount by their names.
local function mounted_names(spec)
    local found = {}
    for _, list in ipairs { { spec }, spec.containers or {}, spec.init or {}, spec.sidecars or {} } do
        for _, one in ipairs(list) do
            for _, entry in ipairs(ordered.entries(one.volumes)) do
                local name = check.kind(entry.value) == "mount" and entry.value.volume_name or entry.value
                found[name] = true
            end
        end
    end
    return found
end

--- Checks claims = { data = { size, path, class, modes, volume, selector, volume_mode, read_only, sub, keep, name,
--- labels, annotations } } of a component that is of that kind.
function storage.check_claims(where, what, spec, kind)
    local mounted = mounted_names(spec)
    local claims = ordered.named(spec.claims)
    for name, claim in pairs(claims) do
        local at = origin.line(claims, name) or where
        check.name(at, what .. ": claim", name)
        local of = ("%s: claim '%s'"):format(what, name)
        check.fields(at, of, claim, own_claim_rules)
        for _, field in ipairs { "size", "path" } do
            if check.missing(claim, field) and not (field == "path" and mounted[name]) then
                check.fail(at, "%s: no '%s'", of, field)
            end
        end
        if kind == "StatefulSet" and claim.keep ~= nil then
            check.fail_at(at, claim, "keep", "%s: 'keep' is not for the claims of a StatefulSet, which makes them "
                .. "itself; say keep_claims = { deleted = true } of the component", of)
        end
    end
end

--- The spec of a claim, for a claim template or a claim of its own.
function storage.claim_spec(claim, release, uses)
    return {
        accessModes = claim.modes or release.unless_bare { "ReadWriteOnce" },
        storageClassName = component.use(claim.class, uses), volumeName = component.use(claim.volume, uses),
        selector = claim.selector and { matchLabels = claim.selector }, volumeMode = claim.volume_mode,
        resources = { requests = { storage = tostring(claim.size) } },
    }
end

--- bk.claim "name" { size, class, modes, volume, selector, volume_mode }: a PersistentVolumeClaim that several
--- components mount, by bk.existing_claim(claim).
storage.claim = component.define("claim", claim_rules, { "size" }, function(self, release, uses)
    return { {
        apiVersion = "v1", kind = "PersistentVolumeClaim",
        metadata = release.metadata(self, component.object_name(self)),
        spec = storage.claim_spec(self.spec, release, uses),
    } }
end)

--- bk.storage_class "fast" { provisioner = "csi.example.com", parameters, reclaim = "Retain", binding =
--- "WaitForFirstConsumer", expansion = true, default = true }; without a provisioner for bk.persistent_volume.
storage.storage_class = component.define("storage class", {
    provisioner = check.text, parameters = check.map, reclaim = check.one_of("Delete", "Retain"),
    binding = check.one_of("Immediate", "WaitForFirstConsumer"), expansion = check.flag, default = check.flag,
    mount_options = check.list(check.text),
}, {}, function(self, release)
    local spec, metadata = self.spec, release.cluster_metadata(self, component.object_name(self))
    if spec.default ~= nil then
        metadata.annotations = tables.with(metadata.annotations or {},
            { ["storageclass.kubernetes.io/is-default-class"] = tostring(spec.default) })
    end
    return { {
        apiVersion = "storage.k8s.io/v1", kind = "StorageClass", metadata = metadata,
        provisioner = spec.provisioner or "kubernetes.io/no-provisioner", parameters = spec.parameters,
        reclaimPolicy = spec.reclaim, volumeBindingMode = spec.binding, allowVolumeExpansion = spec.expansion,
        mountOptions = spec.mount_options,
    } }
end)

local function source_rule(value)
    local source = check.kind(value) == "volume" and value.source
    return (not source or source == "emptyDir" or source == "persistentVolumeClaim" or source == "projected")
        and "where it lies: bk.host_path, bk.nfs, bk.csi or bk.volume" or nil
end

--- bk.persistent_volume "name" { size, source = bk.nfs {...}, class, modes, reclaim = "Retain", nodes =
--- { ["kubernetes.io/hostname"] = "node-1" }, labels, mount_options, volume_mode }
storage.persistent_volume = component.define("persistent volume", {
    size = quantity.rule, source = source_rule, class = is_class, modes = modes, nodes = check.map,
    reclaim = check.one_of("Retain", "Delete", "Recycle"), labels = check.map, mount_options = check.list(check.text),
    volume_mode = check.one_of("Filesystem", "Block"),
}, { "size", "source" }, function(self, release, uses)
    local spec = self.spec
    local metadata = release.cluster_metadata(self, component.object_name(self), { labels = spec.labels })
    local fields = spec.source.fields
    if spec.source.default_type and not fields.type then
        fields = tables.with(fields, { type = release.unless_bare(spec.source.default_type) })
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
            capacity = { storage = tostring(spec.size) },
            accessModes = spec.modes or release.unless_bare { "ReadWriteOnce" },
            persistentVolumeReclaimPolicy = spec.reclaim or release.unless_bare "Retain",
            storageClassName = component.use(spec.class, uses), volumeMode = spec.volume_mode,
            mountOptions = spec.mount_options, [spec.source.source] = fields,
            nodeAffinity = expressions and {
                required = { nodeSelectorTerms = { { matchExpressions = expressions } } },
            },
        },
    } }
end)

return storage
