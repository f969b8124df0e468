local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

local function applied(folder, ...)
    local run = on_cluster("apply", folder, ...)
    assert.equal(0, run.code, run.err)
    return run
end

local function exists(what, namespace)
    return kubectl(("get %s -n %s --ignore-not-found -o name"):format(what, namespace)) ~= ""
end

describe("what has left the profile", function()
    it("is deleted when the new is ready, and not before", function()
        applied(profile("leavers", [[return { bk.deployment "old" { image = "i:1", ports = { http = 80 } },
            bk.deployment "web" { image = "i:1" } }]]))
        local stuck = profile("leavers", [[return {
            bk.deployment "web" { image = "i:2", pod = { nodeSelector = { ["kubernetes.io/hostname"] = "nowhere" } } } }]])
        local run = on_cluster("apply", stuck, "--timeout", "2s")
        assert.equal(5, run.code, run.err)
        assert.is_true(exists("deployment/old", "leavers"))
        assert.is_true(exists("service/old", "leavers"))
        run = applied(profile("leavers", [[return { bk.deployment "web" { image = "i:2" } }]]))
        assert.matches("%- Deployment leavers/old: has left the profile", run.err)
        assert.matches("2 deleted; revision 3\n", run.err)
        assert.is_false(exists("deployment/old", "leavers"))
        assert.is_false(exists("service/old", "leavers"))
    end)

    it("is known again after its record was deleted", function()
        local folder = profile("unrecorded", "return { bk.config 'c' { a = '1' }, bk.config 'd' { a = '1' } }")
        applied(folder)
        kubectl "delete configmap bkdeploy.unrecorded -n unrecorded"
        assert.matches("0 created, 0 changed, 3 unchanged", applied(folder).err)
        assert.is_true(exists("configmap bkdeploy.unrecorded", "unrecorded"))
        applied(profile("unrecorded", "return { bk.config 'c' { a = '1' } }"))
        assert.is_false(exists("configmap d", "unrecorded"))
    end)

    it("stays where it is protected, and claims stay", function()
        applied(profile("keepers", [[return {
            bk.raw "kept" { { apiVersion = "v1", kind = "ConfigMap",
                metadata = { name = "kept", annotations = { ["bkdeploy/keep"] = "true" } } } },
            bk.deployment "store" { image = "i:1", claims = { data = { size = "1Gi", path = "/d" } } } }]]))
        local run = applied(profile("keepers", "return { bk.config 'other' { a = '1' } }"))
        assert.matches("= ConfigMap keepers/kept: has left the profile; it is kept: it is annotated bkdeploy/keep", run.err)
        assert.is_true(exists("configmap/kept", "keepers"))
        assert.is_true(exists("pvc/store-data", "keepers"))
        assert.is_false(exists("deployment/store", "keepers"))
    end)

    it("stays when it is a namespace that holds data, or something of others", function()
        applied(profile("holders", [[return { bk.config "c" { a = "1" }, bk.raw "extra" {
            { apiVersion = "v1", kind = "Namespace", metadata = { name = "holders-data" } },
            { apiVersion = "v1", kind = "Namespace", metadata = { name = "holders-none" } },
            { apiVersion = "v1", kind = "PersistentVolumeClaim", metadata = { name = "c1", namespace = "holders-data" },
                spec = { accessModes = { "ReadWriteOnce" }, resources = { requests = { storage = "1Gi" } } } } } }]]))
        local run = applied(profile("holders", "return { bk.config 'c' { a = '1' } }"))
        assert.matches("= PersistentVolumeClaim holders%-data/c1: has left the profile; it is kept: it is data", run.err)
        assert.matches("= Namespace holders%-data: .* it is kept: it holds PersistentVolumeClaim c1", run.err)
        assert.matches("%- Namespace holders%-none: has left the profile\n", run.err)
        assert.matches("Bound", kubectl "get pvc c1 -n holders-data")
        assert.equal("", kubectl "get namespace holders-none --ignore-not-found")
    end)

    it("stays while a ReplicaSet refers to it, when it is an earlier content", function()
        local body = [[local c = bk.config "c" { a = "%s" }:hashed()
            return { bk.deployment "web" { image = "i:1", env_from = { c },
                patch = { deployment = { spec = { revisionHistoryLimit = 1 } } } } }]]
        for i = 1, 4 do
            applied(profile("contents", body:format(i)))
        end
        local names = kubectl "get configmap -n contents -l bkdeploy/content-of=c -o 'jsonpath={.items[*].data.a}'"
        assert.is_truthy(names:find("4", 1, true))
        assert.is_truthy(names:find("3", 1, true)) -- that the last ReplicaSet can be gone back to
        assert.is_nil(names:find("1", 1, true))
    end)
end)

describe("an object of another", function()
    it("is not taken without --adopt", function()
        kubectl "create namespace strangers"
        kubectl "create configmap settings -n strangers --from-literal=a=1"
        local folder = profile("strangers", "return { bk.config 'settings' { a = '2' } }")
        local run = on_cluster("apply", folder)
        assert.equal(7, run.code)
        assert.matches("ConfigMap strangers/settings: is there already and belongs to .*; %-%-adopt takes it", run.err)
        assert.equal("1", kubectl "get configmap settings -n strangers -o 'jsonpath={.data.a}'")
        applied(folder, "--adopt")
        assert.equal("2", kubectl "get configmap settings -n strangers -o 'jsonpath={.data.a}'")
    end)

    it("made by kubectl apply loses what the profile has not", function()
        local yaml = support.folder { ["c.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"
            .. "  namespace: applied\ndata:\n  a: '1'\n  gone: 'x'\n" } .. "/c.yaml"
        kubectl "create namespace applied"
        kubectl("apply -f " .. yaml)
        local run = applied(profile("applied", "return { bk.config 'settings' { a = '1' } }"), "--adopt")
        assert.matches("adopted from", run.err)
        assert.equal('{"a":"1"}', kubectl "get configmap settings -n applied -o 'jsonpath={.data}'")
        assert.equal("", kubectl("get configmap settings -n applied -o "
            .. [['jsonpath={.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration}']]))
        assert.equal("bkdeploy", kubectl("get configmap settings -n applied --show-managed-fields -o "
            .. "'jsonpath={.metadata.managedFields[*].manager}'"))
    end)

    it("may change between its look and its turn", function()
        kubectl "create namespace moving"
        kubectl "create configmap settings -n moving --from-literal=a=1"
        local run = support.during("rolling +gate", ("for line in 'annotate configmap settings x=y' "
            .. "'label configmap gate go=yes'; do build/cluster/bin/kubectl --kubeconfig %s -n moving $line; done")
            :format(support.kubeconfig), "apply", profile("moving", [[
            local gate = bk.raw "gate" { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "gate" } },
                ready = function(object) return object.metadata.labels.go and "Current" or "InProgress", "shut" end }
            return { gate, bk.raw "settings" { needs = { gate },
                { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "settings" }, data = { a = "2" } } } }]]),
            "--adopt")
        assert.equal(0, run.code, run.err)
        assert.equal("2 y", kubectl "get configmap settings -n moving -o 'jsonpath={.data.a} {.metadata.annotations.x}'")
    end)

    it("of another release is that one's", function()
        applied(support.folder { ["profile.lua"] = [[local bk = require "bk"
            return bk.profile "first" { namespace = "shared", components = { bk.config "c" { a = "1" } } }]] })
        local second = support.folder { ["profile.lua"] = [[local bk = require "bk"
            return bk.profile "second" { namespace = "shared", components = { bk.config "c" { a = "2" } } }]] }
        local run = on_cluster("apply", second)
        assert.equal(7, run.code)
        assert.matches("first", run.err)
    end)
end)

describe("a field of another manager", function()
    local folder = function(name, more)
        return support.folder { ["profile.lua"] = ([[local bk = require "bk"
            return bk.profile "%s" { %s components = {
                bk.deployment "web" { image = "i:1", replicas = 2 } } }]]):format(name, more or "") }
    end

    it("ends the plan, with its manager, line and time", function()
        applied(folder "fields")
        kubectl "scale deployment web -n fields --replicas=1"
        local run = on_cluster("diff", folder "fields")
        assert.equal(7, run.code)
        assert.matches("profile.lua:3: .*spec.replicas.*'kubectl'.*it is 1, the profile says 2", run.err)
        assert.matches("%-%-force%-conflicts", run.err)
    end)

    it("is left to it where the profile says so", function()
        local yields = folder("fields", [[conflicts = { { field = "spec.replicas", action = "yield" } },]])
        local run = applied(yields)
        assert.matches("spec.replicas.*it is left as it is", run.err)
        assert.equal("1", kubectl "get deployment web -n fields -o 'jsonpath={.spec.replicas}'")
        assert.equal(0, on_cluster("diff", yields).code)
    end)

    it("is taken with --force-conflicts", function()
        applied(folder "fields", "--force-conflicts")
        assert.equal("2", kubectl "get deployment web -n fields -o 'jsonpath={.spec.replicas}'")
    end)
end)

describe("replicas that an autoscaler sets", function()
    local function replicas(namespace)
        return kubectl("get deployment web -n " .. namespace .. " -o 'jsonpath={.spec.replicas}'")
    end

    it("stay, whether the profile has a number or not", function()
        local numbered = [[return { bk.raw "web" {
            { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web" }, spec = { replicas = 2,
                selector = { matchLabels = { app = "web" } }, template = { metadata = { labels = { app = "web" } },
                spec = { containers = { { name = "web", image = "i:1" } } } } } },
            { apiVersion = "autoscaling/v2", kind = "HorizontalPodAutoscaler", metadata = { name = "web" }, spec = {
                minReplicas = 2, maxReplicas = 6,
                scaleTargetRef = { apiVersion = "apps/v1", kind = "Deployment", name = "web" } } } } }]]
        local scaled = [[return { bk.deployment "web" { image = "i:1", resources = { cpu = "100m" },
            scale = { min = 2, max = 6, cpu = "70%" } } }]]
        for name, body in pairs { numbered = numbered, scaled = scaled } do
            applied(profile(name, body), "--no-wait")
            kubectl(("scale deployment web -n %s --replicas=4"):format(name))
            for _ = 1, 2 do
                local run = applied(profile(name, body), "--no-wait")
                assert.matches("0 created, 0 changed, %d unchanged", run.err)
                assert.equal("4", replicas(name))
            end
        end
    end)

    it("stay when the object is deleted and made anew", function()
        local text = [[local bk = require "bk"
            return bk.profile "anew" { conflicts = { { field = "spec.replicas", action = "yield" } }, components = {
                bk.deployment "web" { image = "i:1", replicas = 2, replace = true, selector = { app = "%s" } } } }]]
        applied(support.folder { ["profile.lua"] = text:format "one" })
        kubectl "scale deployment web -n anew --replicas=3"
        local run = applied(support.folder { ["profile.lua"] = text:format "two" })
        assert.matches("! Deployment anew/web.*deleted and made anew", run.err)
        assert.equal("3", replicas "anew")
    end)
end)

describe("what can't be changed in place", function()
    it("is refused with what can be done, and replaced where that is allowed", function()
        local body = [[return { bk.deployment "web" { image = "i:1", %s selector = { app = "%s" } } }]]
        applied(profile("selectors", body:format("", "one")))
        local uid = kubectl "get deployment web -n selectors -o 'jsonpath={.metadata.uid}'"
        local run = on_cluster("apply", profile("selectors", body:format("", "two")))
        assert.equal(3, run.code)
        assert.matches("field is immutable; .*`replace = true`", run.err)
        assert.equal(uid, kubectl "get deployment web -n selectors -o 'jsonpath={.metadata.uid}'")
        run = applied(profile("selectors", body:format("replace = true,", "two")))
        assert.matches("! Deployment selectors/web.*deleted and made anew, for a field that changes is immutable", run.err)
        assert.equal("two", kubectl "get deployment web -n selectors -o 'jsonpath={.spec.selector.matchLabels.app}'")
    end)

    it("is no obstacle from RollingUpdate to Recreate", function()
        local body = [[return { bk.deployment "web" { image = "i:1", strategy = %s } }]]
        applied(profile("recreate", body:format '{ max_surge = 1 }'))
        applied(profile("recreate", body:format '"Recreate"'))
        assert.equal("Recreate", kubectl "get deployment web -n recreate -o 'jsonpath={.spec.strategy.type}'")
        assert.equal(0, on_cluster("diff", profile("recreate", body:format '"Recreate"')).code)
    end)
end)

describe("claims of a StatefulSet", function()
    local set = [[return { bk.statefulset "db" { image = "mysql:8", replicas = 2, ports = { mysql = 3306 },
        claims = { data = { size = "%s", path = "/var/lib/mysql", class = "%s" } } } }]]

    it("grow, with the pods kept", function()
        local class = support.folder { ["c.yaml"] = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata:\n"
            .. "  name: growing\nprovisioner: kubernetes.io/host-path\nallowVolumeExpansion: true\n" } .. "/c.yaml"
        kubectl("apply -f " .. class)
        applied(profile("growing", set:format("1Gi", "growing")))
        local pods = kubectl "get pods -n growing -o 'jsonpath={.items[*].metadata.uid}'"
        local run = applied(profile("growing", set:format("2Gi", "growing")))
        assert.matches("%^ StatefulSet growing/db.*data%-db%-0 1Gi %-> 2Gi, data%-db%-1 1Gi %-> 2Gi", run.err)
        assert.equal("2Gi 2Gi", kubectl "get pvc -n growing -o 'jsonpath={.items[*].spec.resources.requests.storage}'")
        assert.equal("2Gi", kubectl("get statefulset db -n growing -o "
            .. "'jsonpath={.spec.volumeClaimTemplates[0].spec.resources.requests.storage}'"))
        assert.equal(pods, kubectl "get pods -n growing -o 'jsonpath={.items[*].metadata.uid}'")
        assert.equal(0, on_cluster("diff", profile("growing", set:format("2Gi", "growing"))).code)
    end)

    it("don't shrink, nor grow where their class does not allow it", function()
        local run = on_cluster("apply", profile("growing", set:format("1Gi", "growing")))
        assert.equal(3, run.code)
        assert.matches("would shrink from 2Gi to 1Gi", run.err)
        applied(profile("rigid", set:format("1Gi", "standard")))
        run = on_cluster("apply", profile("rigid", set:format("2Gi", "standard")))
        assert.equal(3, run.code)
        assert.matches("storage class 'standard' does not allow it %(allowVolumeExpansion%)", run.err)
        assert.equal("1Gi 1Gi", kubectl "get pvc -n rigid -o 'jsonpath={.items[*].spec.resources.requests.storage}'")
    end)
end)

describe("a release", function()
    it("is an ApplySet that kubectl knows, and leaves alone", function()
        applied(profile("appset", "return { bk.config 'c' { a = '1' }, bk.deployment 'web' { image = 'i:1' } }"))
        assert.equal("ConfigMap,Deployment.apps,Namespace", kubectl("get configmap bkdeploy.appset -n appset -o "
            .. [['jsonpath={.metadata.annotations.applyset\.kubernetes\.io/contains-group-kinds}']]))
        local id = kubectl("get configmap bkdeploy.appset -n appset -o "
            .. [['jsonpath={.metadata.labels.applyset\.kubernetes\.io/id}']])
        assert.equal("configmap/c\ndeployment.apps/web\n", kubectl(("get configmap,deployment -n appset -l "
            .. "applyset.kubernetes.io/part-of=%s -o name"):format(id)))
        local yaml = support.folder { ["c.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n" } .. "/c.yaml"
        local run = support.shell(("KUBECTL_APPLYSET=true build/cluster/bin/kubectl --kubeconfig %s apply --server-side "
            .. "-n appset --prune --applyset=configmap/bkdeploy.appset -f %s"):format(support.kubeconfig, yaml))
        assert.is_true(run.code ~= 0)
        assert.matches("tooling", run.err)
        assert.is_true(exists("configmap/c", "appset"))
    end)

    it("goes back to an earlier revision", function()
        local body = [[return { bk.deployment "web" { image = "i:%d" }, %s }]]
        applied(profile("backwards", body:format(1, "bk.config 'a' { x = '1' }")))
        applied(profile("backwards", body:format(2, "bk.config 'b' { x = '1' }")))
        local run = on_cluster("rollback", "backwards")
        assert.equal(0, run.code, run.err)
        assert.equal("i:1", kubectl "get deployment web -n backwards -o 'jsonpath={..image}'")
        assert.is_true(exists("configmap/a", "backwards"))
        assert.is_false(exists("configmap/b", "backwards"))
        run = on_cluster("rollback", "backwards", "2")
        assert.equal(0, run.code, run.err)
        assert.equal("i:2", kubectl "get deployment web -n backwards -o 'jsonpath={..image}'")
        assert.matches("4 .*rollback to 2", on_cluster("history", "backwards").out)
    end)

    it("goes back by itself when it fails, where that is wanted", function()
        local body = [[return { bk.deployment "web" { image = "i:%d", %s } }]]
        applied(profile("rescued", body:format(1, "")))
        local run = on_cluster("apply", profile("rescued", body:format(2,
            "pod = { nodeSelector = { x = 'nowhere' } }")), "--timeout", "2s", "--rollback-on-failure")
        assert.equal(5, run.code)
        assert.matches("rolling back to revision 1", run.err)
        assert.equal("i:1", kubectl "get deployment web -n rescued -o 'jsonpath={..image}'")
        assert.equal(0, on_cluster("diff", profile("rescued", body:format(1, ""))).code)
    end)

    it("is held by one apply at a time", function()
        local slow = profile("locked", [[return {
            bk.deployment "web" { image = "i:1", pod = { nodeSelector = { x = "nowhere" } } } }]])
        local run = support.during("rolling +web|Deployment web", ("%s apply %s --yes --kubeconfig %s >%s 2>&1; echo $? "
            .. ">>%s; kill -INT $PID"):format(os.getenv("BKDEPLOY") or "build/bkdeploy", slow, support.kubeconfig,
            "build/tmp/second", "build/tmp/second"), "apply", slow)
        assert.equal(130, run.code, run.err)
        local second = support.read("build/tmp/second")
        assert.matches("\n6\n$", second)
        assert.matches("is held by .*%-%-wait%-for%-lock", second)
    end)
end)
