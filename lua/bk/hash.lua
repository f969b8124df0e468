-- Short names for contents: FNV-1a, 64 bits (RFC 9923). Tells contents apart, guards nothing.

local hash = {}

--- Ten hexadecimal digits of a text.
function hash.of(text)
    local value = -3750763034362895579 -- 0xcbf29ce484222325
    for i = 1, #text do
        value = (value ~ text:byte(i)) * 0x100000001b3
    end
    return ("%016x"):format(value):sub(1, 10)
end

--- A name of at most 63 characters: a longer one is cut, and told from others by its hash.
function hash.name(text)
    return #text <= 63 and text or text:sub(1, 52):gsub("%-+$", "") .. "-" .. hash.of(text)
end

return hash
