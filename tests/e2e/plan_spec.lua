local cjson = require "cjson"
local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

local function applied(folder, ...)
    local run = on_cluster("apply", folder, ...)
    assert.equal(0, run.code, run.err)
    return run
end

local function planned(folder, ...)
    local file = support.folder() .. "/plan.json"
    local run = on_cluster("plan", folder, "-o", file, ...)
    assert.equal(run.err:find("nothing to change", 1, true) and 0 or 1, run.code, run.err)
    return file, run
end

--- A copy of a plan that the Python statements have changed (`plan` is its JSON), with a hash that fits.
local function forged(file, statements)
    local copy = file .. ".forged"
    local run = support.shell(("python3 -c '%s' %s %s"):format([[
import hashlib, json, sys
plan = json.load(open(sys.argv[1]))
del plan["sha256"]
secret = [o for c in plan["source"]["components"] for o in c["objects"] if o["kind"] == "Secret"][0]
]] .. statements .. [[

text = json.dumps(plan, sort_keys=True, separators=(",", ":"))
plan["sha256"] = hashlib.sha256(text.encode()).hexdigest()
json.dump(plan, open(sys.argv[2], "w"), separators=(",", ":"))]], file, copy))
    assert.equal(0, run.code, run.err)
    return copy
end

local web = [[return { bk.deployment "web" { image = "nginx:%s", replicas = 2 },
    bk.config "settings" { ["app.conf"] = "%s" } }]]

describe("plan", function()
    it("is a file that apply carries out exactly", function()
        applied(profile("planned", web:format("1.26", "a")))
        local file, run = planned(profile("planned", web:format("1.27", "a")))
        assert.matches("web +~ Deployment planned/web: spec.template.spec.containers%[0%].image", run.err)
        local plan = cjson.decode(support.read(file))
        assert.equal("plan/v1", plan.bkdeploy)
        assert.same({ "namespace", "web", "settings" }, plan.order)
        assert.equal("nginx:1.26", kubectl "get deployment web -n planned -o 'jsonpath={..image}'")
        run = support.run("apply", file, "--kubeconfig", support.kubeconfig) -- a plan is not asked about again
        assert.equal(0, run.code, run.err)
        assert.equal("nginx:1.27", kubectl "get deployment web -n planned -o 'jsonpath={..image}'")
    end)

    it("may be applied after an unrelated change of its objects, and again", function()
        local file = planned(profile("planned", web:format("1.28", "a")))
        kubectl "annotate deployment web -n planned example.com/seen=yes"
        local run = on_cluster("apply", file)
        assert.equal(0, run.code, run.err)
        assert.equal("yes nginx:1.28", kubectl("get deployment web -n planned -o "
            .. "'jsonpath={.metadata.annotations.example\\.com/seen} {..image}'"))
        run = on_cluster("apply", file)
        assert.equal(0, run.code, run.err)
    end)

    it("is refused when its own change would be another one now", function()
        local file = planned(profile("planned", web:format("1.29", "b")))
        applied(profile("planned", web:format("1.25", "b")))
        local run = on_cluster("apply", file)
        assert.equal(7, run.code)
        assert.matches("Deployment planned/web has changed since the plan was made: planned was change of "
            .. "spec.template.spec.containers%[0%].image, now it would be change of "
            .. "spec.template.spec.containers%[0%].image with other values; make a new plan", run.err)
        assert.equal("nginx:1.25", kubectl "get deployment web -n planned -o 'jsonpath={..image}'")
    end)

    it("does not delete what came after it", function()
        local file = planned(profile("planned", web:format("1.25", "c")))
        applied(profile("planned", web:format("1.25", "b"):gsub("return {", "return { bk.config 'late' { a = '1' },")))
        assert.equal(0, on_cluster("apply", file).code)
        assert.equal("1", kubectl "get configmap late -n planned -o 'jsonpath={.data.a}'")
    end)

    it("is refused when a byte of it was altered, and for another cluster", function()
        local file = planned(profile("planned", web:format("1.24", "c")))
        local text = support.read(file)
        local altered = support.folder { ["plan.json"] = text:gsub("nginx:1.24", "nginx:0.01") } .. "/plan.json"
        local run = on_cluster("apply", altered)
        assert.equal(2, run.code)
        assert.matches("the plan was altered after it was made", run.err)
        run = on_cluster("apply", support.folder { ["plan.json"] = text:sub(1, -20) } .. "/plan.json")
        assert.equal(2, run.code)
        assert.matches("plan.json: no plan: line 1", run.err)
        run = on_cluster("plan", profile("planned", web:format("1.24", "c")), "-o", file)
        assert.equal(2, run.code)
        assert.matches("is there already", run.err)
    end)

    describe("with secrets", function()
        local body = [[return { bk.secret "keys" { password = "%s", user = "app" }, bk.config "c" { a = "%s" } }]]

        it("has no value of them, and keeps those that don't change", function()
            applied(profile("sealed", body:format("canary-one", "1")))
            local file = planned(profile("sealed", body:format("canary-one", "2")))
            assert.is_nil(support.read(file):find("canary", 1, true))
            assert.is_nil(support.read(file):find("Y2FuYXJ5", 1, true))
            local run = on_cluster("apply", file)
            assert.equal(0, run.code, run.err)
            assert.equal("canary-one", kubectl("get secret keys -n sealed -o 'go-template={{.data.password | base64decode}}'"))
        end)

        it("can be read but not applied without a key when one changes", function()
            local file, run = planned(profile("sealed", body:format("canary-two", "2")))
            assert.matches("1 value of Secrets that change is left out", run.err)
            assert.is_nil(support.read(file):find("Y2FuYXJ5", 1, true))
            run = on_cluster("apply", file)
            assert.equal(2, run.code)
            assert.matches("has no value for its 'password'", run.err)
        end)

        it("has them sealed by the operator's key", function()
            local key = support.folder { key = "0123456789abcdef0123456789abcdef\n", other = ("x"):rep(32) }
            local file = planned(profile("sealed", body:format("canary-two", "2")), "--key", key .. "/key")
            assert.is_nil(support.read(file):find("canary", 1, true))
            assert.is_nil(support.read(file):find("Y2FuYXJ5", 1, true))
            local run = on_cluster("apply", file)
            assert.equal(2, run.code)
            assert.matches("sealed; give %-%-key FILE", run.err)
            run = on_cluster("apply", file, "--key", key .. "/other")
            assert.equal(1, run.code)
            assert.matches("is %-%-key that of the plan", run.err)
            run = on_cluster("apply", file, "--key", key .. "/key")
            assert.equal(0, run.code, run.err)
            assert.equal("canary-two", kubectl("get secret keys -n sealed -o 'go-template={{.data.password | base64decode}}'"))
        end)
    end)

    describe("made by somebody else", function()
        local file

        setup(function()
            file = planned(profile("forged", [[return { bk.secret "keys" { password = bk.generated() } }]]))
        end)

        for name, case in pairs {
            ["no steps"] = { 'del plan["steps"]', "the plan has no steps or no objects" },
            ["steps of another type"] = { 'plan["steps"] = "x"', "the plan has no steps or no objects" },
            ["no alphabet"] = { 'del secret["data"]["password"]["alphabet"]',
                "Secret forged/keys: the value under 'password' is neither a text nor to be made" },
            ["a long password"] = { 'secret["data"]["password"]["length"] = -1', "neither a text nor to be made" },
            ["a pair of no names"] = { 'secret["data"]["password"] = dict(generate="tls", pair="1", bits=2048, '
                .. 'days=1, names=[], part="private")', "neither a text nor to be made" },
            ["a part that its pair has not"] = { 'secret["data"]["password"] = dict(generate="rsa", pair="1", '
                .. 'bits=2048, part="certificate")', "neither a text nor to be made" },
            ["lines where names are"] = { 'plan["source"]["components"][0]["needs"] = ["a\\nb"]',
                "needs 'a b', which the profile does not list" },
        } do
            it("is refused with " .. name, function()
                local run = on_cluster("apply", forged(file, case[1]))
                assert.equal(2, run.code, run.err)
                assert.matches(case[2] .. "\n$", run.err)
            end)
        end

        it("takes kept values from the objects that it has them in only", function()
            applied(profile("forged", [[return { bk.secret "keys" { a = "canary" }, bk.config "c" { a = "1" } }]]))
            local kept = planned(profile("forged", [[return { bk.secret "keys" { a = "canary" }, bk.config "c" { a = "2" } }]]))
            local run = on_cluster("apply", forged(kept, [[
for step in plan["steps"]: step["namespace"] = "kube-system"]]))
            assert.equal(7, run.code)
            assert.matches("Secret forged/keys has changed since the plan was made", run.err)
        end)
    end)

    it("asks nobody where there is no terminal", function()
        local run = support.run("apply", profile("unasked", "return { bk.config 'c' { a = '1' } }"), "--kubeconfig",
            support.kubeconfig)
        assert.equal(2, run.code)
        assert.matches("there is no terminal to ask on; %-%-yes applies this", run.err)
        assert.equal("", kubectl "get namespace unasked --ignore-not-found")
    end)
end)
