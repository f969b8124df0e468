local native = require "native"
local support = require "support"

--- The formula of KEP-3659, by other programs.
local function id_of(parent, namespace)
    local run = support.shell(("printf %%s '%s.%s.ConfigMap.' | openssl dgst -sha256 -binary | base64 -w0"):format(parent,
        namespace))
    return "applyset-" .. run.out:gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }) .. "-v1"
end

describe("the identity of a release", function()
    it("is the ApplySet id that its parent must have", function()
        for i = 1, 40 do -- some have - and _
            local parent, id = native.identity("shop" .. i, "shop-prod")
            assert.equal("bkdeploy.shop" .. i, parent)
            assert.equal(id_of(parent, "shop-prod"), id)
            assert.matches("^applyset%-[%w_-]+%-v1$", id)
            assert.is_true(#id <= 63) -- it is a label's value
        end
    end)

    it("needs names that Kubernetes takes", function()
        for _, names in ipairs { { "Shop", "a" }, { "", "a" }, { "a.b", "a" }, { ("a"):rep(64), "a" } } do
            local parent, message = native.identity(names[1], names[2])
            assert.is_nil(parent)
            assert.matches("^the name of a release must be at most 63 lower case letters", message)
        end
        local parent, message = native.identity("shop", "a/b")
        assert.is_nil(parent)
        assert.matches("^the name of a namespace must be .*, not 'a/b'$", message)
    end)
end)
