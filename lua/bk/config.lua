-- ConfigMaps and Secrets as values: a component that reads one holds it, and a key that it does not
-- have can't be named.

local check = require "bk.check"
local host = require "bk.host"

local config = {}

local Key = { kind = "key", what = "a key of a config or secret" }

local function key_of(source, name)
    if source.data and source.data[name] == nil then
        check.fail(nil, "%s '%s': no key '%s'%s", source.word, source.name, tostring(name),
            check.suggest(name, source.data))
    end
    return setmetatable({ source = source, name = name }, Key)
end

local methods = { key = key_of }
local metas = {
    config = { kind = "config", what = "a config", __index = methods },
    secret = { kind = "secret", what = "a secret", __index = methods },
}

local function constructor(word, existing)
    return function(name)
        local where = host.where()
        check.name(where, word, name)
        if existing then
            return setmetatable({ word = word, name = name, where = where }, metas[word])
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
                elseif check.scalar(value) then
                    check.fail(where, "%s: '%s' should be %s", what, key, check.scalar(value))
                end
                texts[key] = tostring(value)
            end
            return setmetatable({ word = word, name = name, where = where, data = texts }, metas[word])
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

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- Base64 (RFC 4648) of bytes.
function config.base64(text)
    local out = {}
    for i = 1, #text, 3 do
        local a, b, c = text:byte(i, i + 2)
        local bits = a << 16 | (b or 0) << 8 | (c or 0)
        for k = 0, 3 do
            local digit = bits >> (18 - 6 * k) & 63
            out[#out + 1] = (k < 2 or k == 2 and b or k == 3 and c) and alphabet:sub(digit + 1, digit + 1) or "="
        end
    end
    return table.concat(out)
end

--- The object of a config or secret. Secrets are written as `data`: with `stringData`, which the
--- server turns into data, a second apply would find a difference.
function config.build(value, metadata)
    local data = value.data
    if value.word == "secret" then
        data = {}
        for key, text in pairs(value.data) do
            data[key] = config.base64(text)
        end
        return { apiVersion = "v1", kind = "Secret", metadata = metadata, type = "Opaque", data = data }
    end
    return { apiVersion = "v1", kind = "ConfigMap", metadata = metadata, data = data }
end

return config
