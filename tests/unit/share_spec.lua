-- A profile whose objects have much in common: what is equal is held once, and is nobody's to change.

local support = require "support"
local cjson = require "cjson"

describe("equal values of a profile's objects", function()
    local function items(profile, ...)
        local folder = support.folder { ["profile.lua"] = profile }
        local result = support.run("render", folder, "-o", "json", ...)
        assert.equal(0, result.code, result.err)
        return cjson.decode(result.out).items
    end

    it("are hidden in a Secret only, not in a ConfigMap that has the same", function()
        local found = items [[
            local bk = require "bk"
            return bk.profile "shop" { bare = true, components = {
                bk.config "a" { word = "open" }, bk.secret "b" { word = "open" }:plain(),
                bk.raw "c" { { apiVersion = "v1", kind = "Secret", metadata = { name = "c" },
                    stringData = { word = "open" } } },
            } }]]
        assert.equal("open", found[1].data.word)
        assert.equal("******", found[2].stringData.word)
        assert.equal("******", found[3].stringData.word)
    end)
end)
