-- Volumes of a pod: files from configs and secrets, folders of the node, scratch space and claims.

local check = require "bk.check"
local hash = require "bk.hash"
local host = require "bk.host"
local quantity = require "bk.quantity"

local volume = {}

local Volume = { kind = "volume", what = "a volume" }

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
    return make("hostPath", { path = path, type = type_name or "DirectoryOrCreate" })
end

--- bk.empty_dir() or bk.empty_dir { size = "1Gi", memory = true }: scratch space of the pod.
function volume.empty_dir(spec)
    spec = spec or {}
    check.fields(host.where(), "bk.empty_dir", spec, { size = quantity.rule, memory = check.flag })
    return make("emptyDir", { sizeLimit = spec.size, medium = spec.memory and "Memory" or nil })
end

--- bk.existing_claim "name": a PersistentVolumeClaim made elsewhere.
function volume.existing_claim(name)
    check.name(host.where(), "claim", name)
    return make("persistentVolumeClaim", { claimName = name })
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

volume.rule = check.is("a volume: bk.host_path, bk.empty_dir, bk.existing_claim, bk.nfs, bk.csi or bk.projected",
    "volume")

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
                items = kind == "key" and { { key = part.name, path = part.name, mode = part.bits } } or nil,
            } }
        end
    end
    if #fields > 0 then
        sources[#sources + 1] = { downwardAPI = { items = fields } }
    end
    return sources
end

--- The volumes of one pod, collected while its containers are built.
function volume.collect()
    local self = { volumes = {}, names = {} }

    local function add(name, made)
        name = hash.name((name:lower():gsub("[^%w]+", "-"):gsub("%-+$", "")))
        if not self.names[name] then
            self.names[name] = true
            made.name = name
            self.volumes[#self.volumes + 1] = made
        end
        return name
    end

    --- A config or secret, or a view of one, as a volume. A key with a mode has a volume of its own.
    local function of_source(value)
        local source = value.source or value
        local items = value.bits and value.name
            and { { key = value.name, path = value.name, mode = value.bits } } or nil
        local name = ("%s-%s"):format(source.word, source.name)
        if value.bits then
            name = ("%s-%s%o"):format(name, value.name and value.name .. "-" or "", value.bits)
        end
        local mode = not items and value.bits or nil
        if source.word == "secret" then
            return add(name, { secret = { secretName = source.object, defaultMode = mode, items = items,
                optional = value.is_optional } })
        end
        return add(name, { configMap = { name = source.object, defaultMode = mode, items = items,
            optional = value.is_optional } })
    end

    local function file_mount(where, what, path, value, uses)
        local kind = check.kind(value)
        if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
            check.fail(where, "%s: files: %s is no absolute path", what, check.show(path))
        elseif kind ~= "key" and kind ~= "config" and kind ~= "secret" and kind ~= "files" then
            check.fail(where, "%s: the file %s should come from a config or secret, or a key of one, not %s", what,
                path, check.show(value))
        end
        uses(value.source or value)
        return { name = of_source(value), mountPath = path, readOnly = true,
            subPath = kind == "key" and value.name or nil }
    end

    local function volume_mount(where, what, path, value, uses)
        local wanted = volume.rule(value)
        if wanted then
            check.fail(where, "%s: what is mounted at %s should be %s, not %s", what, path, wanted, check.show(value))
        end
        local fields = value.parts and { sources = projected_sources(value.parts, uses) } or value.fields
        return { name = add(value.source .. path, { [value.source] = fields }), mountPath = path,
            readOnly = value.parts and true or nil }
    end

    --- Mounts of files = { ["/path/file"] = key, ["/path"] = config } and volumes = { ["/path"] = volume }.
    function self.mounts(where, what, spec, uses)
        local mounts = {}
        for path, value in pairs(spec.files or {}) do
            mounts[#mounts + 1] = file_mount(where, what, path, value, uses)
        end
        for path, value in pairs(spec.volumes or {}) do
            mounts[#mounts + 1] = volume_mount(where, what, path, value, uses)
        end
        return mounts
    end

    --- A volume that a claim of the component brings.
    function self.claim(name, claim_name)
        add(name, { persistentVolumeClaim = { claimName = claim_name } })
    end

    return self
end

return volume
