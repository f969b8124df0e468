local cjson = require "cjson"
local browse = require "browser"
local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

local function has(told, ...)
    for _, text in ipairs { ... } do
        assert.is_truthy(told.text:find(text, 1, true), text)
    end
end

local function contains(text, part)
    assert(text:find(part, 1, true), "the page has no '" .. part .. "'")
end

--- The folder that a test's page goes to, and the page.
local function place()
    local folder = support.folder()
    return folder, folder .. "/report.html"
end

local function files_in(folder)
    return support.shell("ls -A " .. folder).out
end

local shop = [[
    local settings = bk.config "settings" { MODE = "%s" }
    local keys = bk.secret "keys" { PASSWORD = "hunter2-hunter2" }
    local db = bk.statefulset "db" { image = "db:1", ports = { tcp = 5432 }, env = { PASSWORD = keys:key "PASSWORD" }, %s }
    local migrate = bk.job "migrate" { image = "shop:1", needs = { db } }
    local web = bk.deployment "web" { image = "shop:1", ports = { http = 80 }, needs = { migrate }, env_from = { settings },
        ingress = { host = "shop.example.com" } }
    local apart = bk.config "apart" { A = "b" }
    return { settings, keys, db, migrate, web, apart }]]

--- What the containers of a namespace say: kwok reads it from a file.
local function say(namespace, text)
    local folder = io.popen("pwd"):read("l") .. "/" .. support.folder { log = text }
    kubectl("apply -f " .. support.folder { ["logs.yaml"] = ([[
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: { name: %s }
spec:
  selector: { matchNamespaces: [%s] }
  logs: [ { logsFile: %s/log } ]
]]):format(namespace, namespace, folder) } .. "/logs.yaml")
    finally(function() kubectl("delete clusterlogs " .. namespace) end)
    os.execute("sleep 0.5")
end

describe("apply --report", function()
    setup(function() -- of an earlier run
        kubectl "delete ns page-good page-bad page-back page-refused page-stop page-graph --ignore-not-found"
    end)

    it("shows what was done, where the time went, and what it is made of", function()
        local folder, page = place()
        local run = on_cluster("apply", profile("page-good", shop:format("fast", "")), "--report", page)
        assert.equal(0, run.code, run.err)
        assert.matches("report: " .. page, run.err, 1, true)
        assert.equal("report.html\n", files_in(folder))
        local told = browse(page, "good")
        assert.equal("ready", told.outcome)
        has(told, "apply page-good", "7 of 7 ready", "Critical path", "shop.example.com", "MODE: fast",
            "Deployment page-good/web", "needs db")
        assert.equal(7, told.names)
        assert.equal(7, told.parts)
        assert.is_true(told.bars >= 7 and told.waits >= 2 and told.lines >= 3)
        assert.equal(0, told.failed)
        assert.is_falsy(support.read(page):find "hunter2")

        -- Another apply takes the page's place, and shows the field that changes.
        run = on_cluster("apply", profile("page-good", shop:format("slow", "")), "--report", page)
        assert.equal(0, run.code, run.err)
        contains(support.read(page), "<del>-   MODE: fast</del>")
        contains(support.read(page), "<ins>+   MODE: slow")

        run = on_cluster("rollback", "page-good", "1", "-n", "page-good", "--report", page)
        assert.equal(0, run.code, run.err)
        contains(support.read(page), "<h1>rollback page-good</h1>")
        contains(support.read(page), "<dd>rollback to 1</dd>")
    end)

    it("shows what failed, with its events and log, whatever is written in them", function()
        local evil = [[<script>alert(1)</script><img src=x onerror=alert(2)> &amp; "'\27[31m\27]0;t\7]]
        local fails = ([[labels = { ["test.bkdeploy/fails"] = "CreateContainerConfigError" },
            annotations = { ["test.bkdeploy/message"] = "%s" }]]):format((evil:gsub('"', '\\"')))
        local _, page = place()
        local run = on_cluster("apply", profile("page-bad", shop:format("fast", fails)), "--report", page, "--grace", "1s")
        assert.equal(4, run.code, run.err)
        local told = browse(page, "failed")
        assert.equal("failed", told.outcome)
        has(told, "What failed", "root cause", "migrate → web", "<script>alert(1)</script><img src=x", "4 of 7 ready")
        assert.is_true(told.failed >= 1)
        assert.is_falsy(support.read(page):find("\27", 1, true))
        assert.is_falsy(support.read(page):find "hunter2")
    end)

    it("tells of going back after a failure", function()
        local _, page = place()
        local body = "return { bk.deployment 'web' { image = 'web:1', %s } }"
        say("page-back", "2026-11-24T02:00:00.000000001Z stderr F <b>no</b> \27[31m\n2026-11-24T02:00:01.000000001Z stderr F "
            .. ("x"):rep(1 << 20) .. "\n")
        assert.equal(0, on_cluster("apply", profile("page-back", body:format(""))).code)
        local run = on_cluster("apply", profile("page-back", body:format
            [[labels = { ["test.bkdeploy/fails"] = "CrashLoopBackOff" }]]), "--report", page, "--grace", "1s",
            "--rollback-on-failure")
        assert.equal(4, run.code, run.err)
        local text = support.read(page)
        contains(text, 'id="outcome">failed<')
        contains(text, "Rolled back: the release is again as revision 1.")
        contains(text, "Log of container web")
        contains(text, "&lt;b&gt;no&lt;/b&gt; ")
        contains(text, ("x"):rep(500))
        assert.is_falsy(text:find("\27", 1, true))
        assert.is_true(#text < 60000)
    end)

    it("is written when the plan is refused, too", function()
        local _, page = place()
        local run = on_cluster("apply", profile("page-refused", [[
            return { bk.config "first" { A = "1" },
                bk.deployment "web" { image = "web:1", patch = function(o) o.spec.replicas = -1 end } }]]), "--report", page)
        assert.equal(3, run.code, run.err)
        local text = support.read(page)
        contains(text, 'id="outcome">refused<')
        contains(text, "(nothing was applied)")
        contains(text, '<section id="failures">')
        contains(text, '<section id="topology">')
        assert.is_falsy(text:find('<section id="timeline">', 1, true))
        assert.equal("", kubectl "get ns page-refused --ignore-not-found")
    end)

    it("is written after an interrupt", function()
        local _, page = place()
        local run = support.during("rolling", "kill -INT $PID", "apply", profile("page-stop", [[
            local db = bk.deployment "db" { image = "db:1", labels = { ["test.bkdeploy/fails"] = "Unready" } }
            return { db, bk.deployment "web" { image = "web:1", needs = { db } } }]]), "--report", page)
        assert.equal(130, run.code, run.err)
        local text = support.read(page)
        contains(text, 'id="outcome">interrupted<')
        contains(text, '<rect class="rolling"')
    end)

    it("is written when the profile is in error, or the cluster is not there", function()
        local folder, page = place()
        local run = support.run("apply", support.folder { ["profile.lua"] = "error '<b>no</b>'" }, "--report", page)
        assert.equal(2, run.code)
        contains(support.read(page), "&lt;b&gt;no&lt;/b&gt;")
        run = support.run("apply", folder .. "/no\255such", "--report", page)
        assert.equal(2, run.code)
        contains(support.read(page), "profile in error")
        run = support.shell(("KUBECONFIG=%s/none %s apply profiles/hello --yes --report %s"):format(folder,
            os.getenv("BKDEPLOY") or "build/bkdeploy", page))
        assert.is_true(run.code ~= 0)
        contains(support.read(page), '<header class="bad">')
    end)

    it("sends nothing when its file can't be written", function()
        local folder = support.folder { file = "kept" }
        for _, row in ipairs {
            { folder .. "/none/report.html", "can't be written: No such file" }, { folder, "is a folder, no file" },
            { folder .. "/file/report.html", "can't be written: Not a directory" }, { "/dev/full", "is a device, no file" },
        } do
            local run = on_cluster("apply", profile("page-nowhere", "return { bk.config 'a' { A = '1' } }"), "--report", row[1])
            assert.equal(2, run.code, run.err)
            assert.matches("^bkdeploy: %-%-report: [^\n]*" .. row[2]:gsub("%p", "%%%0") .. "[^\n]*\n$", run.err)
        end
        assert.equal("", kubectl "get ns page-nowhere --ignore-not-found")
        assert.equal("file\n", files_in(folder))
    end)
end)

describe("bkdeploy graph of a release", function()
    it("has the status of each object", function()
        local folder = profile("page-graph", "return { bk.config 'a' { A = '1' }, bk.deployment 'web' { image = 'web:1' }, "
            .. "bk.deployment 'bad' { image = 'bad:1', labels = { ['test.bkdeploy/fails'] = 'Unready' } } }")
        on_cluster("apply", folder, "--no-wait")
        on_cluster("wait", folder, "deployment/web")
        kubectl "delete configmap a -n page-graph"
        local function states(...)
            local run, found = on_cluster("graph", ...), {}
            assert.equal(0, run.code, run.err)
            for _, node in ipairs(cjson.decode(run.out).nodes) do
                found[node.id] = node.status
            end
            return found, run
        end
        local wanted = {
            ["Component/namespace"] = "ready", ["Namespace/page-graph"] = "ready", ["Component/a"] = "missing",
            ["ConfigMap/a"] = "missing", ["Component/web"] = "ready", ["Deployment/web"] = "ready",
            ["Component/bad"] = "rolling", ["Deployment/bad"] = "rolling",
        }
        assert.same(wanted, (states(folder, "--live", "-o", "json")))
        assert.same(wanted, (states("page-graph", "-n", "page-graph", "-o", "json")))

        -- Who may read no Deployments sees the rest.
        kubectl "create serviceaccount viewer -n page-graph"
        kubectl "create role viewer -n page-graph --verb=get,list --resource=configmaps"
        kubectl "create rolebinding viewer -n page-graph --role=viewer --serviceaccount=page-graph:viewer"
        local token = kubectl("create token viewer -n page-graph"):gsub("%s", "")
        local user = support.folder()
        support.shell(("cp %s %s/kubeconfig"):format(support.kubeconfig, user))
        support.shell(("build/cluster/bin/kubectl --kubeconfig %s/kubeconfig config set-credentials viewer --token=%s")
            :format(user, token))
        support.shell(("build/cluster/bin/kubectl --kubeconfig %s/kubeconfig config set-context --current --user=viewer")
            :format(user))
        local run = support.run("graph", folder, "--live", "-o", "json", "--kubeconfig", user .. "/kubeconfig")
        assert.equal(0, run.code, run.err)
        assert.matches("^3 objects without a status: [^\n]*forbidden[^\n]*\n$", run.err)
        local found = {}
        for _, node in ipairs(cjson.decode(run.out).nodes) do
            found[node.id] = node.status
        end
        assert.equal("unknown", found["Deployment/web"])
        assert.equal("missing", found["ConfigMap/a"])
    end)

    it("is coloured", function()
        local run = on_cluster("graph", "page-graph", "-n", "page-graph")
        assert.matches("classDef ready fill:#", run.out)
        assert.matches("classDef missing fill:#", run.out)
    end)

    it("tells when there is no such release, or no cluster", function()
        assert.equal(2, on_cluster("graph", "page-none", "-n", "page-none").code)
        assert.equal(2, on_cluster("graph", "nothing-of-that-name").code)
    end)
end)
