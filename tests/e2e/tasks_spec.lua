-- Tasks: Jobs that a release runs while it is applied, with their logs; kwok reads what containers say from files.
local support = require "support"

local namespace = "tasked"

--- A profile: a config that the task goes before, and the task with some fields.
local function profile(fields, n, more)
    return support.profile(namespace, ([[
        local web = bk.config "web" { n = "%s" }
        return { web, %s bk.task "migrate" { image = "app:1", before = { web }, %s } }
    ]]):format(n or "1", more or "", fields or ""))
end

local function say(lines)
    local folder = io.popen("pwd"):read("l") .. "/" .. support.folder { ["log"] = lines }
    local file = support.folder { ["logs.yaml"] = ([[
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: { name: %s }
spec:
  selector: { matchNamespaces: [%s] }
  logs: [ { logsFile: %s/log } ]
]]):format(namespace, namespace, folder) } .. "/logs.yaml"
    support.kubectl("apply -f " .. file)
    os.execute("sleep 0.5")
end

local function line(second, text)
    return ("2026-11-24T02:00:%02d.000000001Z stdout F %s\n"):format(second, text)
end

local function uid()
    return support.kubectl(("get job migrate -n %s -o jsonpath={.metadata.uid}"):format(namespace))
end

local function logged(run)
    local lines = {}
    for text in run.err:gmatch "[^\n]+" do
        lines[#lines + 1] = text:match "^log       (.*)$"
    end
    return lines
end

describe("a task", function()
    setup(function()
        say(line(1, "first") .. line(2, "evil \27[31m") .. line(3, "word-of-the-secret"))
    end)
    teardown(function()
        support.kubectl("delete clusterlogs tasked --ignore-not-found")
    end)

    local before
    it("runs before what waits for it, and shows its log", function()
        local run = support.on_cluster("apply", profile("", "1", [[bk.secret "s" { word = "word-of-the-secret" },]]))
        assert.equal(0, run.code, run.err)
        assert.same({ "migrate: first", "migrate: evil \\x1B[31m", "migrate: ***" }, logged(run))
        local first, second = run.err:find "\nready +migrate", run.err:find "\nready +web"
        assert.is_true(first < second, run.err)
        before = uid()
    end)

    it("does not run again while its description stays", function()
        local run = support.on_cluster("apply", profile("", "2"))
        assert.equal(0, run.code, run.err)
        assert.same({}, logged(run))
        assert.equal(before, uid())
        run = support.on_cluster("apply", profile("env = { A = '1' }", "2"))
        assert.equal(0, run.code, run.err)
        assert.equal(3, #logged(run))
        assert.not_equal(before, uid())
        before = uid()
    end)

    it("runs at every apply that changes something, if it is to", function()
        local function apply(n)
            return support.on_cluster("apply", profile("env = { A = '1' }, run = 'always'", n))
        end
        local run = apply "3"
        assert.equal(0, run.code, run.err)
        before = uid()
        run = apply "3"
        assert.matches("nothing to change", run.err)
        assert.equal(before, uid())
        run = support.on_cluster("diff", profile("env = { A = '1' }, run = 'always'", "4"), "--summary")
        assert.matches("Job tasked/migrate.*the task runs at every apply that changes something", run.out)
        run = apply "4"
        assert.equal(0, run.code, run.err)
        assert.equal(3, #logged(run))
        assert.not_equal(before, uid())
    end)

    it("that fails is the end of the apply, with its log, and runs again at the next", function()
        local fails = "labels = { ['test.bkdeploy/fails'] = 'Exit' }"
        local run = support.on_cluster("apply", profile(fails, "5"), "--grace", "1s")
        assert.equal(4, run.code, run.err)
        assert.equal(3, #logged(run))
        assert.matches("component 'migrate'", run.err)
        assert.equal("4", support.kubectl("get cm web -n tasked -o jsonpath={.data.n}"))
        before = uid()
        run = support.on_cluster("apply", profile(fails, "5"), "--grace", "1s")
        assert.equal(4, run.code, run.err)
        assert.matches("the task failed: it runs again", run.err)
        assert.not_equal(before, uid())
        run = support.on_cluster("apply", profile("", "5"))
        assert.equal(0, run.code, run.err)
        assert.equal("5", support.kubectl("get cm web -n tasked -o jsonpath={.data.n}"))
    end)

    it("has a log that a hook can read", function()
        local folder = support.folder { ["profile.lua"] = [[
local bk = require "bk"
return bk.profile "tasked" { components = { bk.task "migrate" { image = "app:2" } }, hooks = { after_apply = function(ctx)
    local pods = ctx.kube.list { apiVersion = "v1", kind = "Pod", labels = "batch.kubernetes.io/job-name=migrate" }
    local name = pods[#pods].metadata.name
    ctx.log("%s", ctx.kube.logs { pod = name, container = "migrate", tail = 2 })
    ctx.log("%s", (select(2, pcall(ctx.kube.logs, { pod = name, container = "other" }))))
end } }
]] }
        local run = support.on_cluster("apply", folder)
        assert.equal(0, run.code, run.err)
        assert.matches("hook      after_apply: evil \\x1B%[31m\nhook      after_apply: word%-of%-the%-secret\n", run.err)
        assert.matches("hook      after_apply: .*profile.lua:6: container other is not valid for pod", run.err)
    end)

    it("is told where it can't be", function()
        local bad = {
            { "{ bk.task 'a' { image = 'i:1', before = { bk.config 'other' { a = '1' } } } }",
                "task 'a' is to run before 'other' %(.*%), which the profile does not list" },
            { "{ bk.task 'a' { image = 'i:1', run = 'sometimes' } }", "'run' should be one of changed, always" },
            { "(function() local web = bk.deployment 'web' { image = 'i:1' } "
                .. "return { web, bk.task 'a' { image = 'i:1', needs = { web }, before = { web } } } end)()",
                "needs" },
        }
        for _, row in ipairs(bad) do
            local run = support.run("render", support.profile("wrong", "return " .. row[1]))
            assert.equal(2, run.code, run.out)
            assert.matches(row[2], run.err)
        end
    end)
end)
