-- Values of Secrets that nobody has to think of: made at the first apply, and kept from then on.

local check = require "bk.check"
local host = require "bk.host"
local tables = require "bk.tables"

local generate = {}

local Generated = { kind = "generated", what = "a generated value" }

local default_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

--- bk.generated() or bk.generated { length = 24, alphabet = "0123456789abcdef" }: a password.
function generate.password(spec)
    local where = host.where()
    spec = spec or {}
    check.fields(where, "bk.generated", spec, { length = check.whole(1, 4096), alphabet = check.text })
    local alphabet = spec.alphabet or default_alphabet
    if #alphabet < 2 or #alphabet > 256 or alphabet:find "[^\x20-\x7e]" then
        check.fail(where, "bk.generated: the alphabet wants 2 to 256 printable ASCII characters")
    end
    return setmetatable({ generate = "password", length = spec.length or 24, alphabet = alphabet }, Generated)
end

local pairs_made = 0

local function parts(kind, names, fields)
    local made = {}
    pairs_made = pairs_made + 1
    for key, part in pairs(names) do
        local value = { generate = kind, part = part, pair = tostring(pairs_made) }
        made[key] = setmetatable(tables.with(fields, value), Generated)
    end
    return made
end

local bits = check.whole(2048, 8192)

--- bk.rsa_pair() or bk.rsa_pair { bits = 4096 }: { private, public }, PEM, for the keys of one bk.secret.
function generate.rsa_pair(spec)
    spec = spec or {}
    check.fields(host.where(), "bk.rsa_pair", spec, { bits = bits })
    return parts("rsa", { private = "private", public = "public" }, { bits = spec.bits or 2048 })
end

--- bk.tls_pair { names = { "a.example.com" }, days = 3650, bits = 2048 }: a key with a certificate that it signed
--- itself, as { ["tls.crt"], ["tls.key"] }: bk.secret "cert" (bk.tls_pair { ... }).
function generate.tls_pair(spec)
    local where = host.where()
    check.fields(where, "bk.tls_pair", spec,
        { names = check.list(check.text), days = check.whole(1, 36500), bits = bits })
    if not (spec.names and spec.names[1]) then
        check.fail(where, "bk.tls_pair: no 'names', e.g. names = { \"a.example.com\" }")
    end
    for _, name in ipairs(spec.names) do
        if not name:find "^[%w*.:-]+$" then
            check.fail(where, "bk.tls_pair: %s is no host name or address", check.show(name))
        end
    end
    return parts("tls", { ["tls.crt"] = "certificate", ["tls.key"] = "private" },
        { bits = spec.bits or 2048, days = spec.days or 3650, names = spec.names })
end

return generate
