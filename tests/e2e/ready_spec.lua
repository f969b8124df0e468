-- A profile's own rules of readiness, on the control plane.
local cjson = require "cjson"
local support = require "support"

local schema = [[{ type = "object", ["x-kubernetes-preserve-unknown-fields"] = true }]]

--- A profile with a kind of its own; `crd` are more fields of its definition, `hall` those of one of its objects.
local function lamps(name, crd, hall, raw)
    return support.profile(name, ([[
        local lamp = bk.crd "lamps.%s.example.com" { kind = "Lamp", versions = { v1 = %s }, %s }
        return { lamp, lamp:resource "hall" { spec = { on = true }, %s }, lamp:resource "porch" { spec = {} },
            bk.raw "pair" { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "a" }, data = { n = "1" } },
                { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "b" }, data = {} }, needs = { lamp }, %s } }
    ]]):format(name, schema, crd or "", hall or "", raw or ""))
end

--- The rows of `status` by kind/name: { state, message }.
local function rows(profile, ...)
    local run = support.on_cluster("status", profile, "-o", "json", ...)
    assert.is_true(run.code == 0 or run.code == 1, run.err)
    local found = {}
    for _, row in ipairs(cjson.decode(run.out).objects) do
        found[row.kind .. "/" .. row.name] = { row.state, row.message }
    end
    return found
end

describe("a ready function", function()
    local name = "lamps"
    setup(function()
        local run = support.on_cluster("apply", lamps(name), "--yes")
        assert.equal(0, run.code, run.err)
    end)

    it("of a kind judges all its objects, that of an object the one, that of bk.raw its own", function()
        local found = rows(lamps(name, [[ready = function(obj)
                return obj.spec.on and "Current" or "InProgress", "on is " .. tostring(obj.spec.on)
            end]], [[ready = function(obj) return "Failed", "generation " .. obj.metadata.generation end]],
            [[ready = function(obj) return obj.data and obj.data.n == "1" and "Current" or "InProgress" end]]))
        assert.same({ "failed", "generation 1" }, found["Lamp/hall"])
        assert.same({ "rolling", "on is nil" }, found["Lamp/porch"])
        assert.same({ "ready", "" }, found["ConfigMap/a"])
        assert.same({ "rolling", "" }, found["ConfigMap/b"])
        assert.same({ "ready", "" }, found["CustomResourceDefinition/lamps.lamps.example.com"])
    end)

    local bad = {
        { "raises", 'ready = function(obj)\n return obj.status.phase.name end', "profile.lua:%d+: attempt to index a nil value" },
        { "raises a text", 'ready = function() error("no bulb") end', "profile.lua:%d+: no bulb$" },
        { "goes on", 'ready = function() while true do end end',
            "profile.lua:%d+: 'ready' does not end within 10 million instructions" },
        { "takes memory", 'ready = function() local t = {} while true do t[#t + 1] = {} end end',
            "profile.lua:%d+: 'ready' needs more than %d+ MiB of memory" },
        { "says another word", 'ready = function() return "Fine" end',
            "profile.lua:%d+: 'ready' returns Fine and nil; wants \"Current\", \"InProgress\" or \"Failed\"" },
        { "says nothing", 'ready = function() end', "profile.lua:%d+: 'ready' returns nil and nil; wants" },
        { "gives no text as the reason", 'ready = function() return "Current", {} end',
            "profile.lua:%d+: 'ready' returns Current and table; wants" },
    }
    it("that is wrong counts as Unknown, with its line", function()
        for _, row in ipairs(bad) do
            local found = rows(lamps(name, row[2]))["Lamp/porch"]
            assert.equal("rolling", found[1], row[1])
            assert.is_truthy(found[2]:find(row[3]), row[1] .. ": " .. found[2])
        end
    end)

    it("goes before a health script, which is asked for what has none", function()
        local folder = support.folder { ["lamps.example.com/Lamp/health.lua"] =
            "return { status = 'Degraded', message = 'by script' }" }
        local found = rows(lamps(name, nil, [[ready = function() return "Current", "by function" end]]), "--health-dir",
            folder)
        assert.same({ "ready", "by function" }, found["Lamp/hall"])
        assert.same({ "failed", "by script" }, found["Lamp/porch"])
    end)
end)

describe("a claim whose class binds on first use", function()
    it("is ready before a pod has come for it", function()
        local profile = support.profile("late", [[
            return { bk.storage_class "late-e2e" { provisioner = "kubernetes.io/host-path", binding = "WaitForFirstConsumer" },
                bk.claim "data" { size = "1Gi", class = "late-e2e" } }
        ]])
        local run = support.on_cluster("apply", profile, "--yes", "--timeout", "20s")
        assert.equal(0, run.code, run.err)
        assert.same({ "ready", "bound when the first pod uses it" }, rows(profile)["PersistentVolumeClaim/data"])
    end)
end)

describe("an apply", function()
    it("waits by the ready function of a kind", function()
        local function lamp(word)
            return lamps("waited", ([[ready = function(obj) return "%s", "says the profile" end]]):format(word))
        end
        local run = support.on_cluster("apply", lamp "InProgress", "--timeout", "1s")
        assert.equal(5, run.code)
        assert.matches("Lamp %w+: says the profile", run.err)
        run = support.on_cluster("apply", lamp "Failed")
        assert.equal(4, run.code)
        assert.matches("says the profile", run.err)
        assert.equal(0, support.on_cluster("apply", lamp "Current").code)
    end)
end)
