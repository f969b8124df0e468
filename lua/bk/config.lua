-- ConfigMaps and Secrets as values: a component that reads one holds it, and a key that it does not
-- have can't be named.

local check = require "bk.check"
local hash = require "bk.hash"
local host = require "bk.host"
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

local function octal(mode)
    if type(mode) ~= "string" or not mode:find "^0?[0-7][0-7][0-7]$" then
        check.fail(nil, "mode wants permissions such as '0400', not %s", check.show(mode))
    end
    return tonumber(mode, 8)
end

--- key:mode "0400": as a file with these permissions. key:optional(): may be missing.
function Key:mode(mode)
    return tables.with(self, { bits = octal(mode) })
end

function Key:optional()
    return tables.with(self, { is_optional = true })
end

Files.mode, Files.optional = Key.mode, Key.optional

local methods = { key = key_of }

--- source:mode "0400": all its keys as files with these permissions.
function methods.mode(source, mode)
    return setmetatable({ source = source, bits = octal(mode) }, Files)
end

--- source:optional(): may be missing.
function methods.optional(source)
    return setmetatable({ source = source, is_optional = true }, Files)
end

--- source:immutable(): its content can't be changed any more, which spares the kubelets their watches.
function methods.immutable(source)
    source.is_immutable = true
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
    source.object = hash.name(source.name .. "-" .. hash.of(table.concat(parts)))
    return source
end

local metas = {
    config = { kind = "config", what = "a config", __index = methods },
    secret = { kind = "secret", what = "a secret", __index = methods },
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
        check.name(where, word, name)
        if existing then
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
function config.build(value, metadata)
    local data = value.data
    if value.object ~= value.name then
        metadata.labels["bkdeploy/content-of"] = value.name -- by which its earlier contents are found
    end
    if value.word == "secret" then
        data = {}
        for key, text in pairs(value.data) do
            data[key] = type(text) == "table" and text or host.base64(text)
        end
        local is_tls = data["tls.crt"] and data["tls.key"]
        return {
            apiVersion = "v1", kind = "Secret", metadata = metadata, data = data, immutable = value.is_immutable,
            type = is_tls and "kubernetes.io/tls" or "Opaque",
        }
    end
    return { apiVersion = "v1", kind = "ConfigMap", metadata = metadata, data = data, immutable = value.is_immutable }
end

return config
