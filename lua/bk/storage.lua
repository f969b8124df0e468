-- Volumes of a pod: files from configs and secrets, folders of the node, scratch space and claims.

local check = require "bk.check"
local host = require "bk.host"
local quantity = require "bk.quantity"

local storage = {}

local Volume = { kind = "volume", what = "a volume" }

--- bk.host_path "/data": a folder of the node, made when it is not there.
function storage.host_path(path)
    if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
        check.fail(nil, "bk.host_path wants an absolute path, not %s", check.show(path))
    end
    return setmetatable({ hostPath = { path = path, type = "DirectoryOrCreate" } }, Volume)
end

--- bk.empty_dir() or bk.empty_dir { size = "1Gi", memory = true }: scratch space of the pod.
function storage.empty_dir(spec)
    check.fields(host.where(), "bk.empty_dir", spec or {}, { size = quantity.rule, memory = check.flag })
    spec = spec or {}
    local made = { sizeLimit = spec.size, medium = spec.memory and "Memory" or nil }
    return setmetatable({ emptyDir = setmetatable(made, { __name = "bk.object" }) }, Volume)
end

--- bk.existing_claim "name": a PersistentVolumeClaim made elsewhere.
function storage.existing_claim(name)
    check.name(host.where(), "claim", name)
    return setmetatable({ persistentVolumeClaim = { claimName = name } }, Volume)
end

storage.rule = check.is("a volume: bk.host_path, bk.empty_dir or bk.existing_claim", "volume")

local claim_rules = {
    size = quantity.rule, path = check.text, class = check.text,
    modes = check.list(check.one_of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")),
}

--- Checks claims = { data = { size, path, class, modes } }.
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
function storage.claim_spec(claim)
    return {
        accessModes = claim.modes or { "ReadWriteOnce" },
        storageClassName = claim.class,
        resources = { requests = { storage = tostring(claim.size) } },
    }
end

--- The volumes of one pod, collected while its containers are built.
function storage.collect()
    local self = { volumes = {}, names = {} }

    local function add(name, volume)
        if not self.names[name] then
            self.names[name] = true
            volume.name = name
            self.volumes[#self.volumes + 1] = volume
        end
        return name
    end

    local function of_source(source)
        if source.word == "secret" then
            return add("secret-" .. source.name, { secret = { secretName = source.name } })
        end
        return add("config-" .. source.name, { configMap = { name = source.name } })
    end

    --- Mounts of files = { ["/path/file"] = key, ["/path"] = config } and volumes = { ["/path"] = volume }.
    function self.mounts(where, what, spec, uses)
        local mounts = {}
        for path, value in pairs(spec.files or {}) do
            local kind = check.kind(value)
            if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
                check.fail(where, "%s: files: %s is no absolute path", what, check.show(path))
            elseif kind == "key" then
                uses(value.source)
                mounts[#mounts + 1] = {
                    name = of_source(value.source), mountPath = path, subPath = value.name, readOnly = true,
                }
            elseif kind == "config" or kind == "secret" then
                uses(value)
                mounts[#mounts + 1] = { name = of_source(value), mountPath = path, readOnly = true }
            else
                check.fail(where, "%s: the file %s should come from a config or secret, or a key of one, not %s",
                    what, path, check.show(value))
            end
        end
        for path, value in pairs(spec.volumes or {}) do
            local wanted = storage.rule(value)
            if wanted then
                check.fail(where, "%s: what is mounted at %s should be %s, not %s", what, path, wanted,
                    check.show(value))
            end
            local source, kind = next(value)
            local name = ("%s%s"):format(source:lower(), path:gsub("[^%w]+", "-"):gsub("%-$", "")):sub(1, 63):lower()
            mounts[#mounts + 1] = { name = add(name, { [source] = kind }), mountPath = path }
        end
        return mounts
    end

    --- A volume that a claim of the component brings.
    function self.claim(name, claim_name)
        add(name, { persistentVolumeClaim = { claimName = claim_name } })
    end

    return self
end

return storage
