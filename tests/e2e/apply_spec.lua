local cjson = require "cjson"
local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

local function applied(folder, ...)
    local run = on_cluster("apply", folder, ...)
    assert.equal(0, run.code, run.err)
    return run
end

--- "Kind/name version" of everything in a namespace that the profile made.
local function versions(namespace)
    return kubectl(("get configmap,secret,service,deployment,statefulset,job,ingress,pvc -n %s -o "
        .. "'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}'")
        :format(namespace))
end

describe("apply", function()
    it("brings profiles/hello up, and kubectl sees it", function()
        local run = applied("profiles/hello")
        assert.equal("", run.out)
        assert.matches("^hello, environment default: 5 objects to namespace hello of context 'test' %(https://", run.err)
        assert.matches("\nhello: 3 components ready in [%d.]+s; objects: 5 created, 0 changed, 0 unchanged; revision 1\n$", run.err)
        assert.equal("Running Running", kubectl "get pods -n hello -o 'jsonpath={.items[*].status.phase}'")
        assert.equal("<h1>Hello from bkdeploy</h1>\n",
            kubectl "get configmap page -n hello -o go-template='{{index .data \"index.html\"}}'")
        local status = on_cluster("status", "profiles/hello")
        assert.equal(0, status.code)
        assert.matches("web +Deployment/web +ready +2/2", status.out)
    end)

    it("reports as JSON on standard output", function()
        local report = support.ending(applied("profiles/hello", "-o", "json").out)
        assert.same({ created = 0, changed = 0, unchanged = 5, deleted = 0 }, report.objects)
        local status = cjson.decode(on_cluster("status", "profiles/hello", "-o", "json").out)
        assert.is_true(status.ready)
        assert.equal(5, #status.objects)
    end)

    it("changes nothing that is as described, however often, and never stands still", function()
        applied("profiles/hello")
        local before = versions "hello"
        for _ = 1, 20 do
            local run = support.shell(("timeout 30 %s apply profiles/hello --kubeconfig %s"):format(
                os.getenv("BKDEPLOY") or "build/bkdeploy", support.kubeconfig))
            assert.equal(0, run.code, run.err)
            assert.matches("0 created, 0 changed, 5 unchanged", run.err)
        end
        assert.equal(before, versions "hello")
    end)

    it("rolls a new image out and waits for it", function()
        local body = "return { bk.deployment 'web' { image = 'nginx:%s', replicas = 3 } }"
        applied(profile("image", body:format "1.26"))
        local run = applied(profile("image", body:format "1.27"))
        assert.matches("0 created, 1 changed, 1 unchanged", run.err)
        assert.equal("3 3 3 3", kubectl("get deployment web -n image -o 'jsonpath={.status.replicas} "
            .. "{.status.updatedReplicas} {.status.readyReplicas} {.status.availableReplicas}'"))
        assert.equal("nginx:1.27 nginx:1.27 nginx:1.27", kubectl("get pods -n image -o go-template='"
            .. "{{range $i, $p := .items}}{{if not $p.metadata.deletionTimestamp}}{{if $i}} {{end}}"
            .. "{{(index $p.spec.containers 0).image}}{{end}}{{end}}'"):gsub("^ ", ""))
    end)

    it("begins with what others need, and waits until that is done", function()
        applied(profile("order", [[
            local db = bk.statefulset "db" { image = "mysql:8", ports = { mysql = 3306 },
                claims = { data = { size = "1Gi", path = "/var/lib/mysql" } } }
            local migrate = bk.job "migrate" { image = "app:1", env = { DB = db.host } }
            return { bk.deployment "web" { image = "app:1", needs = { migrate } }, migrate, db }]]))
        local times = kubectl([[get -n order job/migrate deployment/web -o 'jsonpath={.items[0].status.completionTime}]]
            .. [[ {.items[1].metadata.creationTimestamp}']])
        local completed, created = times:match "(%S+) (%S+)"
        assert.is_true(completed <= created, times)
        assert.equal("Bound", kubectl "get pvc -n order -o 'jsonpath={.items[*].status.phase}'")
    end)

    it("applies a CRD before the custom resources of its kind", function()
        local body = [[
            local crd = bk.raw "crd" { {
                apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
                metadata = { name = "lamps.example.com" },
                spec = { group = "example.com", scope = "Namespaced",
                    names = { plural = "lamps", singular = "lamp", kind = "Lamp" },
                    versions = { { name = "v1", served = true, storage = true, schema = { openAPIV3Schema = {
                        type = "object", properties = { spec = { type = "object",
                            ["x-kubernetes-preserve-unknown-fields"] = true } },
                    } } } } },
            } }
            return { bk.raw "lamp" { { apiVersion = "example.com/v1", kind = "Lamp",
                metadata = { name = "one" }, spec = { on = true } } }, crd }]]
        applied(profile("lamps", body))
        assert.equal("true", kubectl "get lamp one -n lamps -o 'jsonpath={.spec.on}'")
        assert.matches("3 unchanged", applied(profile("lamps", body)).err)
    end)

    it("waits for a namespace that is being deleted, and makes it anew", function()
        local folder = profile("again", "return { bk.deployment 'web' { image = 'i:1' } }")
        applied(folder)
        kubectl "create configmap held -n again"
        kubectl [[patch configmap held -n again -p '{"metadata":{"finalizers":["example.com/held"]}}']]
        local uid = kubectl "get namespace again -o 'jsonpath={.metadata.uid}'"
        kubectl "delete namespace again --wait=false"
        local run = support.during("rolling +namespace|Namespace again: being deleted",
            "build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig
                .. [[ patch configmap held -n again --type=merge -p '{"metadata":{"finalizers":null}}']], "apply", folder)
        assert.equal(0, run.code, run.err)
        assert.is_true(uid ~= kubectl "get namespace again -o 'jsonpath={.metadata.uid}'")
        assert.equal("1", kubectl "get deployment web -n again -o 'jsonpath={.status.readyReplicas}'")
    end)

    it("waits for DaemonSets and claims", function()
        applied(profile("agents", [[return {
            bk.daemonset "agent" { image = "agent:1" },
            bk.deployment "store" { image = "store:1", claims = { data = { size = "1Gi", path = "/d" } } } }]]))
        assert.equal("3", kubectl "get daemonset agent -n agents -o 'jsonpath={.status.numberReady}'")
        assert.equal("Bound", kubectl "get pvc store-data -n agents -o 'jsonpath={.status.phase}'")
    end)

    it("runs a changed Job anew", function()
        local body = "return { bk.job 'once' { image = 'job:%d' } }"
        applied(profile("jobs", body:format(1)))
        local first = kubectl "get job once -n jobs -o 'jsonpath={.metadata.uid}'"
        assert.matches("0 created, 0 changed, 2 unchanged", applied(profile("jobs", body:format(1))).err)
        assert.matches("0 created, 1 changed, 1 unchanged", applied(profile("jobs", body:format(2))).err)
        assert.is_true(first ~= kubectl "get job once -n jobs -o 'jsonpath={.metadata.uid}'")
        assert.equal("job:2", kubectl "get job once -n jobs -o 'jsonpath={.spec.template.spec.containers[0].image}'")
    end)

    it("leaves a field that another manager owns, unless forced", function()
        local folder = profile("owned", "return { bk.deployment 'web' { image = 'i:1', replicas = 2 } }")
        applied(folder)
        kubectl "scale deployment web -n owned --replicas=1"
        local run = on_cluster("apply", folder)
        assert.equal(7, run.code)
        assert.matches("component 'web' %(.*profile.lua:3%): Deployment owned/web: .*"
            .. "spec%.replicas belongs to .kubectl. %(update, through scale%)", run.err)
        assert.matches("nothing was applied", run.err)
        assert.equal("1", kubectl "get deployment web -n owned -o 'jsonpath={.spec.replicas}'")
        applied(folder, "--force-conflicts")
        assert.equal("2", kubectl "get deployment web -n owned -o 'jsonpath={.status.readyReplicas}'")
    end)

    it("with --no-wait leaves the rollout to itself", function()
        local folder = profile("later", "return { bk.deployment 'web' { image = 'i:1', node_selector = { no = 'where' } } }")
        local run = applied(folder, "--no-wait")
        assert.matches("later: 2 components applied in", run.err)
        local status = on_cluster("status", folder)
        assert.equal(1, status.code)
        assert.matches("web +Deployment/web +rolling +0/1", status.out)
    end)

    it("shows with status what is missing", function()
        local status = on_cluster("status", profile("nothing", "return { bk.deployment 'web' { image = 'i:1' } }"))
        assert.equal(1, status.code)
        assert.matches("web +Deployment/web +missing", status.out)
    end)

    it("makes all of a namespace anew that is being deleted, and says so before", function()
        local folder = profile("dying", "return { bk.config 'c' { a = '1' } }")
        applied(folder)
        kubectl "patch configmap c -n dying --type merge -p '{\"metadata\": {\"finalizers\": [\"example.com/x\"]}}'"
        kubectl "delete namespace dying --wait=false"
        local run = support.during("rolling +namespace", ("build/cluster/bin/kubectl --kubeconfig %s patch configmap c -n dying "
            .. "--type merge -p '{\"metadata\": {\"finalizers\": null}}'"):format(support.kubeconfig), "apply", folder)
        assert.equal(0, run.code, run.err)
        assert.matches("\n2 to create; 0 unchanged\n", run.err)
        assert.matches("objects: 2 created, 0 changed, 0 unchanged; revision 1\n", run.err)
    end)
end)
