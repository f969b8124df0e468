local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

local body = [[
    local rsa = bk.rsa_pair()
    return {
        bk.secret "made" { password = bk.generated(), pin = bk.generated { length = 6, alphabet = "0123456789" },
            given = "as it is", private = rsa.private, public = rsa.public },
        bk.secret "cert" (bk.tls_pair { names = { "shop.example.com", "10.0.0.1" }, days = 30 }),
        bk.deployment "%s" { image = "i:1" },
    }]]

local function applied(name, component)
    local run = on_cluster("apply", profile(name, body:format(component or "web")))
    assert.equal(0, run.code, run.err)
    return run
end

--- A key of a Secret, decoded.
local function value(namespace, secret, key)
    return kubectl(("get secret %s -n %s -o go-template='{{index .data \"%s\" | base64decode}}'"):format(secret,
        namespace, key))
end

local function all(namespace)
    return kubectl(("get secret made cert -n %s -o 'jsonpath={.items[*].data}'"):format(namespace))
end

describe("generated values", function()
    it("are made once, and stay through applies and the renaming of another component", function()
        applied "generated"
        local before = all "generated"
        assert.matches("^%w+$", value("generated", "made", "password"))
        assert.equal(24, #value("generated", "made", "password"))
        assert.matches("^%d%d%d%d%d%d$", value("generated", "made", "pin"))
        assert.equal("as it is", value("generated", "made", "given"))
        for _ = 1, 5 do
            assert.matches("0 created, 0 changed", applied("generated").err)
        end
        applied("generated", "renamed")
        assert.equal(before, all "generated")
    end)

    it("differ from site to site", function()
        applied "generated-two"
        assert.not_equal(value("generated", "made", "password"), value("generated-two", "made", "password"))
    end)

    it("fit each other, as OpenSSL sees", function()
        applied "generated"
        local folder = support.folder({
            private = value("generated", "made", "private"), public = value("generated", "made", "public"),
            crt = value("generated", "cert", "tls.crt"), key = value("generated", "cert", "tls.key"),
        })
        local run = support.shell(([[cd %s && openssl pkey -in private -pubout | cmp - public &&
            openssl x509 -in crt -pubkey -noout >a && openssl pkey -in key -pubout | cmp - a &&
            openssl verify -CAfile crt crt && openssl x509 -in crt -noout -ext subjectAltName,basicConstraints -checkend 2500000]])
            :format(folder))
        assert.equal(0, run.code, run.err)
        assert.matches("DNS:shop.example.com, IP Address:10.0.0.1", run.out)
        assert.equal("kubernetes.io/tls", kubectl "get secret cert -n generated -o 'jsonpath={.type}'")
    end)

    it("are made anew as a pair when a half of it is lost", function()
        applied "generated"
        local password, old = value("generated", "made", "password"), value("generated", "cert", "tls.crt")
        kubectl "delete secret cert -n generated"
        kubectl [[patch secret made -n generated --type=json -p '[{"op":"remove","path":"/data/public"}]']]
        local private = value("generated", "made", "private")
        assert.equal(0, on_cluster("apply", profile("generated", body:format "web"), "--force-conflicts").code)
        assert.equal(password, value("generated", "made", "password"))
        assert.not_equal(private, value("generated", "made", "private"))
        assert.not_equal(old, value("generated", "cert", "tls.crt"))
    end)
end)
