local native = require "native"
local support = require "support"

local key, other = ("k"):rep(32), ("o"):rep(32)

local function hex(bytes)
    return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

--- A base64 text with the bytes that it stands for changed by a function.
local function changed(text, change)
    local folder = support.folder { text = text }
    support.shell(("base64 -d %s/text > %s/bytes"):format(folder, folder))
    local bytes = change(support.read(folder .. "/bytes"))
    folder = support.folder { bytes = bytes }
    return support.shell(("base64 -w0 %s/bytes"):format(folder)).out
end

describe("a sealed value", function()
    for _, bytes in ipairs { "", "x", "hunter2", "\0\1\2\255", ("long "):rep(100000) } do
        it(("of %d bytes comes back by its key"):format(#bytes), function()
            local text = native.seal_encrypt(key, bytes)
            assert.is_nil(text:find("hunter2", 1, true))
            assert.equal(bytes, native.seal_decrypt(key, text))
        end)
    end

    it("is another text each time", function()
        assert.not_equal(native.seal_encrypt(key, "same"), native.seal_encrypt(key, "same"))
    end)

    it("is not read by another key", function()
        local bytes, message = native.seal_decrypt(other, native.seal_encrypt(key, "hunter2"))
        assert.is_nil(bytes)
        assert.equal("it was sealed by another key, or changed since", message)
    end)

    it("is not read once a bit of it is changed, wherever that is", function()
        local text = native.seal_encrypt(key, "hunter2")
        for place = 1, 1 + 12 + 7 + 16 do
            local bad = changed(text, function(bytes)
                return bytes:sub(1, place - 1) .. string.char(bytes:byte(place) ~ 1) .. bytes:sub(place + 1)
            end)
            assert.is_nil((native.seal_decrypt(key, bad)), place)
        end
    end)

    it("is not read when it is cut, or none at all", function()
        local text = native.seal_encrypt(key, "hunter2")
        assert.is_nil((native.seal_decrypt(key, changed(text, function(bytes) return bytes:sub(1, -2) end))))
        for _, bad in ipairs { "", "AQ==", "no base64!", changed(text, function(bytes) return bytes:sub(1, 28) end) } do
            local bytes, message = native.seal_decrypt(key, bad)
            assert.is_nil(bytes)
            assert.equal("this is no sealed value", message)
        end
    end)
end)

describe("a key of a passphrase", function()
    local salt = "c2FsdHNhbHRzYWx0" -- saltsaltsalt

    it("is scrypt's, as OpenSSL sees", function()
        local run = support.shell("openssl kdf -keylen 32 -kdfopt pass:secret -kdfopt hexsalt:73616c7473616c7473616c74 "
            .. "-kdfopt n:32768 -kdfopt r:8 -kdfopt p:1 -kdfopt maxmem_bytes:67108864 SCRYPT")
        assert.equal(0, run.code, run.err)
        assert.equal(run.out:gsub("[:%s]", ""):lower(), hex(native.seal_passphrase("secret", salt)))
    end)

    it("wants a salt", function()
        for _, bad in ipairs { "", "c2FsdA==", "???" } do
            local made, message = native.seal_passphrase("secret", bad)
            assert.is_nil(made)
            assert.equal("the salt of a passphrase must be base64 of 8 bytes or more", message)
        end
    end)
end)

describe("a SHA-256 sum", function()
    it("is that of sha256sum", function()
        for _, bytes in ipairs { "", "abc", ("x"):rep(100000) } do
            local folder = support.folder { bytes = bytes }
            assert.equal(support.shell("sha256sum < " .. folder .. "/bytes").out:match("^%x+"), hex(native.sha256(bytes)))
        end
    end)
end)
