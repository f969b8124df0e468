-- What an apply meets on a bad day. Each time: one clear line, the right exit code, and the next apply puts it right.
local support = require "support"
local webhook = require "e2e.webhook"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

local function applied(folder, ...)
    local run = on_cluster("apply", folder, ...)
    assert.equal(0, run.code, run.err)
    return run
end

local function exists(what, namespace)
    return kubectl(("get %s -n %s --ignore-not-found -o name"):format(what, namespace)) ~= ""
end

--- Applies, and nothing is left to do.
local function mended(folder, ...)
    local run = applied(folder, ...)
    local diff = on_cluster("diff", folder)
    assert.equal(0, diff.code, diff.out .. diff.err)
    return run
end

--- An apply that ends with this code, and with one line that matches.
local function fails(code, pattern, folder, ...)
    local run = on_cluster("apply", folder, ...)
    assert.equal(code, run.code, run.err)
    local line = run.err:match("bkdeploy: ([^\n]*)\n$")
    assert(line and not line:find("\nbkdeploy: ", 1, true), run.err)
    assert.matches(pattern, line)
    return run
end

local function make(yaml)
    kubectl("apply --server-side -f " .. support.folder { ["m.yaml"] = yaml } .. "/m.yaml")
end

local function quota(namespace, hard)
    make(("{apiVersion: v1, kind: ResourceQuota, metadata: {name: full, namespace: %s}, spec: {hard: {%s}}}")
        :format(namespace, hard))
    for _ = 1, 100 do
        if kubectl(("get resourcequota full -n %s -o 'jsonpath={.status.hard}'"):format(namespace)) ~= "" then
            return
        end
        os.execute("sleep 0.1")
    end
end

describe("a full quota", function()
    it("for ConfigMaps is told before anything is sent", function()
        local folder = profile("full-configs", "return { bk.config 'c' { a = '1' }, bk.secret 's' { a = '1' } }")
        kubectl "create namespace full-configs"
        quota("full-configs", "configmaps: 0")
        fails(3, "ConfigMap full%-configs/c: .*exceeded quota: full.*nothing was applied", folder)
        assert.is_false(exists("secret/s", "full-configs"))
        kubectl "delete resourcequota full -n full-configs"
        mended(folder)
    end)

    it("that has no place for the bookkeeping is told", function()
        local folder = profile("full-books", "return { bk.deployment 'web' { image = 'i:1' } }")
        kubectl "create namespace full-books"
        quota("full-books", "secrets: 0")
        fails(3, "revision 1 .*is not written.*exceeded quota: full", folder)
        assert.is_false(exists("deployment/web", "full-books"))
        kubectl "delete resourcequota full -n full-books"
        quota("full-books", "configmaps: 0")
        fails(3, "to keep account of release 'full%-books'.*exceeded quota: full", folder)
        assert.is_false(exists("deployment/web", "full-books"))
        kubectl "delete resourcequota full -n full-books"
        mended(folder)
    end)

    it("for pods is told as the reason why it is not ready", function()
        local folder = profile("full-pods", "return { bk.deployment 'web' { image = 'i:1' } }")
        kubectl "create namespace full-pods"
        quota("full-pods", "pods: 0")
        local run = on_cluster("apply", folder, "--timeout", "3s")
        assert.is_true(run.code == 4 or run.code == 5, run.err)
        assert.matches("exceeded quota: full", run.err)
        kubectl "delete resourcequota full -n full-pods"
        kubectl "delete replicaset --all -n full-pods" -- else the controller tries again in minutes
        mended(folder)
    end)
end)

describe("an admission webhook", function()
    local folder = profile("hooked", "return { bk.config 'settings' { a = '1' }, bk.deployment 'web' { image = 'i:1' } }")
    local settings = 'object.metadata.name == "settings"'

    setup(function()
        kubectl "create namespace hooked"
    end)

    it("that refuses is told in one line, before anything is sent", function()
        for _, mode in ipairs { "refuse", "denied" } do
            webhook.during("hooked", mode, settings, function()
                fails(3, "ConfigMap hooked/settings: .*hooked.example.org.*the policy says no to settings, and to all"
                    .. ".*nothing was applied", folder)
            end)
        end
        assert.is_false(exists("deployment/web", "hooked"))
        assert.is_false(exists("secret/bkdeploy.hooked.v1", "hooked"))
    end)

    it("that lets a dry run through and refuses then is told, too", function()
        webhook.during("hooked", "late", settings, function()
            local run = fails(3, "component 'settings' %(.*profile.lua:3%): ConfigMap .*the policy says no to settings, and",
                folder)
            assert.matches("objects applied", run.err)
        end)
        assert.matches("\n1 .*failed", on_cluster("history", "hooked").out)
        mended(folder)
    end)

    it("that refuses the bookkeeping is told", function()
        local changed = profile("hooked", "return { bk.config 'settings' { a = '2' }, bk.deployment 'web' { image = 'i:1' } }")
        for _, part in ipairs { "bkdeploy.hooked.v3", "bkdeploy.hooked" } do
            webhook.during("hooked", "refuse", ('object.metadata.name == "%s"'):format(part), function()
                fails(3, "the policy says no to " .. part, changed)
            end)
        end
        assert.equal("1", kubectl "get configmap settings -n hooked -o 'jsonpath={.data.a}'")
        mended(changed)
    end)

    it("that does not answer is told", function()
        local changed = profile("hooked", "return { bk.config 'settings' { a = '3' }, bk.deployment 'web' { image = 'i:1' } }")
        webhook.during("hooked", "sleep", settings, function()
            fails(3, "hooked.example.org.*deadline", changed)
        end)
        mended(changed)
    end)
end)

describe("a namespace that was there before", function()
    it("is used by each apply, and never becomes the release's", function()
        local folder = profile("before", "return { bk.config 'c' { a = '1' } }")
        kubectl "create namespace before"
        mended(folder)
        assert.matches("0 changed", mended(folder).err)
        assert.equal("", kubectl("get namespace before -o "
            .. [['jsonpath={.metadata.labels.applyset\.kubernetes\.io/part-of}']]))
        local run = on_cluster("delete", "before", "--yes")
        assert.equal(0, run.code, run.err)
        assert.equal("Active", kubectl "get namespace before -o 'jsonpath={.status.phase}'")
    end)
end)

describe("a namespace that is deleted during an apply", function()
    it("ends it, and the next one makes it anew", function()
        local folder = profile("vanishing", [[
            local first = bk.deployment "first" { image = "i:1", pod = { nodeSelector = { x = "nowhere" } } }
            return { first, bk.config "later" { a = "1" } }]])
        local begin = os.time()
        local run = support.during("first.*Deployment", ("build/cluster/bin/kubectl --kubeconfig %s delete namespace vanishing "
            .. "--wait=false"):format(support.kubeconfig), "apply", folder, "--timeout", "30s")
        assert.is_true(run.code == 3 or run.code == 4 or run.code == 6, run.code .. run.err)
        assert.matches("bkdeploy: [^\n]*\n$", run.err)
        assert.is_true(os.time() - begin < 20, run.err)
        mended(profile("vanishing", "return { bk.config 'later' { a = '1' } }"))
    end)
end)

describe("a namespace that is going", function()
    it("is waited for, and named when it does not go", function()
        local folder = profile("going", "return { bk.config 'c' { a = '1' } }")
        applied(folder)
        kubectl "patch configmap c -n going --type=merge -p '{\"metadata\":{\"finalizers\":[\"example.org/stay\"]}}'"
        kubectl "delete namespace going --wait=false"
        fails(5, "Namespace going: being deleted", folder, "--timeout", "1s")
        kubectl "patch configmap c -n going --type=merge -p '{\"metadata\":{\"finalizers\":null}}'"
        mended(folder)
    end)
end)

describe("an object that is too large", function()
    it("is told", function()
        local folder = profile("large", "return { bk.config 'big' { a = ('x'):rep(1536 * 1024) }, bk.config 'c' { a = '1' } }")
        fails(3, "ConfigMap large/big: .*", folder)
        mended(profile("large", "return { bk.config 'c' { a = '1' } }"))
    end)

    it("is none where a revision needs several Secrets", function()
        local text = [[local state = %d
            local function noise()
                local t = {}
                for i = 1, 125000 do
                    state = (state * 1103515245 + 12345) %% 2147483648
                    t[i] = ("%%08x"):format(state)
                end
                return table.concat(t)
            end
            return { bk.config "a" { x = noise() }, bk.config "b" { x = noise() }, bk.config "c" { x = noise() } }]]
        mended(profile("parts", text:format(1)))
        assert.is_true(exists("secret/bkdeploy.parts.v1.2", "parts"))
        mended(profile("parts", text:format(2)))
        local run = on_cluster("rollback", "parts")
        assert.equal(0, run.code, run.err)
        assert.equal(0, on_cluster("diff", profile("parts", text:format(1))).code)
        kubectl "delete secret bkdeploy.parts.v2.2 -n parts"
        run = on_cluster("rollback", "parts", "2")
        assert.equal(1, run.code, run.err)
        assert.matches("revision 2 can't be read: Secret parts/bkdeploy.parts.v2 is damaged", run.err)
        mended(profile("parts", "return { bk.config 'a' { x = '1' } }"))
    end)
end)

describe("a kind that the server does not have", function()
    it("is told, and applied once it is there", function()
        local folder = profile("kindless", [[return { bk.config "c" { a = "1" }, bk.raw "w" { {
            apiVersion = "bad.example.org/v1", kind = "Wish", metadata = { name = "w" } } } }]])
        fails(3, "Wish", folder)
        assert.is_false(kubectl "get namespaces -o name":find("kindless", 1, true) ~= nil)
        make [[
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: wishes.bad.example.org}
spec:
  group: bad.example.org
  scope: Namespaced
  names: {kind: Wish, plural: wishes}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
]]
        kubectl "wait --for=condition=Established crd/wishes.bad.example.org --timeout 20s"
        mended(folder)
        kubectl "delete crd wishes.bad.example.org"
        fails(3, "Wish", folder)
        mended(profile("kindless", "return { bk.config 'c' { a = '1' } }"))
    end)
end)

describe("a list that the server would not merge", function()
    it("is told with its lines before anything is sent", function()
        local raw = [[local pod = { containers = { { name = "c", image = "i:1", env = {
                { name = "A", value = "1" },
                %s,
            } } } }
            return { bk.raw "p" { { apiVersion = "v1", kind = "Pod", metadata = { name = "p" }, spec = pod } } }]]
        for item, pattern in pairs { ['{ name = "A", value = "2" }'] = "5: .*env%[1%]: stands twice.*profile.lua:4",
            ["bk.null"] = "5: .*env%[1%]: must be a map, not null" } do
            local run = fails(2, "nothing was sent", profile("merged", raw:format(item)))
            assert.matches("profile.lua:" .. pattern, run.err)
        end
        mended(profile("merged", raw:format('{ name = "B", value = bk.null }')))
    end)
end)

describe("an object that is being deleted", function()
    local folder = profile("dying", "return { bk.config 'c' { a = '1' } }")

    it("is made anew when it is gone, or named as what is waited for", function()
        applied(folder)
        kubectl "patch configmap c -n dying --type=merge -p '{\"metadata\":{\"finalizers\":[\"example.org/stay\"]}}'"
        kubectl "delete configmap c -n dying --wait=false"
        local run = fails(5, "ConfigMap c: .*example.org/stay", folder, "--timeout", "2s")
        assert.matches("being deleted", run.err)
        os.execute(("{ sleep 1; build/cluster/bin/kubectl --kubeconfig %s patch configmap c -n dying --type=merge -p "
            .. "'{\"metadata\":{\"finalizers\":null}}'; } >/dev/null &"):format(support.kubeconfig))
        mended(folder)
        assert.equal("", kubectl "get configmap c -n dying -o 'jsonpath={.metadata.deletionTimestamp}'")
    end)
end)

describe("a revision", function()
    local text = "return { bk.config 'c' { a = '%d' }, bk.secret 's' { b = 'secret-%d' } }"

    it("that is damaged or gone is no obstacle to an apply", function()
        for i = 1, 3 do
            applied(profile("torn", text:format(i, i)))
        end
        kubectl "delete secret bkdeploy.torn.v3 -n torn"
        kubectl "create secret generic bkdeploy.torn.v3 -n torn --from-literal=revision=rubbish"
        kubectl "label secret bkdeploy.torn.v3 -n torn bkdeploy/release=torn bkdeploy/revision=3"
        local run = on_cluster("rollback", "torn", "3")
        assert.equal(1, run.code)
        assert.matches("Secret torn/bkdeploy.torn.v3 is damaged", run.err)
        assert.equal(0, on_cluster("history", "torn").code)
        mended(profile("torn", text:format(4, 4)))
        kubectl "delete secret bkdeploy.torn.v4 -n torn"
        mended(profile("torn", text:format(5, 5)))
        kubectl "delete secret bkdeploy.torn.v2 -n torn"
        run = on_cluster("rollback", "torn", "2")
        assert.equal(2, run.code, run.err)
        run = on_cluster("rollback", "torn", "1")
        assert.equal(0, run.code, run.err)
        assert.equal(0, on_cluster("diff", profile("torn", text:format(1, 1))).code)
        kubectl "delete secret -n torn -l bkdeploy/revision"
        mended(profile("torn", text:format(6, 6)))
    end)

    it("with a name that is taken by something else is told", function()
        applied(profile("squat", text:format(1, 1)))
        kubectl "create secret generic bkdeploy.squat.v2 -n squat --from-literal=a=b"
        fails(6, "revision 2", profile("squat", text:format(2, 2)))
        kubectl "delete secret bkdeploy.squat.v2 -n squat"
        mended(profile("squat", text:format(2, 2)))
    end)

    it("whose key is gone keeps its objects, and an apply makes a new key", function()
        applied(profile("keyless", text:format(1, 1)))
        kubectl "delete secret bkdeploy.keyless.key -n keyless"
        local run = on_cluster("rollback", "keyless", "1")
        assert.equal(1, run.code, run.err)
        assert.matches("bkdeploy: .*Secret keyless/bkdeploy.keyless.key is gone", run.err)
        assert.equal(0, on_cluster("get", "keyless", "--revision", "1").code)
        mended(profile("keyless", text:format(2, 2)))
        run = on_cluster("rollback", "keyless", "1")
        assert.equal(1, run.code, run.err)
        assert.matches("revision 1, by the key in Secret keyless/bkdeploy.keyless.key", run.err)
        run = on_cluster("rollback", "keyless", "2")
        assert.equal(0, run.code, run.err)
    end)
end)

describe("a lease of an absurd time", function()
    it("ends all the same", function()
        local folder = profile("timeless", "return { bk.config 'c' { a = '1' } }")
        kubectl "create namespace timeless"
        for _, moment in ipairs { "2099-01-01T00:00:00.000000Z", "1971-01-01T00:00:00.000000Z" } do
            make(("apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: bkdeploy.timeless, namespace: timeless}\n"
                .. "spec: {holderIdentity: 'them@there', leaseDurationSeconds: 3, acquireTime: '%s', renewTime: '%s'}\n")
                :format(moment, moment))
            mended(folder, "--wait-for-lock", "40s")
            kubectl "delete lease bkdeploy.timeless -n timeless --ignore-not-found"
        end
    end)
end)

describe("a release that lost by hand", function()
    local both = "return { bk.config 'a' { x = '1' }, bk.deployment 'web' { image = 'i:1', ports = { http = 80 } } }"

    it("its ConfigMap finds its members again", function()
        applied(profile("orphans", both))
        kubectl "delete configmap bkdeploy.orphans -n orphans"
        mended(profile("orphans", both))
        kubectl "delete configmap bkdeploy.orphans -n orphans"
        local run = mended(profile("orphans", "return { bk.config 'b' { x = '1' } }"))
        assert.matches("3 deleted", run.err)
        assert.is_false(exists("configmap/a", "orphans"))
        assert.is_false(exists("deployment/web", "orphans"))
        assert.is_false(exists("service/web", "orphans"))
    end)

    it("its ConfigMap is taken away as a whole", function()
        applied(profile("headless", both))
        kubectl "delete configmap bkdeploy.headless -n headless"
        local run = on_cluster("delete", "headless", "-n", "headless", "--yes")
        assert.equal(0, run.code, run.err)
        assert.equal("", kubectl "get deployment,service -n headless -o name")
    end)

    it("a member gets it back", function()
        applied(profile("robbed", both))
        kubectl "delete configmap a -n robbed"
        kubectl "delete service web -n robbed"
        assert.equal(1, on_cluster("diff", profile("robbed", both)).code)
        assert.matches("2 created", mended(profile("robbed", both)).err)
    end)
end)
