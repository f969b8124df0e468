-- Base64 as Secrets have it (RFC 4648), back to bytes.

local base64 = {}

local digits = {}
for i = 1, 64 do
    digits[("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):byte(i)] = i - 1
end

--- The bytes of a text; nil when it is not the one way to write them.
function base64.decode(text)
    local body, padding = text:match "^([%w+/]*)(=*)$"
    if not body or #text % 4 ~= 0 or #padding > 2 or (#body + #padding) % 4 ~= 0 then
        return nil
    end
    local bytes, value, bits = {}, 0, 0
    for i = 1, #body do
        value, bits = value << 6 | digits[body:byte(i)], bits + 6
        if bits >= 8 then
            bits = bits - 8
            bytes[#bytes + 1] = string.char(value >> bits)
            value = value & ((1 << bits) - 1)
        end
    end
    return value == 0 and table.concat(bytes) or nil
end

return base64
