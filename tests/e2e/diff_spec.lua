local cjson = require "cjson"
local support = require "support"
local on_cluster, profile = support.on_cluster, support.profile

local function applied(folder, ...)
    local run = on_cluster("apply", folder, ...)
    assert.equal(0, run.code, run.err)
    return run
end

local two = [[
    local settings = bk.config "settings" { ["app.conf"] = "level = %s\n" }
    return { bk.deployment "web" { image = "nginx:%s", replicas = 2, ports = { http = 80 },
        env_from = { settings } } }]]

describe("diff", function()
    it("shows what is new, then nothing, then what changes with its line", function()
        local folder = profile("differ", two:format("info", "1.26"))
        local run = on_cluster("diff", folder)
        assert.equal(1, run.code, run.err)
        assert.matches("%+ Namespace differ", run.out)
        assert.matches("%+ Deployment differ/web", run.out)
        assert.matches("%+.*image: nginx:1.26", run.out)
        assert.matches("4 to create; 0 unchanged", run.err)
        assert.equal(0, support.shell("build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig
            .. " get namespace differ --ignore-not-found | grep -c . | grep -qx 0").code)
        applied(folder)
        run = on_cluster("diff", folder)
        assert.equal(0, run.code, run.err)
        assert.equal("", run.out)
        run = on_cluster("diff", profile("differ", two:format("debug", "1.27")))
        assert.equal(1, run.code, run.err)
        assert.matches("\n *%- +image: nginx:1.26", "\n" .. run.out)
        assert.matches("%+ +image: nginx:1.27 +◂ .*profile.lua:4", run.out)
        assert.matches("level = info", run.out)
        assert.is_nil(run.out:find("resourceVersion", 1, true))
        assert.is_nil(run.out:find("managedFields", 1, true))
        assert.is_nil(run.out:find("progressDeadlineSeconds", 1, true))
    end)

    it("tells the same as JSON, and in short", function()
        local folder = profile("differ", two:format("info", "1.28"))
        local report = cjson.decode(on_cluster("diff", folder, "-o", "json").out)
        assert.equal("differ", report.release)
        assert.same({ create = 0, change = 1, replace = 0, grow = 0, delete = 0, keep = 0, unchanged = 3 }, report.counts)
        assert.equal("Deployment", report.objects[1].kind)
        assert.same({ "spec", "template", "spec", "containers", 0, "image" }, report.objects[1].changes[1].path)
        assert.equal("nginx:1.28", report.objects[1].changes[1].after)
        assert.matches("profile.lua:4$", report.objects[1].changes[1].origin)
        local short = on_cluster("diff", folder, "--summary")
        assert.equal(1, short.code)
        assert.matches("web +~ Deployment differ/web: spec.template.spec.containers%[0%].image\n", short.out)
    end)

    it("shows custom resources whose definition is still to come as new", function()
        local run = on_cluster("diff", profile("lanterns", [[
            return { bk.raw "crd" { {
                apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
                metadata = { name = "lanterns.example.com" },
                spec = { group = "example.com", scope = "Namespaced",
                    names = { plural = "lanterns", singular = "lantern", kind = "Lantern" },
                    versions = { { name = "v1", served = true, storage = true, schema = { openAPIV3Schema = {
                        type = "object", ["x-kubernetes-preserve-unknown-fields"] = true } } } } } } },
                bk.raw "one" { { apiVersion = "example.com/v1", kind = "Lantern", metadata = { name = "one" },
                    spec = { on = true } } } }]]))
        assert.equal(1, run.code, run.err)
        assert.matches("%+ Lantern lanterns/one", run.out)
    end)

    it("never shows a secret, only that it changes", function()
        local body = [[return { bk.secret "keys" { password = "%s", user = "app" } }]]
        applied(profile("masked", body:format "canary-7f3a"))
        for _, words in ipairs { {}, { "-o", "json" }, { "--summary" } } do
            local run = on_cluster("diff", profile("masked", body:format "canary-9e2b"), table.unpack(words))
            assert.equal(1, run.code, run.err)
            for _, secret in ipairs { "canary", "Y2FuYXJ5" } do
                assert.is_nil((run.out .. run.err):find(secret, 1, true))
            end
            assert.matches("password", run.out)
            assert.is_nil(run.out:find("user:", 1, true))
        end
    end)

    it("tells mistakes of form at their lines, before it asks the cluster", function()
        local run = on_cluster("diff", profile("formless", [[
            return { bk.raw "x" { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "x" }, dta = {} },
                { apiVersion = "v1", kind = "Service", metadata = { name = "y" }, spec = { ports = { { port = 99999 } } } } } }]]))
        assert.equal(2, run.code)
        assert.matches("profile.lua:3: error: ConfigMap/x dta: ", run.err)
        assert.matches("profile.lua:4: error: Service/y spec.ports%[0%].port: ", run.err)
        assert.matches("2 mistakes in the profile; nothing was sent", run.err)
    end)

    it("names an object in full that has a colon in its name", function()
        local run = on_cluster("diff", profile("colon", [[return { bk.raw "roles" { { kind = "Role",
            apiVersion = "rbac.authorization.k8s.io/v1", metadata = { name = "a:b" }, rules = {} } } }]]))
        assert.equal(1, run.code, run.err)
        assert.matches("\n%+ Role colon/a:b\n", run.out)
    end)
end)
