-- What a profile says of conflicts, and of objects that are kept or made anew.
local cjson = require "cjson"
local native = require "native"
local support = require "support"

local base = [[
local bk = require "bk"
return bk.profile "shop" {
    conflicts = { { kind = "Deployment", field = ".spec.replicas", manager = "kube*", action = "yield" },
        { action = "stop" } },
    components = { bk.deployment "web" { image = "shop:1" } },
}]]

--- The objects of a profile, by kind and name.
local function objects(code)
    local run = support.run("render", support.folder { ["profile.lua"] = "local bk = require 'bk'\n" .. code },
        "-o", "json")
    assert.equal("", run.err)
    local found = {}
    for _, object in ipairs(cjson.decode(run.out).items) do
        found[object.kind .. "/" .. object.metadata.name] = object
    end
    return found
end

--- What the program reads of a profile's policies, or of those of a site of it.
local function read(code, site)
    -- The profile hands out what the language makes of it, in a message, which is short.
    local run = support.run("render", support.folder { ["shop/profile.lua"] = "local bk = require 'bk'\n" .. code,
        ["here/profile.lua"] = ([[
local bk = require "bk"
local made = bk.compile((function() %s end)(), nil, {})
for _, component in ipairs(made.components) do
    component.objects = {}
end
error(require("cjson").encode(made), 0)]]):format(site or code) } .. "/here")
    return cjson.decode((assert(native.profile(assert(run.err:match "({.*})", run.err)))))
end

local function kept(object)
    return object.metadata.annotations and object.metadata.annotations["bkdeploy/keep"]
end

describe("conflicts", function()
    it("are handed to the program in their order", function()
        local rules = read(base).conflicts
        assert.equal(2, #rules)
        assert.matches("profile%.lua:%d+$", rules[1].origin)
        rules[1].origin, rules[2].origin = nil, nil
        assert.same({ { kind = "Deployment", field = "spec.replicas", manager = "kube*", action = "yield" },
            { action = "stop" } }, rules)
    end)

    it("of a site go first", function()
        local rules = read(base, [[return bk.extend "shop" { conflicts = { { kind = "Secret", action = "take" } } }]])
            .conflicts
        assert.same({ "take", "yield", "stop" }, { rules[1].action, rules[2].action, rules[3].action })
        assert.matches("here/profile%.lua:%d+$", rules[1].origin)
        assert.matches("shop/profile%.lua:%d+$", rules[2].origin)
    end)

    it("of the base hold for a site that says nothing", function()
        assert.equal(2, #read(base, [[return bk.extend "shop" {}]]).conflicts)
    end)

    it("may be none", function()
        assert.equal(cjson.null, read([[return bk.profile "shop" { components = {} }]]).conflicts)
        assert.equal(cjson.null, read([[return bk.profile "shop" { components = {}, conflicts = {} }]]).conflicts)
    end)
end)

describe("keep", function()
    local web = [[local web = bk.deployment "web" { image = "shop:1", ports = { http = 80 }, %s
        claims = { data = { size = "1Gi", path = "/d" %s } }, ingress = { host = "a.example.com" } }
        return bk.profile "shop" { components = { web } }]]

    it("is on all objects of a component and on no pod template", function()
        local made = objects(web:format("keep = true,", ""))
        for _, name in ipairs { "Deployment/web", "Service/web", "Ingress/web", "PersistentVolumeClaim/web-data" } do
            assert.equal("true", kept(made[name]), name)
        end
        assert.is_nil(kept(made["Namespace/shop"]))
        assert.is_nil(made["Deployment/web"].spec.template.metadata.annotations)
    end)

    it("is said of nothing by itself", function()
        for name, object in pairs(objects(web:format("", ""))) do
            assert.is_nil(kept(object), name)
        end
    end)

    it("is taken from claims alone", function()
        for _, made in ipairs { objects(web:format("keep = false,", "")), objects(web:format("", ", keep = false")) } do
            for name, object in pairs(made) do
                assert.equal(name == "PersistentVolumeClaim/web-data" and "false" or nil, kept(object), name)
            end
        end
    end)

    it("of a claim goes before that of its component", function()
        local made = objects(web:format("keep = true,", ", keep = false"))
        assert.equal("false", kept(made["PersistentVolumeClaim/web-data"]))
        assert.equal("true", kept(made["Deployment/web"]))
        made = objects(web:format("keep = false,", ", keep = true"))
        assert.equal("true", kept(made["PersistentVolumeClaim/web-data"]))
        assert.is_nil(kept(made["Deployment/web"]))
    end)

    it("is a word of configs, secrets and other components", function()
        local made = objects [[
            local conf, pass = bk.config "conf" { a = "1" }:keep(), bk.secret "pass" { b = "2" }:keep():immutable()
            local hashed = bk.config "other" { a = "1" }:keep():hashed()
            local data = bk.claim "data" { size = "1Gi", keep = false }
            local lamp = bk.crd "lamps.example.com" { kind = "Lamp", keep = true, versions = { v1 = { type = "object" } } }
            local all = bk.ingress "all" { keep = true, replace = true, host = "a.example.com",
                paths = { ["/"] = { service = "x", port = 80 } } }
            local out = bk.external "out" { host = "a.example.com", keep = true }
            local raw = bk.raw "raw" { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "raw" } }, keep = true }
            return bk.profile "shop" { components = { conf, pass, hashed, data, lamp, all, out, raw } }]]
        local count = 0
        for name, object in pairs(made) do
            count = count + 1
            local wanted = "true"
            if object.kind == "PersistentVolumeClaim" then
                wanted = "false"
            elseif object.kind == "Namespace" then
                wanted = nil
            end
            assert.equal(wanted, kept(object), name)
        end
        assert.equal(9, count)
    end)

    it("leaves an annotation that is written", function()
        local made = objects [[
            local object = { apiVersion = "v1", kind = "ConfigMap",
                metadata = { name = "a", annotations = { ["bkdeploy/keep"] = "false", x = "y" } } }
            local conf = bk.config "conf" { a = "1" }:meta { annotations = { x = "y" } }:keep()
            return bk.profile "shop" { components = { bk.raw "raw" { object, keep = true }, conf } }]]
        assert.same({ ["bkdeploy/keep"] = "false", x = "y" }, made["ConfigMap/a"].metadata.annotations)
        assert.same({ ["bkdeploy/keep"] = "true", x = "y" }, made["ConfigMap/conf"].metadata.annotations)
    end)

    it("can be set by a site and told by explain", function()
        local folder = support.folder { ["shop/profile.lua"] = base, ["here/profile.lua"] = [[
local bk = require "bk"
return bk.extend "shop" { override = {
    web = {
        keep = true,
    },
} }]] }
        local run = support.run("explain", folder .. "/here", "deployment/web",
            'metadata.annotations["bkdeploy/keep"]')
        assert.equal("", run.err)
        assert.matches("here/profile%.lua:4", run.out)
    end)

    it("reaches the program", function()
        local components = read([[return bk.profile "shop" { components = { bk.config "conf" { a = "1" }:keep(),
            bk.claim "a" { size = "1Gi", keep = false }, bk.claim "b" { size = "1Gi", keep = true },
            bk.claim "c" { size = "1Gi" } } }]]).components
        assert.same({ true, false, true, false }, { components.conf.keep, components.a.keep, components.b.keep,
            components.c.keep })
    end)
end)

describe("replace", function()
    it("reaches the program as it is said", function()
        local components = read([[return bk.profile "shop" { components = {
            bk.job "a" { image = "a:1", replace = false }, bk.job "b" { image = "a:1" },
            bk.statefulset "c" { image = "a:1", replace = true }, bk.storage_class "d" { replace = true },
            bk.raw "e" { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "e" } }, replace = true },
            bk.config "f" { a = "1" } } }]]).components
        local said = {}
        for name, component in pairs(components) do
            said[name] = component.replace
        end
        assert.same({ namespace = "unsaid", a = "never", b = "unsaid", c = "allowed", d = "allowed", e = "allowed",
            f = "unsaid" }, said)
    end)

    it("is on no object", function()
        local plain = objects [[return bk.profile "shop" { components = { bk.job "a" { image = "a:1" } } }]]
        assert.same(plain, objects [[return bk.profile "shop" { components = {
            bk.job "a" { image = "a:1", replace = true } } }]])
    end)
end)
