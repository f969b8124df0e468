-- What is made of the API server's refusals; recorded by tests/unit/recorded/record.
local cjson = require "cjson"
local native = require "native"

local function recorded(name)
    local file = assert(io.open(("tests/unit/recorded/%s.json"):format(name)))
    local text = file:read "a"
    file:close()
    return text
end

--- The Deployment that was applied, as record has it.
local function deployment(name, replicas)
    return { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = name, namespace = "recorded",
        annotations = { ["example.com/owner.name"] = "us", plain = "us" } },
        spec = { replicas = replicas, selector = { matchLabels = { app = name } }, template = {
            metadata = { labels = { app = name } }, spec = { containers = { { name = "web",
                image = "example.com/web:1", args = { "--a", "--b" }, env = { { name = "MODE", value = "ours" } },
                ports = { { containerPort = 80, name = "http" } } } } } } } }
end

--- The conflicts of a recorded refusal, by their fields.
local function read(name, desired, given)
    given = given or {}
    local made = native.conflict_read(recorded(name .. "-conflict"), given.live or recorded(name), cjson.encode(desired),
        given.rules and cjson.encode(given.rules), given.force, given.autoscaler)
    local by = {}
    for _, one in ipairs(cjson.decode(made)) do
        by[one.field] = one
    end
    return by
end

local function time_of(name, manager)
    for _, entry in ipairs(cjson.decode(recorded(name)).metadata.managedFields) do
        if entry.manager == manager and entry.subresource ~= "status" then
            return entry.time
        end
    end
end

describe("a conflict", function()
    it("with who scales by hand stops", function()
        local one = read("scaled", deployment("web", 2))["spec.replicas"]
        assert.equal("kubectl", one.manager)
        assert.equal("Update", one.operation)
        assert.equal("scale", one.subresource)
        assert.equal("", one.since) -- the API server keeps none of what goes through scale
        assert.equal("stop", one.action)
        assert.equal("nothing says whose it is to be", one.why)
        assert.equal("spec.replicas", one.path)
        assert.equal(1, one.theirs)
        assert.equal(2, one.ours)
        assert.equal("spec.replicas belongs to 'kubectl' (update, through scale): it is 1, the profile says 2", one.words)
    end)

    it("tells how long ago that was", function()
        local live = cjson.decode(recorded "scaled")
        local function words(age)
            for _, entry in ipairs(live.metadata.managedFields) do
                if entry.manager == "kubectl" then
                    entry.time = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - age)
                end
            end
            local one = read("scaled", deployment("web", 2), { live = cjson.encode(live) })["spec.replicas"]
            assert.matches("^spec%.replicas belongs to 'kubectl' %(update, through scale%) since ", one.words)
            return one.words:match "Z(.-): it is 1, the profile says 2$"
        end
        assert.equal(" (3 min ago)", words(200))
        assert.equal(" (5 h ago)", words(5 * 3600 + 100))
        assert.equal(" (2 d ago)", words(2 * 86400 + 100))
        assert.equal("", words(-500)) -- their clock is ahead
    end)

    it("is told of every field", function()
        local all = read("edited", deployment("web", 2))
        local web = "spec.template.spec.containers[web]."
        local rows = {
            ['metadata.annotations["example.com/owner.name"]'] = { "them", "us" },
            ["metadata.annotations.plain"] = { "them", "us" },
            [web .. "args"] = { { "--c" }, { "--a", "--b" } },
            [web .. "image"] = { "example.com/web:2", "example.com/web:1" },
            [web .. "env[MODE].value"] = { "theirs", "ours" },
            [web .. "ports[80/TCP].name"] = { "web", "http" },
            ["spec.replicas"] = { 1, 2 },
        }
        for field, values in pairs(rows) do
            assert.same(values, { all[field].theirs, all[field].ours })
            local manager = field == "spec.replicas" and "kubectl" or "kubectl-edit"
            assert.same({ manager, time_of("edited", manager) or "" }, { all[field].manager, all[field].since })
            all[field] = nil
        end
        assert.same({}, all)
    end)

    it("with who applies, too, has a time though the server does not tell it", function()
        local one = read("applied", deployment("both", 3))["spec.replicas"]
        assert.equal("Apply", one.operation)
        assert.equal(time_of("applied", "first"), one.since)
        assert.matches("^spec%.replicas belongs to 'first' %(apply%) since ", one.words)
    end)

    it("goes without an object, too", function()
        local one = cjson.decode(native.conflict_read(recorded "scaled-conflict", nil,
            cjson.encode(deployment("web", 2))))[1]
        assert.equal("", one.since)
        assert.equal("spec.replicas belongs to 'kubectl' (update, through scale): it is not set, the profile says 2",
            one.words)
    end)

    it("leaves replicas to an autoscaler", function()
        local one = read("autoscaled", deployment("scaled", 1))["spec.replicas"]
        assert.same({ "yield", "an autoscaler sets it", 3 }, { one.action, one.why, one.theirs })
        one = read("scaled", deployment("web", 2), { autoscaler = true })["spec.replicas"]
        assert.equal("yield", one.action)
        local all = read("edited", deployment("web", 2), { autoscaler = true })
        assert.equal("yield", all["spec.replicas"].action)
        assert.equal("stop", all["metadata.annotations.plain"].action)
    end)

    it("leaves authorities of webhooks to who puts them in", function()
        local field = "webhooks[a.example.com].clientConfig.caBundle"
        local desired = { kind = "ValidatingWebhookConfiguration", metadata = { name = "recorded" }, webhooks = { {
            name = "a.example.com", clientConfig = { caBundle = ("LS0t"):rep(100) } } } }
        local one = read("webhook", desired)[field]
        assert.same({ "yield", "certificates are put in by another", "cainjector" },
            { one.action, one.why, one.manager })
        assert.matches("the profile says \"[LS0t]+%.%.%.$", one.words)
        desired.kind = "Other"
        assert.equal("stop", read("webhook", desired)[field].action)
    end)

    it("does not tell what a Secret holds", function()
        local desired = { kind = "Secret", metadata = { name = "pass" }, data = { ["db.password"] = "b3Vycw==" } }
        local made = native.conflict_read(recorded "secret-conflict", recorded "secret", cjson.encode(desired))
        assert.is_nil(made:find "b3Vycw")
        assert.is_nil(made:find "dGhlaXJz")
        local one = cjson.decode(made)[1]
        assert.equal('data["db.password"]', one.field)
        assert.matches("^data%[\"db.password\"%] belongs to 'kubectl%-patch' %(update%) since .*; its value differs from "
            .. "the profile's$", one.words)
    end)

    it("with nobody before the first apply stops", function()
        local one = read("before-first-apply", { kind = "ConfigMap", metadata = { name = "plain" },
            data = { ["a.b"] = "2" } })['data["a.b"]']
        assert.same({ "before-first-apply", "stop" }, { one.manager, one.action })
    end)

    it("is none in other answers", function()
        local status = { kind = "Status", reason = "Conflict", details = { causes = { { reason = "FieldValueInvalid" } } } }
        assert.is_nil(native.conflict_read(cjson.encode(status), nil, "{}"))
        assert.is_nil(native.conflict_read("{}", nil, "{}"))
    end)

    it("of a field that is not understood is told and can be taken", function()
        local status = cjson.encode { details = { causes = { { reason = "FieldManagerConflict",
            message = 'conflict with "x"', field = "{{invalid}}" } } } }
        local one = cjson.decode(native.conflict_read(status, nil, '{"kind": "Pod"}'))[1]
        assert.same({ "{{invalid}}", "x", "stop" }, { one.field, one.manager, one.action })
        local rules = '[{"action": "yield"}]'
        one = cjson.decode(native.conflict_read(status, nil, '{"kind": "Pod"}', rules))[1]
        assert.same({ "stop", "it can't be left out, as it is not in what the profile says" }, { one.action, one.why })
        one = cjson.decode(native.conflict_read(status, nil, '{"kind": "Pod"}', nil, true))[1]
        assert.equal("take", one.action)
    end)
end)

describe("policy of conflicts", function()
    local function action(rules, given)
        given = given or {}
        given.rules = rules
        local all = read("edited", deployment("web", 2), given)
        local function of(field)
            return all[field].action
        end
        return of, all
    end

    it("is the first rule that fits", function()
        local of, all = action {
            { field = "spec.replicas", manager = "kube", action = "take" },
            { kind = "StatefulSet", action = "take" },
            { field = "spec.replicas", manager = "kube*", action = "yield", origin = "profile.lua:3" },
            { field = "spec.replicas", action = "stop" },
            { manager = "*-edit", field = "metadata", action = "take" },
        }
        assert.equal("yield", of "spec.replicas")
        assert.equal("the profile says so (profile.lua:3)", all["spec.replicas"].why)
        assert.equal("take", of "metadata.annotations.plain")
        assert.equal("the profile says so", all["metadata.annotations.plain"].why)
        assert.equal("stop", of "spec.template.spec.containers[web].image")
    end)

    local image = "spec.template.spec.containers[web].image"
    for pattern, wanted in pairs {
        ["spec.template.spec.containers[web].image"] = "take",
        ["spec.template.spec.containers[0].image"] = "take",
        ["spec.template.spec.containers[*].image"] = "take",
        ['spec.template.spec.containers[name="web"].image'] = "take",
        ["*.image"] = "take", ["spec"] = "take", ["spec.template"] = "take", ["*containers"] = "take",
        ["spec.temp"] = "stop", ["*.imag"] = "stop", ["image"] = "stop", [""] = "stop", ["spec.template.*.args"] = "stop",
        ["*"] = "take", ["**image*"] = "take", ["spec.template.spec.containers[w?b].image"] = "stop",
    } do
        it(("field '%s' says %s of the image"):format(pattern, wanted), function()
            assert.equal(wanted, action({ { field = pattern, action = "take" } })(image))
        end)
    end

    it("goes before what the operator says, and that before what is usual", function()
        local of, all = action({ { field = "spec.replicas", action = "stop" } }, { force = true, autoscaler = true })
        assert.equal("stop", of "spec.replicas")
        assert.equal("take", of(image))
        assert.equal("--force-conflicts", all[image].why)
        assert.equal("take", action(nil, { force = true, autoscaler = true }) "spec.replicas")
    end)

    it("may say of an autoscaler's field that it is taken", function()
        local one = read("autoscaled", deployment("scaled", 1), { rules = { { kind = "Depl*", action = "take" } } })
        assert.equal("take", one["spec.replicas"].action)
    end)
end)
