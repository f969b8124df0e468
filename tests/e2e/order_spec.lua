local cjson = require "cjson"
local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

-- No node has this label: the pods stay Pending.
local nowhere = "node_selector = { no = 'where' }"

-- Pods that crash (tests/cluster/fails.yaml).
local crashes = "labels = { ['test.bkdeploy/fails'] = 'CrashLoopBackOff' }"

--- The states of the components of a run with -o json, by name, and their reasons.
local function states_of(run)
    local states, reasons = {}, {}
    for _, component in ipairs(support.ending(run.out).components) do
        states[component.name], reasons[component.name] = component.state, component.reason
    end
    return states, reasons
end

--- Whether a text comes before another one in what a run said.
local function comes_before(run, first, second)
    local one, other = run.err:find(first), run.err:find(second)
    assert.is_truthy(one, first .. " is not in " .. run.err)
    assert.is_truthy(other, second .. " is not in " .. run.err)
    return one < other
end

describe("the order of an apply", function()
    it("lets one branch go on while another one waits", function()
        local run = on_cluster("apply", profile("order-parallel", ([[
            local stuck = bk.deployment 'stuck' { image = 'i:1', %s }
            local first = bk.deployment 'first' { image = 'i:1' }
            local second = bk.deployment 'second' { image = 'i:1', needs = { first } }
            return { stuck, bk.deployment 'never' { image = 'i:1', needs = { stuck } }, first, second,
                bk.deployment 'third' { image = 'i:1', needs = { second } } }]]):format(nowhere)), "--timeout", "3s",
            "-o", "json")
        assert.equal(5, run.code)
        assert.same({ namespace = "ready", first = "ready", second = "ready", third = "ready", stuck = "rolling",
            never = "waiting" }, (states_of(run)))
        assert.is_true(comes_before(run, "ready +first ", "ready +second "))
        assert.is_true(comes_before(run, "ready +second ", "ready +third "))
    end)

    it("is that of `after`, by component and by name", function()
        local folder = profile("order-after", ([[
            local first = bk.deployment 'first' { image = 'i:1', after = { 'last' } }
            return { bk.raw 'second' { { apiVersion = 'v1', kind = 'ConfigMap', metadata = { name = 'second' } },
                after = { first } }, first, bk.deployment 'last' { image = 'i:1', %s } }]]):format(nowhere))
        local run = on_cluster("apply", folder, "--timeout", "2s", "-o", "json")
        assert.equal(5, run.code)
        local _, reasons = states_of(run)
        assert.same({ "comes after last", "comes after first" }, { reasons.first, reasons.second })
        assert.equal("deployment.apps/last\n", kubectl "get deployments -n order-after -o name")
        local file = folder .. "/order.plan"
        assert.equal(1, on_cluster("plan", folder, "-o", file).code)
        assert.same({ "namespace", "last", "first", "second" }, cjson.decode(support.read(file)).order)
    end)

    it("is that of kinds within a component", function()
        local run = on_cluster("apply", profile("order-kinds", [[
            local meta = function(name) return { name = name } end
            local rbac = 'rbac.authorization.k8s.io'
            return { bk.raw 'all' {
                { apiVersion = 'admissionregistration.k8s.io/v1', kind = 'ValidatingWebhookConfiguration',
                    metadata = meta 'order-kinds', webhooks = { { name = 'none.example.com', sideEffects = 'None',
                        admissionReviewVersions = { 'v1' }, clientConfig = { url = 'https://127.0.0.1:1/none' },
                        rules = { { apiGroups = { 'none.example.com' }, apiVersions = { 'v1' }, operations = { 'CREATE' },
                            resources = { 'nothing' } } } } } },
                { apiVersion = 'networking.k8s.io/v1', kind = 'Ingress', metadata = meta 'web', spec = {
                    defaultBackend = { service = { name = 'web', port = { number = 80 } } } } },
                { apiVersion = 'batch/v1', kind = 'CronJob', metadata = meta 'night', spec = { schedule = '0 3 1 1 *',
                    jobTemplate = { spec = { template = { spec = { restartPolicy = 'Never', containers = {
                        { name = 'a', image = 'i:1' } } } } } } } },
                { apiVersion = rbac .. '/v1', kind = 'RoleBinding', metadata = meta 'reads', roleRef = { apiGroup = rbac,
                    kind = 'Role', name = 'reads' }, subjects = { { kind = 'ServiceAccount', name = 'reader' } } },
                { apiVersion = 'v1', kind = 'Secret', metadata = { name = 'token', annotations = {
                    ['kubernetes.io/service-account.name'] = 'reader' } }, type = 'kubernetes.io/service-account-token' },
                { apiVersion = 'v1', kind = 'ConfigMap', metadata = meta 'settings' },
                { apiVersion = rbac .. '/v1', kind = 'Role', metadata = meta 'reads', rules = { { apiGroups = { '' },
                    resources = { 'pods' }, verbs = { 'get' } } } },
                { apiVersion = 'v1', kind = 'ServiceAccount', metadata = meta 'reader' },
            } }]]))
        assert.equal(0, run.code, run.err)
        -- The revision of an object that nobody has changed since is when it came.
        local function revision(object)
            return math.tointeger(kubectl(("get %s -n order-kinds -o 'jsonpath={.metadata.resourceVersion}'"):format(object)))
        end
        local came = {}
        for i, object in ipairs { "serviceaccount/reader", "role/reads", "rolebinding/reads", "configmap/settings",
            "cronjob/night", "ingress/web", "validatingwebhookconfiguration/order-kinds" } do
            came[i] = revision(object)
        end
        assert.is_true(math.max(came[1], came[2]) < math.min(came[3], came[4]))
        assert.is_true(math.max(came[3], came[4]) < came[5])
        assert.is_true(came[5] < came[6] and came[6] < came[7])
        assert.is_truthy(kubectl("get secret token -n order-kinds -o 'jsonpath={.data.token}'"):find "%w")
        assert.equal(0, on_cluster("delete", "order-kinds", "-n", "order-kinds").code)
    end)
end)

describe("a component that fails", function()
    --- `slow` is ready only after `migrate` has failed.
    local branches = ([[
        local migrate = bk.job 'migrate' { image = 'i:1', deadline = '1s', %s }
        local slow = bk.deployment 'slow' { image = 'i:1', min_ready = '4s' }
        return { migrate, slow, bk.deployment 'front' { image = 'i:1', after = { 'web' } },
            bk.deployment 'web' { image = 'i:1', needs = { migrate } },
            bk.deployment 'late' { image = 'i:1', needs = { slow } } }]]):format(nowhere)

    it("blocks what waits for it, and nothing else", function()
        local folder = profile("order-fails", branches)
        local run = on_cluster("apply", folder, "-o", "json")
        assert.equal(4, run.code, run.err)
        local states, reasons = states_of(run)
        assert.same({ namespace = "ready", migrate = "failed", slow = "ready", late = "ready", web = "blocked",
            front = "blocked" }, states)
        assert.same({ "by migrate, which failed", "by migrate, which failed" }, { reasons.web, reasons.front })
        assert.matches("DeadlineExceeded", reasons.migrate)
        assert.is_true(comes_before(run, "\nfailed +migrate ", "\nready +slow "))
        assert.is_true(comes_before(run, "\nready +slow ", "\nready +late "))
        assert.matches("\nblocked +web +by migrate, which failed\n", run.err)
        assert.matches("\nbkdeploy: component 'migrate' %(.*profile.lua:3%): Job order%-fails/migrate: DeadlineExceeded: [^\n]* "
            .. "%(4 of 6 objects applied; components: 3 ready; 1 failed: migrate; 2 blocked: front, web%)\n$", run.err)
        assert.equal("deployment.apps/late\ndeployment.apps/slow\n", kubectl "get deployments -n order-fails -o name")

        local report = support.ending(run.out).report
        assert.equal("migrate", report.root.component)
        assert.same({ { "web" }, { "front" } }, report.root.blocks)
        assert.equal(1, #report.components)
        assert.same({ "front", "web" }, { report.blocked[1].component, report.blocked[2].component })
        assert.matches("\nROOT CAUSE  Job order%-fails/migrate: ", run.err)
        assert.matches("\nfront %([^)]*%): blocked by migrate, which failed\n", run.err)
        assert.equal("failed", cjson.decode(on_cluster("history", folder, "-o", "json").out).revisions[1].outcome)
    end)

    it("ends it all with --fail-fast", function()
        local run = on_cluster("apply", profile("order-fast", branches), "--fail-fast", "-o", "json")
        assert.equal(4, run.code, run.err)
        assert.same({ namespace = "ready", migrate = "failed", slow = "rolling", late = "waiting", web = "waiting",
            front = "waiting" }, (states_of(run)))
        assert.matches("components: 1 ready; 1 failed: migrate; 1 not ready: slow; 3 not begun: [^\n]*%)\n$", run.err)
        assert.equal("deployment.apps/slow\n", kubectl "get deployments -n order-fast -o name")
    end)

    it("is told with all others that fail, the first one's exit code counts, and nothing is deleted", function()
        assert.equal(0, on_cluster("apply", profile("order-refused", "return { bk.config 'gone' { a = '1' } }")).code)
        -- A dry run allocates no port, so only the real apply finds that the second one's is out of range.
        local folder = profile("order-refused", ([[
            local one = bk.cronjob 'one' { image = 'i:1', schedule = '0 3 1 1 *' }
            local two = bk.deployment 'two' { image = 'i:1', ports = { http = 80 }, after = { one },
                service = { type = 'NodePort', node_ports = { http = 20000 } } }
            local bad = bk.deployment 'bad' { image = 'i:1', %s }
            return { one, two, bad, bk.deployment 'good' { image = 'i:1' },
                bk.deployment 'web' { image = 'i:1', needs = { two } } }]]):format(crashes))
        local run = on_cluster("apply", folder, "--grace", "1s", "-o", "json")
        assert.equal(3, run.code, run.err)
        local states, reasons = states_of(run)
        assert.same({ namespace = "ready", one = "ready", two = "failed", bad = "failed", good = "ready", web = "blocked" },
            states)
        assert.matches("not in the valid range", reasons.two)
        assert.matches("exits with code 1", reasons.bad)
        assert.matches("component 'two' %([^)]*%): Service order%-refused/two: .*not in the valid range.*; "
            .. "components: 3 ready; 2 failed: two, bad; 1 blocked: web%)\n$", run.err)
        local report = support.ending(run.out).report
        assert.equal("two", report.root.component)
        assert.same({ { "two", "Refused" }, { "bad", "CrashLoop" } }, {
            { report.components[1].component, report.components[1].cause },
            { report.components[2].component, report.components[2].cause } })
        assert.equal("configmap/gone\n", kubectl "get configmap gone -n order-refused -o name")
    end)

    it("leaves those to their own cause that lack what it would have brought", function()
        local run = on_cluster("apply", profile("order-lack", ([[
            local migrate = bk.job 'migrate' { image = 'i:1', backoff_limit = 0, labels = { ['test.bkdeploy/fails'] = 'Exit' } }
            return { migrate, bk.raw 'auth' { { apiVersion = 'v1', kind = 'Secret', metadata = { name = 'auth' } },
                    needs = { migrate } },
                bk.deployment 'web' { image = 'i:1', env_from = { bk.existing_secret 'auth' },
                    labels = { ['test.bkdeploy/fails'] = 'CreateContainerConfigError' },
                    annotations = { ['test.bkdeploy/message'] = 'secret "auth" not found' } } }]])), "--grace", "1s",
            "--timeout", "40s", "-o", "json")
        assert.equal(4, run.code, run.err)
        assert.same({ namespace = "ready", migrate = "failed", auth = "blocked", web = "failed" }, (states_of(run)))
        assert.equal("migrate", support.ending(run.out).report.root.component)
    end)

    it("fails after its own grace", function()
        local began = os.time()
        local run = on_cluster("apply", profile("order-grace", ([[return {
            bk.deployment 'patient' { image = 'i:1', grace = '5s', %s }, bk.deployment 'hasty' { image = 'i:1', grace = '1s', %s },
            bk.deployment 'good' { image = 'i:1' } }]]):format(crashes, crashes)), "--grace", "55s", "--timeout", "60s")
        assert.equal(4, run.code, run.err)
        local took = os.time() - began
        assert.is_true(took >= 5 and took < 30, "it took " .. took .. " s")
        assert.is_true(comes_before(run, "\nfailed +hasty ", "\nfailed +patient "))
        assert.matches("components: 2 ready; 2 failed: patient, hasty%)\n$", run.err)
    end)

    it("keeps its exit code when the others take too long", function()
        local run = on_cluster("apply", profile("order-late", ([[return {
            bk.deployment 'bad' { image = 'i:1', grace = '1s', %s }, bk.deployment 'stuck' { image = 'i:1', %s } }]])
            :format(crashes, nowhere)), "--grace", "20s", "--timeout", "5s", "-o", "json")
        assert.equal(4, run.code, run.err)
        assert.matches("Deployment order%-late/bad: .*; then the time was over %(5s, %-%-timeout%) "
            .. "%(3 of 3 objects applied; components: 1 ready; 1 failed: bad; 1 not ready: stuck%)\n$", run.err)
        local report = support.ending(run.out).report
        assert.same({ "bad", "bad", "stuck" },
            { report.root.component, report.components[1].component, report.components[2].component })
    end)

    it("is rolled back from when all others have ended", function()
        local good = "return { bk.deployment 'web' { image = 'i:1' }, bk.deployment 'slow' { image = 'i:1' } }"
        assert.equal(0, on_cluster("apply", profile("order-back", good)).code)
        local run = on_cluster("apply", profile("order-back", ([[return { bk.deployment 'web' { image = 'i:2', %s },
            bk.deployment 'slow' { image = 'i:2', min_ready = '5s' } }]]):format(crashes)), "--grace", "1s",
            "--rollback-on-failure")
        assert.equal(4, run.code, run.err)
        assert.is_true(comes_before(run, "\nready +slow ", "\nrolling back to revision 1\n"))
        assert.equal("i:1 i:1", kubectl("get deployments -n order-back -o "
            .. "'jsonpath={.items[*].spec.template.spec.containers[*].image}'"))
    end)
end)
