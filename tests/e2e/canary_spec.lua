-- The value of a Secret is nowhere but in that Secret: in no output, no message of a refusal, no revision, no plan.
local support = require "support"
local webhook = require "e2e.webhook"
local kubectl, on_cluster = support.kubectl, support.on_cluster

local values = {
    first = "canary-" .. ("first"):rep(3) .. '-"quo\\ted"\nline & <two>',
    second = "canary-" .. ("second"):rep(3) .. '-"quo\\ted"\nline & <two>',
}
local long = "canary-" .. ("0123456789abcdef"):rep(300)

local function base64(text)
    local folder = support.folder { text = text }
    return (support.shell(("base64 -w0 %s/text"):format(folder)).out)
end

--- Pieces by which a value is recognised, also when only a part of it is there.
local traces = { "canary", "firstfirst", "secondsecond", '"quo', "0123456789abcdef0123" }
for _, value in ipairs { values.first, values.second, long } do
    for shift = 0, 2 do -- wherever a piece of it begins in groups of three bytes
        traces[#traces + 1] = base64(value:sub(1 + shift, 60)):sub(3, 20)
    end
end

local function check_text(text, what)
    for _, trace in ipairs(traces) do
        local at = text:find(trace, 1, true)
        assert(not at, at and ("%s has '%s': %s"):format(what, trace, text:sub(math.max(1, at - 200), at + 200)))
    end
end

--- A command whose output tells nothing; returns its exit code.
local function quiet(...)
    local run = on_cluster(...)
    local what = table.concat({ ... }, " ")
    check_text(run.out, "stdout of " .. what)
    check_text(run.err, "stderr of " .. what)
    return run.code, run
end

local function folder_of(namespace, which, more)
    return support.folder {
        ["token.txt"] = values[which],
        ["long.txt"] = long,
        ["profile.lua"] = ([[local bk = require "bk"
            return bk.profile "%s" {
                components = function()
                    local token = bk.input "token" { type = "string", secret = true, file = "token.txt" }
                    local s = bk.secret "login" { token = token, plain = %q, long = %q }
                    return { s, bk.secret "text" { plain = %q }:plain(), bk.config "open" { a = "1" %s },
                        bk.deployment "web" { image = "i:1", env = { TOKEN = s.token } } }
                end }]]):format(namespace, values[which], long, values[which], more or ""),
    }
end

--- All Secrets but the live one: as they are, and what lies compressed in a revision.
local function stored(namespace)
    local run = support.shell(([[build/cluster/bin/kubectl --kubeconfig %s get secrets,configmaps,leases -n %s -o json | python3 -c '
import base64, json, sys, zlib
for item in json.load(sys.stdin)["items"]:
    if item["metadata"]["name"] in ("login", "text"):
        continue
    print(json.dumps(item))
    for value in (item.get("data") or {}).values() if item["kind"] == "Secret" else ():
        raw = base64.b64decode(value)
        print(raw)
        forms = [raw]
        try:
            forms.append(base64.b64decode(raw))
        except ValueError:
            pass
        for text in forms:
            for form in (15, -15, 47):
                try:
                    print("unpacked", zlib.decompressobj(form).decompress(text).decode("utf-8", "replace"))
                except zlib.error:
                    pass
']]):format(support.kubeconfig, namespace))
    assert.equal(0, run.code, run.err)
    return run.out
end

describe("the value of a Secret", function()
    it("is in no output and no record", function()
        local first, second = folder_of("birds", "first"), folder_of("birds", "second", ", b = '2'")
        assert.equal(1, (quiet("diff", first)))
        assert.equal(0, (quiet("apply", first, "-o", "json")))
        assert.equal(0, (quiet("diff", first)))
        local plan = support.folder {}
        for _, flags in ipairs { {}, { "-o", "json" }, { "--summary" } } do
            assert.equal(1, (quiet("diff", second, table.unpack(flags))))
        end
        assert.equal(1, (quiet("plan", second, "-o", plan .. "/open.plan")))
        check_text(support.read(plan .. "/open.plan"), "the plan")
        local key = support.folder { key = "a key of the specs\n" } .. "/key"
        assert.equal(1, (quiet("plan", second, "-o", plan .. "/sealed.plan", "--key", key)))
        check_text(support.read(plan .. "/sealed.plan"), "the sealed plan")
        local _, refused = quiet("apply", plan .. "/open.plan")
        assert.is_true(refused.code ~= 0)
        local code, run = quiet("apply", plan .. "/sealed.plan", "--key", key)
        assert.equal(0, code, run.err)
        for _, flags in ipairs { { "history", "birds" }, { "history", "birds", "2" }, { "history", "birds", "-o", "json" },
            { "history", "birds", "2", "-o", "json" }, { "get", "birds" }, { "get", "birds", "--revision", "1" },
            { "status", second }, { "status", second, "-o", "json" }, { "list" },
            { "rollback", "birds", "1" }, { "rollback", "birds", "2", "-o", "json" } } do
            code, run = quiet(table.unpack(flags))
            assert.equal(0, code, table.concat(flags, " ") .. run.err)
        end
        local text = stored "birds"
        assert.is_truthy(text:find("unpacked {", 1, true), "no revision could be read: " .. text:sub(1, 2000))
        check_text(text, "what is stored")
        assert.equal(values.second,
            kubectl [[get secret login -n birds -o go-template='{{index .data "plain" | base64decode}}']])
    end)

    it("is in no conflict", function()
        local folder = folder_of("birds-conflict", "first")
        assert.equal(0, (quiet("apply", folder)))
        kubectl(("patch secret login -n birds-conflict --type=merge -p '{\"data\":{\"token\":\"%s\"}}'")
            :format(base64(values.second)))
        for _, words in ipairs { { "diff" }, { "apply" }, { "apply", "--force-conflicts" } } do
            local code, run = quiet(words[1], folder, words[2])
            assert.equal(words[2] and 0 or 7, code, run.err)
        end
    end)

    it("is in no refusal that tells the whole object", function()
        local folder = folder_of("birds-echo", "first")
        kubectl "create namespace birds-echo"
        for _, case in ipairs { { "echo", '["login", "text"].exists(n, n == object.metadata.name)' },
            { "echo", 'object.metadata.name.endsWith(".key")' }, { "echo", 'object.metadata.name.endsWith(".v1")' },
            { "late-echo", '["login", "text"].exists(n, n == object.metadata.name)' } } do
            webhook.during("birds-echo", case[1], case[2], function()
                local code, run = quiet("apply", folder)
                assert.equal(3, code, run.err)
                assert.matches("denied the request", run.err)
                assert.is_nil(run.err:match '"key": "[A-Za-z0-9+/]+=*"')
            end)
        end
        assert.equal(0, (quiet("apply", folder)))
        quiet("history", "birds-echo", "-o", "json")
        check_text(stored "birds-echo", "what is stored")
    end)
end)
