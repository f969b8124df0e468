local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

--- Fields of a component whose pods fail (tests/cluster/fails.yaml); `more` is Lua text of further fields.
local function fails(how, message, more)
    return ("labels = { ['test.bkdeploy/fails'] = '%s' }, annotations = { ['test.bkdeploy/message'] = [[%s]] }, %s")
        :format(how, message or "", more or "")
end

--- Applies a profile that must fail long before its time-out, with this exit code and cause.
local function doomed(name, body, ...)
    local began = os.time()
    local run = on_cluster("apply", profile(name, body), "--grace", "1s", "--timeout", "60s", ...)
    assert.equal(4, run.code, run.err)
    assert.is_true(os.time() - began < 25, "it took too long")
    return run
end

--- A manifest for kubectl.
local function create(text)
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
    file:flush()
    kubectl("apply -f " .. path)
    os.remove(path)
end

--- The text as a pattern.
local function plain(text)
    return (text:gsub("%p", "%%%0"))
end

--- The first line of the report.
local function root(run)
    return run.err:match("\nROOT CAUSE  ([^\n]*)")
end

local missing_image = "failed to pull and unpack image: shop/web:2: not found"

--- A namespace with a quota that is in force: what comes sooner is not counted.
local function with_quota(name)
    create(([[
apiVersion: v1
kind: Namespace
metadata: {name: %s}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: %s}
spec: {hard: {requests.cpu: "1"}}
]]):format(name, name))
    kubectl(("wait resourcequota/q -n %s '--for=jsonpath={.status.hard}'"):format(name))
end

--- Rows: what it is, the profile's name, its body, what the cause says (plain text), and its word.
local rows = {
    { "a quota", "why-quota", "return { bk.deployment 'web' { image = 'i:1', resources = { cpu = '2', memory = '1Mi' } } }",
        "its pods are refused: exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1",
        "PodsRefused" },
    { "a service account that is not there", "why-account",
        "return { bk.statefulset 'web' { image = 'i:1', service_account = 'nobody-here' } }",
        "ServiceAccount why-account/nobody-here is not there", "PodsRefused" },
    { "a node selector", "why-selector", "return { bk.deployment 'web' { image = 'i:1', node_selector = { no = 'where' } } }",
        "no node takes it: 3 nodes: 3 don't match the pod's node selector or affinity", "Unschedulable" },
    { "too much memory", "why-memory", "return { bk.deployment 'web' { image = 'i:1', resources = { cpu = '1', memory = '9000Gi' } } }",
        "no node takes it: 3 nodes: 3 lack memory", "Unschedulable" },
    { "a claim whose class is not there", "why-claim",
        "return { bk.statefulset 'db' { image = 'i:1', claims = { data = { size = '1Gi', path = '/d', class = 'nowhere' } } } }",
        "StorageClass nowhere is not there", "ClaimUnbound" },
    { "an image that is not there", "why-image",
        ("return { bk.deployment 'web' { image = 'shop/web:2', %s } }"):format(fails("ErrImagePull", missing_image)),
        "container web: image shop/web:2 can't be pulled: the registry has no such image", "ImagePull" },
    { "a name that is none of an image", "why-name",
        ("return { bk.deployment 'web' { image = 'shop/web:2', %s } }"):format(fails("InvalidImageName")),
        "container web: 'shop/web:2' is not the name of an image", "ImagePull" },
    { "a crash loop", "why-crash", ("return { bk.deployment 'web' { image = 'i:1', replicas = 2, %s } }")
        :format(fails "CrashLoopBackOff"),
        "container web: it exits with code 1; restarted 3 times", "CrashLoop" },
    { "too little memory", "why-oom", ("return { bk.deployment 'web' { image = 'i:1', resources = { memory = '64Mi' }, %s } }")
        :format(fails "OOMKilled"),
        "container web: it runs out of memory and is killed (its limit is 64Mi); restarted 3 times", "OutOfMemory" },
    { "an init container", "why-init", ("return { bk.deployment 'web' { image = 'i:1', init = { { name = 'wait', image = 'w:1' } }, "
        .. "%s } }"):format(fails "Init"),
        "init container wait: it exits with code 1; restarted 2 times", "CrashLoop" },
    { "a command that is not there", "why-command", ("return { bk.deployment 'web' { image = 'i:1', command = { 'srv' }, %s } }")
        :format(fails("RunContainerError", 'exec: "srv": executable file not found in $PATH')),
        'container web: it can\'t be started: exec: "srv": executable file not found in $PATH', "ContainerRefused" },
    { "a ConfigMap that is not there", "why-config", ("return { bk.deployment 'web' { image = 'i:1', "
        .. "env_from = { bk.existing_config 'settings' }, %s } }"):format(fails("CreateContainerConfigError",
            'configmap "settings" not found')),
        "ConfigMap why-config/settings is not there", "ConfigMissing" },
    { "a Job that fails", "why-job", ("return { bk.job 'migrate' { image = 'i:1', backoff_limit = 0, %s } }")
        :format(fails "Exit"),
        "failed 1 time (backoffLimit 0); container migrate: it exits with code 1", "JobFailed" },
    { "a probe that fails until the deadline", "why-probe", ("return { bk.deployment 'web' { image = 'i:1', "
        .. "progress_deadline = '3s', ports = { http = 80 }, readiness = bk.http '/ready', %s } }"):format(fails "Unready"),
        "container web: it runs but is not ready: Readiness probe failed: HTTP probe failed with statuscode: 503 "
            .. "(HTTP at :http/ready)", "ProbeFailing" },
}

describe("an apply that can't come up", function()
    setup(function()
        with_quota "why-quota"
    end)

    for _, row in ipairs(rows) do
        it("ends early and names " .. row[1], function()
            local run = doomed(row[2], row[3], "-o", "json")
            local report = support.ending(run.out).report
            assert.matches(plain(row[4]), root(run))
            assert.equal(row[5], report.components[1].cause)
            assert.is_true(report.components[1].certain)
            assert.matches("profile.lua:%d+", report.root.origin)
        end)
    end

    it("names a taint", function()
        for node = 1, 3 do
            kubectl(("taint node node-%d why=tainted:NoSchedule"):format(node))
        end
        local run = on_cluster("apply", profile("why-taint", "return { bk.deployment 'web' { image = 'i:1' } }"),
            "--grace", "1s", "--timeout", "60s")
        for node = 1, 3 do
            kubectl(("taint node node-%d why-"):format(node))
        end
        assert.equal(4, run.code)
        assert.matches("no node takes it: 3 nodes: 3 have the taint why=tainted", root(run))
    end)

    it("names who refuses the pods", function()
        create [[
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: why-no-pods}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"]}]
  validations: [{expression: "false", message: "no pods on Fridays"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: why-no-pods}
spec:
  policyName: why-no-pods
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: why-policy}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: why-policy}
]]
        finally(function()
            kubectl "delete validatingadmissionpolicybinding/why-no-pods validatingadmissionpolicy/why-no-pods"
        end)
        local probe = "run probe -n why-policy --image=i:1 --dry-run=server"
        for _ = 1, 50 do -- it takes a while until the policy is in force
            if not pcall(kubectl, probe) then
                break
            end
            os.execute "sleep 0.2"
        end
        local run = doomed("why-policy", "return { bk.deployment 'web' { image = 'i:1' } }")
        assert.matches("its pods are refused: .*no pods on Fridays", root(run))
    end)

    it("is not given up for a webhook that does not answer, which is told when the time is over", function()
        create [[
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: why-webhook}
webhooks:
- name: why.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  timeoutSeconds: 1
  clientConfig: {url: "https://127.0.0.1:1/"}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: why-webhook}}
  rules: [{apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"]}]
]]
        finally(function()
            kubectl "delete validatingwebhookconfiguration why-webhook"
        end)
        os.execute "sleep 1"
        local run = on_cluster("apply", profile("why-webhook", "return { bk.deployment 'web' { image = 'i:1' } }"),
            "--grace", "1s", "--timeout", "5s")
        assert.equal(5, run.code, run.err)
        assert.matches('its pods are refused: .*failed calling webhook "why.example.com"', root(run))
        assert.matches("\n  try       look at the Service and the pods of the webhook\n", run.err)
    end)

    it("tells pod, container, since when, events, log, changes and what to try", function()
        local body = "return { bk.deployment 'web' { image = 'shop/web:%s', %s } }"
        assert.equal(0, on_cluster("apply", profile("why-more", body:format("1", ""))).code)
        local run = doomed("why-more", body:format("2", fails("CrashLoopBackOff")))
        assert.matches("\nweb %(.*profile.lua:3%): Deployment why%-more/web\n  pod +web%-%w+%-%w+\n  reason +container web: "
            .. "it exits with code 1; restarted 3 times\n  since +20", run.err)
        assert.matches("\n  events +Pod web.*: BackOff: Back%-off restarting failed container %(", run.err)
        assert.matches("\n  log +", run.err)
        assert.matches('\n  changed[^\n]*\n.*Deployment web spec.template.spec.containers%[0%].image: "shop/web:1" %-> '
            .. '"shop/web:2"\n', run.err)
        assert.matches("\n  try +its log tells more\n", run.err)
    end)

    it("shows the last lines of the log, without values of Secrets", function()
        local lines = {}
        for i = 1, 30 do
            lines[i] = ("2026-11-24T02:00:%02d.000000001Z stderr F line %d: no entry with s3cret-s3cret\n"):format(i, i)
        end
        local folder = io.popen("pwd"):read("l") .. "/" .. support.folder { log = table.concat(lines) }
        create(([[
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: {name: why-log}
spec: {selector: {matchNamespaces: [why-log]}, logs: [{logsFile: %s/log, previousLogsFile: %s/log}]}
]]):format(folder, folder))
        finally(function()
            kubectl "delete clusterlogs why-log"
        end)
        os.execute "sleep 0.5"
        local run = doomed("why-log", ([[
            local s = bk.secret 's' { password = 's3cret-s3cret' }
            return { s, bk.deployment 'web' { image = 'i:1', env = { P = s:key 'password' }, %s } }]])
            :format(fails "CrashLoopBackOff"))
        assert.matches("\n  log +the last 20 lines of container web[^\n]*\n +line 11: no entry with %*%*%*\n", run.err)
        assert.matches("\n +line 30: no entry with %*%*%*\n", run.err)
        assert.is_nil(run.err:find("line 10:", 1, true))
        assert.is_nil(run.err:find("s3cret-s3cret", 1, true))
    end)

    it("shows no value of a Secret, though a server says it", function()
        local run = doomed("why-secret", ([[
            local s = bk.secret 's' { password = 'hunter2-hunter2' }
            return { s, bk.deployment 'web' { image = 'i:1', env = { P = s:key 'password' }, %s } }]])
            :format(fails("RunContainerError", "exec: hunter2-hunter2: no such file")))
        assert.matches("exec: %*%*%*: no such file", root(run))
        assert.is_nil((run.err .. run.out):find("hunter2", 1, true))
    end)

    it("goes on without events where they may not be read", function()
        kubectl "create namespace why-blind"
        kubectl("create clusterrole why-blind --verb='*' --resource=namespaces,secrets,configmaps,pods,"
            .. "deployments.apps,replicasets.apps,leases.coordination.k8s.io")
        kubectl "create clusterrolebinding why-blind --clusterrole=why-blind --user=nobody"
        finally(function()
            kubectl "delete clusterrolebinding/why-blind clusterrole/why-blind"
        end)
        local run = doomed("why-blind", ("return { bk.deployment 'web' { image = 'i:1', %s } }")
            :format(fails "CrashLoopBackOff"), "--context", "nobody")
        assert.matches("container web: it exits with code 1", root(run))
        assert.matches("\nnote: events of namespace why%-blind can't be read: .*forbidden", run.err)
    end)

    it("waits for the grace, and for less when it is told so", function()
        local folder = profile("why-grace", ("return { bk.deployment 'web' { image = 'i:1', %s } }")
            :format(fails "CrashLoopBackOff"))
        local run = on_cluster("apply", folder, "--grace", "30s", "--timeout", "4s")
        assert.equal(5, run.code)
        assert.matches("container web: it exits with code 1", root(run))
        assert.equal(4, on_cluster("apply", folder, "--grace", "500ms", "--timeout", "20s").code)
        assert.equal(2, on_cluster("apply", folder, "--grace", "soon").code)
    end)

    it("watches nothing when all is ready at once", function()
        local run = on_cluster("apply", profile("why-fast", "return { bk.deployment 'web' { image = 'i:1' } }"))
        assert.equal(0, run.code)
        assert.is_nil(root(run))
    end)
end)

--- Rows: what it is, the profile's name, its body, the root (plain text), what it blocks.
local chains = {
    { "a Secret without its key", "root-key", ([[
        local auth = bk.secret 'mysql-auth' { user = 'shop-user' }
        local mysql = bk.deployment 'mysql' { image = 'i:1', env = { USER = auth:key 'user',
            PASSWORD = bk.existing_secret 'mysql-auth':key 'password' }, %s }
        local migrate = bk.job 'migrate' { image = 'i:1', needs = { mysql } }
        return { auth, mysql, migrate, bk.deployment 'web' { image = 'i:1', needs = { migrate } },
            bk.deployment 'api' { image = 'i:1', needs = { migrate } }, bk.deployment 'other' { image = 'i:1' } }]])
        :format(fails("CreateContainerConfigError", "couldn't find key password in Secret root-key/mysql-auth")),
        'Secret root-key/mysql-auth has no key "password"', "migrate -> web, api" },
    { "an image that is not there", "root-image", ([[
        local db = bk.deployment 'db' { image = 'shop/db:2', %s }
        local cache = bk.deployment 'cache' { image = 'i:1', needs = { db } }
        local web = bk.deployment 'web' { image = 'i:1', needs = { cache } }
        return { bk.deployment 'front' { image = 'i:1', needs = { web } }, web, cache, db }]])
        :format(fails("ErrImagePull", missing_image)),
        "Deployment root-image/db: container db: image shop/db:2 can't be pulled", "cache -> web -> front" },
    { "a claim without a class", "root-claim", [[
        local db = bk.statefulset 'db' { image = 'i:1', claims = { data = { size = '1Gi', path = '/d', class = 'nowhere' } } }
        local migrate = bk.job 'migrate' { image = 'i:1', needs = { db } }
        local web = bk.deployment 'web' { image = 'i:1', needs = { migrate } }
        return { db, migrate, web, bk.deployment 'front' { image = 'i:1', needs = { web } } }]],
        "StorageClass nowhere is not there", "migrate -> web -> front" },
    { "a Job that fails in the middle", "root-job", ([[
        local db = bk.deployment 'db' { image = 'i:1' }
        local migrate = bk.job 'migrate' { image = 'i:1', needs = { db }, backoff_limit = 0, %s }
        local web = bk.deployment 'web' { image = 'i:1', needs = { migrate } }
        return { db, migrate, web, bk.deployment 'front' { image = 'i:1', needs = { web } } }]]):format(fails "Exit"),
        "Job root-job/migrate: failed 1 time", "web -> front" },
    { "a quota, beside a failure that nothing waits for", "root-quota", ([[
        local lone = bk.deployment 'alone' { image = 'i:1', resources = { cpu = '1m', memory = '1Mi' }, %s }
        local db = bk.deployment 'db' { image = 'i:1', resources = { cpu = '2', memory = '1Mi' } }
        local api = bk.deployment 'api' { image = 'i:1', resources = { cpu = '1m', memory = '1Mi' }, needs = { db } }
        return { lone, db, api, bk.deployment 'web' { image = 'i:1', resources = { cpu = '1m', memory = '1Mi' }, needs = { api } } }]])
        :format(fails "CrashLoopBackOff"),
        "Deployment root-quota/db: its pods are refused: exceeded quota: q", "api -> web" },
    { "a Secret that comes only after who reads it", "root-ring", ([[
        local web = bk.deployment 'web' { image = 'i:1', env = { A = bk.existing_secret 'late':key 'a' }, %s }
        local late = bk.raw 'late' { { apiVersion = 'v1', kind = 'Secret', metadata = { name = 'late' },
            data = { a = 'YWFhYQ==' } }, needs = { web } }
        return { web, late, bk.deployment 'front' { image = 'i:1', needs = { late } } }]])
        :format(fails("CreateContainerConfigError", 'secret "late" not found')),
        "Secret root-ring/late is not there: it comes with component late, which needs web", "late -> front" },
}

describe("the root cause", function()
    setup(function()
        with_quota "root-quota"
    end)

    for _, row in ipairs(chains) do
        it("is " .. row[1], function()
            local run = doomed(row[2], row[3])
            assert.matches("^" .. plain(row[4]), root(run))
            assert.matches("\n  blocks +" .. plain(row[5]) .. "\n", run.err)
        end)
    end

    it("is what a Secret waits for that is on its way, and who reads it is not given up", function()
        local run = on_cluster("apply", profile("root-coming", ([[
            local slow = bk.deployment 'slow' { image = 'i:1', %s }
            local late = bk.raw 'late' { { apiVersion = 'v1', kind = 'Secret', metadata = { name = 'late' },
                data = { a = 'YWFhYQ==' } }, needs = { slow } }
            return { bk.deployment 'web' { image = 'i:1', env = { A = bk.existing_secret 'late':key 'a' }, %s }, slow, late }]])
            :format(fails("Unready", "", "ports = { http = 80 }, readiness = bk.tcp 'http'"),
                fails("CreateContainerConfigError", 'secret "late" not found'))), "--grace", "1s", "--timeout", "6s")
        assert.equal(5, run.code, run.err)
        assert.matches("^Deployment root%-coming/slow: container slow: it runs but is not ready", root(run))
        assert.matches("\n  blocks +late %-> web\n", run.err)
    end)

    it("is in the profile, by its line", function()
        local run = doomed("root-line", ([[return {
            bk.deployment 'web' {
                image = 'shop/web:2',
                %s } }]]):format(fails("ErrImagePull", missing_image)))
        assert.matches("%(component web, .*profile.lua:5%)$", root(run))
    end)
end)
