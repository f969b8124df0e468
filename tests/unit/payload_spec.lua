local cjson = require "cjson"
local native = require "native"
local support = require "support"

local key, other = ("k"):rep(32), ("o"):rep(32)

--- Bytes that compress badly, the same each time.
local function noise(length)
    local state, bytes = 12345, {}
    for i = 1, length do
        state = (state * 1103515245 + 12345) % 2147483648
        bytes[i] = string.char(97 + (state >> 16) % 26, 48 + (state >> 8) % 64)
    end
    return table.concat(bytes)
end

local function source(...)
    return cjson.encode { name = "shop", namespace = "shop", components = { { name = "web", objects = { ... } } } }
end

local function sealed(text, by)
    return native.payload_unpack(native.payload_pack(text, by))
end

local secret = { kind = "Secret", metadata = { name = "db" }, data = { password = "aHVudGVyMg==" },
    stringData = { pin = "1234", empty = "" } }

describe("a compressed text", function()
    it("comes back", function()
        for _, text in ipairs { "", "x", ("again "):rep(50000), noise(100000), "\0\255" } do
            assert.equal(text, native.deflate_unpack(native.deflate_pack(text)))
        end
    end)

    --- Rows: what is wrong, how the packed bytes are made so, the message.
    local packed = native.deflate_pack(("again "):rep(5000))
    local rows = {
        { "cut", packed:sub(1, -3), "the compressed data ends too early" },
        { "nothing", "", "the compressed data ends too early" },
        { "no zlib data", "hello, world", "it is no zlib data, or damaged" },
        { "changed", packed:sub(1, 20) .. "\0\0" .. packed:sub(23), "it is no zlib data, or damaged" },
        { "changed in its checksum", packed:sub(1, -2) .. string.char(packed:byte(-1) ~ 1), "it is no zlib data, or damaged" },
        { "followed by more", packed .. "xyz", "3 bytes follow the compressed data" },
    }
    for _, row in ipairs(rows) do
        it("is not read when it is " .. row[1], function()
            local text, message = native.deflate_unpack(row[2])
            assert.is_nil(text)
            assert.equal(row[3], message)
        end)
    end

    it("is not read beyond a bound", function()
        local bomb = native.deflate_pack(("\0"):rep(8 << 20))
        assert.is_true(#bomb < 20000)
        local text, message = native.deflate_unpack(bomb, 1 << 20)
        assert.is_nil(text)
        assert.equal("uncompressed it is more than 1 MiB", message)
    end)
end)

describe("the payload of a revision", function()
    it("comes back from its parts, with the order of its keys and its numbers", function()
        local text = [[{"name":"shop","namespace":"shop","zeta":1,"alpha":[1,1.5,-0.5,9007199254740993,true,null,"ä\u0001"],]]
            .. [["components":[]}]]
        assert.equal(text, native.payload_unpack(native.payload_pack(text)))
    end)

    it("is split so that each part fits into a Secret", function()
        local text = source { kind = "ConfigMap", data = { a = noise(1500000) } }
        local packed = cjson.decode(native.payload_pack(text))
        assert.is_true(#packed.parts >= 2)
        for _, part in ipairs(packed.parts) do
            assert.is_true(#part <= 900 * 1024 / 3 * 4)
        end
        assert.equal(#text, #native.payload_unpack(cjson.encode(packed)))
    end)

    --- Rows: the damage, how it is done to { sha256, parts }, the message.
    local rows = {
        { "a part is missing", function(packed) packed.parts[2] = cjson.null end, "part 2 of %d is missing" },
        { "the last part is missing", function(packed) packed.parts[#packed.parts] = nil end,
            "its SHA%-256 sum is %x+%.%., not %x+%.%." },
        { "parts are swapped", function(packed) packed.parts[1], packed.parts[2] = packed.parts[2], packed.parts[1] end,
            "its SHA%-256 sum is" },
        { "a part is no base64", function(packed) packed.parts[1] = "*" end, "part 1 of %d is no base64" },
        { "the sum is another", function(packed) packed.sha256 = ("0"):rep(64) end, "not 000000000000%.%.$" },
        { "the sum is missing", function(packed) packed.sha256 = nil end, "not %?%.%.$" },
        { "there is no part", function(packed) packed.parts = {} end, "its SHA%-256 sum is" },
    }
    local large = native.payload_pack(source { kind = "ConfigMap", data = { a = noise(1500000) } })
    for _, row in ipairs(rows) do
        it("is not read when " .. row[1], function()
            local packed = cjson.decode(large)
            row[2](packed)
            local text, message = native.payload_unpack(cjson.encode(packed))
            assert.is_nil(text)
            assert.matches(row[3], message)
        end)
    end

    --- What has the right sum but is no source.
    local contents = {
        { "not json", "it is no JSON" },
        { "[1]", "it has no name, namespace and components" },
        { "{}", "it has no name, namespace and components" },
        { [[{"name":"a","namespace":"b","components":{}}]], "it has no name, namespace and components" },
    }
    for _, row in ipairs(contents) do
        it("is not read when it is " .. row[1], function()
            local bytes = native.deflate_pack(row[1])
            local folder = support.folder { bytes = bytes }
            local sum = native.sha256(bytes):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
            local text = support.shell(("base64 -w0 %s/bytes"):format(folder)).out
            local read, message = native.payload_unpack(cjson.encode { sha256 = sum, parts = { text } })
            assert.is_nil(read)
            assert.matches(row[2], message)
        end)
    end

    it("has the values of Secrets sealed, and nothing else", function()
        local config = { kind = "ConfigMap", metadata = { name = "c" }, data = { a = "plain" } }
        local generated = { kind = "Secret", metadata = { name = "g" }, data = { p = { generate = "password" } } }
        local text = sealed(source(secret, config, generated), key)
        assert.same({ true, false }, { native.payload_secrets(source(secret, config, generated)) })
        assert.same({ false, true }, { native.payload_secrets(text) })
        assert.is_nil(text:find("aHVudGVyMg", 1, true))
        assert.is_nil(text:find("1234", 1, true))
        local objects = cjson.decode(text).components[1].objects
        assert.is_string(objects[1].data.password.sealed)
        assert.is_string(objects[1].stringData.empty.sealed)
        assert.same(config, objects[2])
        assert.same(generated, objects[3])
        assert.same(cjson.decode(source(secret, config, generated)), cjson.decode(native.payload_unseal(text, key)))
    end)

    it("needs no key without such values", function()
        assert.same({ false, false }, { native.payload_secrets(source { kind = "ConfigMap", data = { a = "b" } }) })
    end)

    it("tells which value another key can't unseal, and not the value", function()
        local text, message = native.payload_unseal(sealed(source(secret), key), other)
        assert.is_nil(text)
        assert.matches("^the value of '%w+' in Secret 'db': it was sealed by another key, or changed since$", message)
    end)
end)
