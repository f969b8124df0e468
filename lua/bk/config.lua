-- ConfigMaps and Secrets as values: a component that reads one holds it, and a key that it does not
-- have can't be named.

local check = require "bk.check"
local elsewhere = require "bk.elsewhere"
local hash = require "bk.hash"
local component = require "bk.component"
local host = require "bk.host"
local mount = require "bk.mount"
local origin = require "bk.origin"
local ordered = require "bk.ordered"
local tables = require "bk.tables"

local config = {}

local Key = { kind = "key", what = "a key of a config or secret" }
local Files = { kind = "files", what = "a config or secret as files" }
Key.__index = Key
Files.__index = Files

local function key_of(source, name)
    if source.data and source.data[name] == nil then
        check.fail(nil, "%s '%s': no key '%s'%s", source.word, source.name, tostring(name),
            check.suggest(name, source.data))
    end
    return setmetatable({ source = source, name = name }, Key)
end

--- key:mode "0400": as a file with these permissions. key:optional(): may be missing.
function Key:mode(mode)
    return tables.with(self, { bits = mount.octal(mode) })
end

function Key:optional()
    return tables.with(self, { is_optional = true })
end

Files.mode, Files.optional = Key.mode, Key.optional

local function copy(view)
    return tables.with(view, {})
end

mount.add_methods(Key, copy)
mount.add_methods(Files, copy)

local methods = { key = key_of }

mount.add_methods(methods, function(source)
    return setmetatable({ source = source }, Files)
end)

--- source:mode "0400": all its keys as files with these permissions.
function methods.mode(source, mode)
    return setmetatable({ source = source, bits = mount.octal(mode) }, Files)
end

--- source:optional(): may be missing.
function methods.optional(source)
    return setmetatable({ source = source, is_optional = true }, Files)
end

--- source:only { "a", ["b.yaml"] = "b" }: these keys as files, under names of their own where they have one.
function methods.only(source, given)
    local items = {}
    if ordered.rule_unnamed(given) then
        check.fail(nil, ":only wants { \"key\", ... } or { [\"file\"] = \"key\" }, not %s", check.show(given))
    end
    for i, entry in ipairs(ordered.entries(given)) do
        local key = entry.value
        if check.text(key) == nil then
            key = key_of(source, key)
        elseif check.kind(key) ~= "key" or key.source ~= source then
            check.fail(nil, ":only: item %d should be a key of it, not %s", i, check.show(key))
        end
        items[i] = { key = key.name, path = entry.name or key.name, mode = key.bits }
    end
    return setmetatable({ source = source, items = items }, Files)
end

--- source:prefix "APP_": as variables (env_from), whose names begin so.
function methods.prefix(source, prefix)
    if check.text(prefix) then
        check.fail(nil, ":prefix wants a string, not %s", check.show(prefix))
    end
    return setmetatable({ source = source, variable_prefix = prefix }, Files)
end

Files.prefix = function(view, prefix)
    return tables.with(view, { variable_prefix = prefix })
end

--- source:meta { name, namespace, labels, annotations }: of the object.
function methods.meta(source, meta)
    component.check_meta(host.where(), ("%s '%s': meta"):format(source.word, source.name), meta)
    source.spec = { meta = meta }
    source.object = meta.name or source.object
    return source
end

--- source:immutable(): its content can't be changed any more, which spares the kubelets their watches.
function methods.immutable(source)
    source.is_immutable = true
    return source
end

--- source:keep(): the object stays on the cluster when the profile no longer has it.
function methods.keep(source)
    source.is_kept = true
    return source
end

--- source:hashed(): named by its content, so that a change is a new object and rolls out its users; pods of
--- the old ones keep what they began with. Earlier objects go when the rollout is over.
function methods.hashed(source)
    if not source.data then
        check.fail(nil, "%s '%s' is made elsewhere, so its name can't follow its content", source.word, source.name)
    end
    local parts = {}
    for key, text in pairs(source.data) do
        if type(text) == "table" then
            check.fail(nil, "%s '%s': '%s' is generated, so its name can't follow its content", source.word,
                source.name, key)
        end
        parts[#parts + 1] = ("%d:%s%d:%s"):format(#key, key, #text, text)
    end
    source.object = hash.name(source.object .. "-" .. hash.of(table.concat(parts)))
    source.is_hashed = true
    return source
end

local secret_methods = tables.with(methods, {})

--- secret:type "kubernetes.io/dockerconfigjson"
function secret_methods.type(source, name)
    if check.text(name) then
        check.fail(nil, ":type wants a string, not %s", check.show(name))
    end
    source.type_name = name
    return source
end

--- secret:plain(): sent as stringData, which the server turns into data; a later apply finds that it differs.
function secret_methods.plain(source)
    source.is_plain = true
    return source
end

local metas = {
    config = { kind = "config", what = "a config", __index = methods },
    secret = { kind = "secret", what = "a secret", __index = secret_methods },
}

--- The text of a value; what is secret or to be generated has its place in a secret only.
local function text_of(where, what, word, key, value)
    local kind = check.kind(value)
    if kind == "sealed" or kind == "generated" then
        if word ~= "secret" then
            check.fail(where, "%s: '%s' is %s, which belongs into a bk.secret", what, key, check.show(value))
        end
        return kind == "sealed" and value.text or value
    elseif kind == "text" then
        return value.value
    elseif check.scalar(value) then
        check.fail(where, "%s: '%s' should be %s", what, key, check.scalar(value))
    end
    value = tostring(value)
    if word == "config" and not check.is_text(value) then
        check.fail(where, "%s: '%s' is not text (UTF-8, no NUL); put bytes into a bk.secret, or write them as "
            .. "bk.base64", what, key)
    end
    return value
end

local function constructor(word, existing)
    return function(name)
        local where = host.where()
        local check_name = existing and component.check_existing or check.name
        check_name(where, word, name)
        if existing then
            elsewhere.note(word == "secret" and "Secret" or "ConfigMap", name)
            return setmetatable({ word = word, name = name, object = name, where = where }, metas[word])
        end
        return function(data)
            local what = ("%s '%s'"):format(word, name)
            if type(data) ~= "table" then
                check.fail(where, "%s: wants a table { key = value }, not %s", what, check.show(data))
            end
            local texts = {}
            for key, value in pairs(data) do
                if type(key) ~= "string" or not key:find "^[-._%w]+$" then
                    check.fail(where, "%s: %s is no key; keys are of letters, digits, '-', '_' and '.'", what,
                        check.show(key))
                end
                texts[key] = text_of(where, what, word, key, value)
                origin.from(texts, key, data, key)
            end
            return setmetatable({ word = word, name = name, object = name, where = where, data = texts }, metas[word])
        end
    end
end

--- bk.config "name" { key = text }: a ConfigMap. bk.existing_config "name": one that is there already.
config.config = constructor "config"
config.existing_config = constructor("config", true)
--- bk.secret "name" { key = text }: a Secret. bk.existing_secret "name": one made elsewhere.
config.secret = constructor "secret"
config.existing_secret = constructor("secret", true)

config.is_source = check.is("a bk.config or bk.secret", "config", "secret")

--- The object of a config or secret. Secrets are written as `data`: with `stringData`, which the
--- server turns into data, a second apply would find a difference.
function config.build(value, release)
    local data, metadata = value.data, release.metadata(value, value.object)
    if value.is_hashed then
        metadata.labels = metadata.labels or {}
        metadata.labels["bkdeploy/content-of"] = value.name -- by which its earlier contents are found
    end
    if value.word == "secret" then
        data = {}
        for key, text in pairs(value.data) do
            data[key] = (value.is_plain or type(text) == "table") and text or host.base64(text)
            origin.from(data, key, value.data, key)
        end
        local is_tls = data["tls.crt"] and data["tls.key"]
        return {
            apiVersion = "v1", kind = "Secret", metadata = metadata, immutable = value.is_immutable,
            [value.is_plain and "stringData" or "data"] = data,
            type = value.type_name or release.unless_bare(is_tls and "kubernetes.io/tls" or "Opaque"),
        }
    end
    return { apiVersion = "v1", kind = "ConfigMap", metadata = metadata, data = data, immutable = value.is_immutable }
end

return config
