-- Volumes of a pod: files from configs and secrets, folders of the node, scratch space and claims.

local check = require "bk.check"
local component = require "bk.component"
local elsewhere = require "bk.elsewhere"
local hash = require "bk.hash"
local host = require "bk.host"
local mount = require "bk.mount"
local ordered = require "bk.ordered"
local origin = require "bk.origin"
local quantity = require "bk.quantity"
local tables = require "bk.tables"

local volume = {}

local methods = {}
local Volume = { kind = "volume", what = "a volume", __index = methods }

mount.add_methods(methods, function(value)
    return tables.with(value, {})
end)

local function make(source, fields)
    return setmetatable({ source = source, fields = setmetatable(fields, { __name = "bk.object" }) }, Volume)
end

local function absolute(what, path)
    if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
        check.fail(nil, "%s wants an absolute path, not %s", what, check.show(path))
    end
end

--- bk.host_path "/data": a folder of the node, made when it is not there. bk.host_path("/run/x.sock", "Socket"):
--- of another type (kubernetes.io/docs/concepts/storage/volumes/#hostpath).
function volume.host_path(path, type_name)
    absolute("bk.host_path", path)
    local made = make("hostPath", { path = path, type = type_name })
    made.default_type = "DirectoryOrCreate"
    return made
end

--- bk.empty_dir() or bk.empty_dir { size = "1Gi", memory = true }: scratch space of the pod.
function volume.empty_dir(spec)
    spec = spec or {}
    check.fields(host.where(), "bk.empty_dir", spec, { size = quantity.rule, memory = check.flag })
    return make("emptyDir", { sizeLimit = spec.size, medium = spec.memory and "Memory" or nil })
end

--- bk.existing_claim "name": a PersistentVolumeClaim made elsewhere; bk.existing_claim(claim): a bk.claim.
function volume.existing_claim(claim)
    if check.kind(claim) == "component" and claim.word == "claim" then
        local made = make("persistentVolumeClaim", { claimName = component.object_name(claim) })
        made.needs = claim
        return made
    end
    component.check_existing(host.where(), "claim", claim)
    elsewhere.note("PersistentVolumeClaim", claim)
    return make("persistentVolumeClaim", { claimName = claim })
end

--- bk.volume { iscsi = { ... } }: any other, as Kubernetes has it.
function volume.other(fields)
    local source, content = next(type(fields) == "table" and fields or {})
    if type(source) ~= "string" or type(content) ~= "table" or next(fields, source) ~= nil then
        check.fail(nil, "bk.volume wants one source as { iscsi = { ... } }, not %s", check.show(fields))
    end
    return setmetatable({ source = source, fields = content }, Volume)
end

--- bk.nfs { server = "nfs.example.com", path = "/export", read_only = true }
function volume.nfs(spec)
    check.fields(host.where(), "bk.nfs", spec, { server = check.text, path = check.text, read_only = check.flag })
    absolute("bk.nfs", spec.path)
    return make("nfs", { server = spec.server, path = spec.path, readOnly = spec.read_only })
end

--- bk.csi { driver = "name", handle = "id", filesystem, attributes = {}, read_only }: a volume of a CSI driver.
--- `handle` is for a bk.persistent_volume, where it must be given.
function volume.csi(spec)
    check.fields(host.where(), "bk.csi", spec, { driver = check.text, handle = check.text, filesystem = check.text,
        attributes = check.map, read_only = check.flag })
    if not spec.driver then
        check.fail(nil, "bk.csi: no 'driver'")
    end
    return make("csi", { driver = spec.driver, volumeHandle = spec.handle, fsType = spec.filesystem,
        volumeAttributes = spec.attributes, readOnly = spec.read_only })
end

local Token = { kind = "token", what = "a token" }

--- bk.token { path = "token", audience = "vault", expires = "1h" }: the service account's own, for bk.projected.
function volume.token(spec)
    check.fields(host.where(), "bk.token", spec,
        { path = check.text, audience = check.text, expires = quantity.duration })
    return setmetatable({ path = spec.path or "token", audience = spec.audience,
        seconds = spec.expires and quantity.seconds(spec.expires) }, Token)
end

local part_rule = check.is("a config, a secret, a key of one or bk.token", "config", "secret", "files", "key", "token")
local field_rule = check.is("", "field")

--- bk.projected { conf, secret:key "a", bk.token {...}, name = bk.field "metadata.name" }: several sources in one
--- folder; a field of the pod goes to the file of its name.
function volume.projected(parts)
    local where = host.where()
    for name, part in pairs(parts) do
        if type(name) == "number" and part_rule(part) or type(name) == "string" and field_rule(part) then
            check.fail(where, "bk.projected: %s should be %s, or name = bk.field, not %s", tostring(name),
                part_rule(nil), check.show(part))
        end
    end
    return setmetatable({ source = "projected", parts = parts }, Volume)
end

--- projected:mode "0400": the permissions of its files.
function methods.mode(value, mode)
    if not value.parts then
        check.fail(nil, "only the files of a bk.projected have a mode")
    end
    return tables.with(value, { bits = mount.octal(mode) })
end

volume.rule = check.is("a volume: bk.host_path, bk.empty_dir, bk.existing_claim, bk.nfs, bk.csi, bk.projected, "
    .. "bk.volume, or the name of one of the pod", "volume")

local file_kinds = { key = true, config = true, secret = true, files = true }

local function projected_sources(parts, uses)
    local sources, fields = {}, {}
    for name, part in pairs(parts) do
        local kind = check.kind(part)
        if kind == "field" then
            fields[#fields + 1] = { path = name, fieldRef = part.fieldRef, resourceFieldRef = part.resourceFieldRef }
        elseif kind == "token" then
            sources[#sources + 1] = { serviceAccountToken = { path = part.path, audience = part.audience,
                expirationSeconds = part.seconds } }
        else
            local source = part.source or part
            uses(source)
            sources[#sources + 1] = { [source.word == "secret" and "secret" or "configMap"] = {
                name = source.object, optional = part.is_optional,
                items = kind == "key" and { { key = part.name, path = part.name, mode = part.bits } } or part.items,
            } }
        end
    end
    if #fields > 0 then
        sources[#sources + 1] = { downwardAPI = { items = fields } }
    end
    return sources
end

local function same(a, b)
    if type(a) ~= "table" or type(b) ~= "table" then
        return a == b
    end
    for key, value in pairs(a) do
        if not same(value, b[key]) then
            return false
        end
    end
    for key in pairs(b) do
        if a[key] == nil then
            return false
        end
    end
    return true
end

--- The volumes of one pod, collected while its containers are built; `claims` are those of its component.
function volume.collect(release, claims)
    local self = { volumes = {}, made = {}, release = release }

    local function add(where, what, name, made)
        local known = self.made[name]
        if not known then
            made.name = name
            self.made[name] = made
            self.volumes[#self.volumes + 1] = made
        elseif not same(tables.with(made, { name = name }), known) then
            check.fail(where, "%s: two of its volumes are named '%s'", what, name)
        end
        return name
    end

    local function derived(name)
        return hash.name((name:lower():gsub("[^%w]+", "-"):gsub("%-+$", "")))
    end

    --- A config or secret, or a view of one, as a volume. A key with a mode has a volume of its own.
    local function of_source(where, what, value, own_name)
        local source = value.source or value
        local items = value.items
            or value.bits and value.name and { { key = value.name, path = value.name, mode = value.bits } } or nil
        local name = ("%s-%s"):format(source.word, source.name)
        if value.bits then
            name = ("%s-%s%o"):format(name, value.name and value.name .. "-" or "", value.bits)
        end
        for _, item in ipairs(value.items or {}) do
            name = ("%s-%s"):format(name, item.path)
        end
        name = own_name or value.volume_name or derived(name)
        local mode = (value.items or not items) and value.bits or nil
        if source.word == "secret" then
            return add(where, what, name, { secret = { secretName = source.object, defaultMode = mode, items = items,
                optional = value.is_optional } })
        end
        return add(where, what, name, { configMap = { name = source.object, defaultMode = mode, items = items,
            optional = value.is_optional } })
    end

    local function of_volume(where, what, value, uses, name)
        local fields = value.parts and { sources = projected_sources(value.parts, uses), defaultMode = value.bits }
            or value.fields
        if value.default_type and not fields.type then
            fields = tables.with(fields, { type = release.unless_bare(value.default_type) })
        end
        if value.needs then
            uses(value.needs)
        end
        return add(where, what, name, { [value.source] = fields })
    end

    local function file_mount(where, what, entry, uses)
        local path, value = entry.name, entry.value
        local kind = check.kind(value)
        if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
            check.fail_entry(where, entry, "%s: files: %s is no absolute path", what, check.show(path))
        elseif not file_kinds[kind] then
            check.fail_entry(where, entry, "%s: the file %s should come from a config or secret, or a key of one, "
                .. "not %s", what, path, check.show(value))
        end
        uses(value.source or value)
        return mount.build(value, of_source(where, what, value), path, release.unless_bare(true),
            kind == "key" and value.name or nil)
    end

    local function named_mount(where, what, entry)
        local path, value = entry.name, entry.value
        local name = type(value) == "table" and value.volume_name or value
        if not self.made[name] and not claims[name] then
            check.fail_entry(where, entry, "%s: what is mounted at %s should be a volume, or the name of one of its "
                .. "pod_volumes or claims, not '%s'%s", what, path, name,
                check.suggest(name, tables.with(claims, self.made)))
        end
        return mount.build(type(value) == "table" and value or {}, name, path)
    end

    local function volume_mount(where, what, entry, uses)
        local path, value = entry.name, entry.value
        if type(value) == "string" or check.kind(value) == "mount" then
            return named_mount(where, what, entry)
        elseif file_kinds[check.kind(value)] then
            return file_mount(where, what, entry, uses)
        end
        local wanted = volume.rule(value)
        if wanted then
            check.fail_entry(where, entry, "%s: what is mounted at %s should be %s, not %s", what, path, wanted,
                check.show(value))
        end
        local name = value.volume_name or derived(value.source .. path)
        return mount.build(value, of_volume(where, what, value, uses, name), path,
            value.parts and release.unless_bare(true))
    end

    --- Mounts of files = { ["/path/file"] = key, ["/path"] = config } and volumes = { ["/path"] = volume }.
    function self.mounts(where, what, spec, uses)
        local mounts = {}
        for _, entry in ipairs(ordered.entries(spec.files)) do
            mounts[#mounts + 1] = file_mount(where, what, entry, uses)
            origin.from(mounts, #mounts, entry, "value")
        end
        for _, entry in ipairs(ordered.entries(spec.volumes)) do
            mounts[#mounts + 1] = volume_mount(where, what, entry, uses)
            origin.from(mounts, #mounts, entry, "value")
        end
        return mounts
    end

    --- pod_volumes = { name = volume or config }: whether mounted or not. In a list the name of a claim stands for its
    --- volume.
    function self.declare(where, what, given, claim_volume, uses)
        for i, entry in ipairs(ordered.entries(given)) do
            local name, value = entry.name, entry.value
            if not name and type(value) == "string" and claims[value] then
                claim_volume(value)
            elseif not name or not file_kinds[check.kind(value)] and volume.rule(value) then
                check.fail_entry(where, entry, "%s: pod_volumes: %s should be %s, not %s", what,
                    name or "item " .. i, name and volume.rule(nil)
                    or "{ name = volume } or the name of one of its claims", check.show(value))
            elseif file_kinds[check.kind(value)] then
                uses(value.source or value)
                of_source(where, what, value, name)
            else
                of_volume(where, what, value, uses, name)
            end
        end
    end

    --- A volume that a claim of the component brings, which is an entry of its claims.
    function self.claim(name, claim_name, entry)
        local count = #self.volumes
        add(nil, "", name, { persistentVolumeClaim = { claimName = claim_name } })
        if #self.volumes > count then
            origin.from(self.volumes, #self.volumes, entry, "value")
        end
    end

    return self
end

return volume
