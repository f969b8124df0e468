local support = require "support"
local kubectl, shell = support.kubectl, support.shell

local pruner = (os.getenv("BKDEPLOY") or "build/bkdeploy"):gsub("bkdeploy$", "pruner")

--- Applies manifests with kubectl.
local function make(yaml)
    local folder = support.folder { ["m.yaml"] = yaml }
    kubectl("apply --server-side --force-conflicts -f " .. folder .. "/m.yaml")
end

--- Deletes what `kubectl get <what> -o json` lists. Returns { code =, out =, err = }.
local function prune(what, options)
    options = options or {}
    local folder = support.folder { ["list.json"] = kubectl("get " .. what .. " -o json") }
    if options.between then
        options.between()
    end
    return shell(("%s %s %d %d < %s/list.json"):format(pruner, support.kubeconfig, options.timeout or 30000,
        options.explain or 300, folder))
end

local function namespace(name)
    make(("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}"):format(name))
    return name
end

--- A `between` that runs kubectl a second later.
local function later(line)
    return function()
        os.execute(("{ sleep 1; build/cluster/bin/kubectl --kubeconfig %s %s; } >/dev/null &")
            :format(support.kubeconfig, line))
    end
end

local no_finalizers = " --type=merge -p '{\"metadata\":{\"finalizers\":null}}'"

--- The version of a collection's list now, and the one at which its first object went after `since`.
local function version_of(collection)
    return tonumber(kubectl("get --raw '" .. collection .. "?limit=1'"):match '"resourceVersion":"(%d+)"')
end

local function version_of_deletion(collection, since)
    local events = kubectl(("get --raw '%s?watch=1&resourceVersion=%d&timeoutSeconds=1'"):format(collection, since))
    for event in events:gmatch "[^\n]+" do
        if event:find('"type":"DELETED"', 1, true) and not event:find('"metadata":{"name":"kube-root-ca', 1, true) then
            return tonumber(event:match '"resourceVersion":"(%d+)"')
        end
    end
end

local workload = [[
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: %s}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "i:1"}]
]]

describe("the deletion of objects", function()
    it("goes in the reverse order of apply, pods before what they read", function()
        local ns = namespace "reverse"
        make(workload:format(ns) .. ([[
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: %s}, data: {a: b}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: %s}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
]]):format(ns, ns))
        kubectl "rollout status deployment/web -n reverse --timeout 20s"
        local since = version_of "/api/v1/namespaces/reverse/pods"
        local run = prune("configmap/web deployment/web ingress/web namespace/reverse -n reverse", { explain = 9000 })
        assert.equal(0, run.code, run.err)
        assert.equal("DELETED Ingress reverse/web\nDELETED Deployment reverse/web\nDELETED ConfigMap reverse/web\n"
            .. "DELETED Namespace reverse\n4 of 4\n", run.out)
        assert.equal("", run.err)
        assert.is_true(version_of_deletion("/api/v1/namespaces/reverse/pods", since)
            < version_of_deletion("/api/v1/namespaces/reverse/configmaps", since))
    end)

    it("takes custom resources before the workloads that may look after them, and the CRD last", function()
        local ns = namespace "custom"
        make [[
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.prune.example.org}
spec:
  group: prune.example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
]]
        kubectl "wait --for=condition=Established crd/widgets.prune.example.org --timeout 20s"
        make(workload:format(ns) .. ([[
---
{apiVersion: prune.example.org/v1, kind: Widget, metadata: {name: w, namespace: %s}}
]]):format(ns))
        local run = prune "crd/widgets.prune.example.org deployment/web widget/w namespace/custom -n custom"
        assert.equal(0, run.code, run.err)
        assert.equal("DELETED Widget custom/w\nDELETED Deployment custom/web\nDELETED Namespace custom\n"
            .. "DELETED CustomResourceDefinition widgets.prune.example.org\n4 of 4\n", run.out)
    end)

    it("takes 200 objects at once", function()
        local ns = namespace "many"
        local all = {}
        for i = 1, 200 do
            all[i] = ("{apiVersion: v1, kind: %s, metadata: {name: c%d, namespace: %s}}")
                :format(i % 2 == 0 and "ConfigMap" or "Secret", i, ns)
        end
        make(table.concat(all, "\n---\n"))
        local run = prune "configmaps,secrets -n many --field-selector metadata.name!=kube-root-ca.crt"
        assert.equal(0, run.code, run.err)
        assert.matches("\n200 of 200\n$", run.out)
        assert.equal("", run.err)
        kubectl "delete namespace many --wait=false"
    end)

    it("is done with what is gone, and leaves alone what was made anew", function()
        local ns = namespace "anew"
        make(("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: %s}}"):format(ns) .. "\n---\n"
            .. ("{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: %s}}"):format(ns))
        local run = prune("configmap/a configmap/b -n anew", { between = function()
            kubectl "delete configmap a b -n anew"
            kubectl "create configmap b -n anew"
        end })
        assert.equal(0, run.code, run.err)
        assert.matches("ABSENT ConfigMap anew/a\n", run.out)
        assert.matches("REPLACED ConfigMap anew/b\n", run.out)
        assert.matches("\n0 of 2\n$", run.out)
        assert.equal("configmap/b\n", kubectl "get configmap b -n anew -o name")
    end)
end)

describe("a deletion that hangs", function()
    it("names a finalizer and who has to take it away, and goes on when that is done", function()
        local ns = namespace "held"
        make(("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: %s, finalizers: [hold.example.net/x]}}")
            :format(ns))
        local run = prune("configmap/c -n held", { timeout = 1500 })
        assert.equal(5, run.code)
        local reason = "ConfigMap held/c: finalizer hold.example.net/x: the controller of hold.example.net has to take "
            .. "it away, and no Deployment, StatefulSet or DaemonSet looks like it; by hand: kubectl patch "
            .. "configmaps/c -n held --type=merge -p '{\"metadata\":{\"finalizers\":null}}'\n"
        -- On a slow machine a look in between may not get to see the workloads.
        assert.equal(reason, run.err:sub(1, #reason))
        local last = "pruner: not gone within 1.5s (--timeout), 1 of 1 objects left; what was begun goes on, "
            .. "and so does running this again; " .. reason
        assert.equal(last, run.err:sub(-#last))

        -- It is looked for among all that there are, which the server tells page by page.
        local crowd = namespace "crowd"
        local others = {}
        for i = 1, 260 do
            others[i] = workload:format(crowd):gsub("name: web, namespace", ("name: other-%d, namespace"):format(i))
                :gsub("selector", "replicas: 0\n  selector", 1)
        end
        make(table.concat(others, "---\n"))
        make [[
apiVersion: apps/v1
kind: Deployment
metadata: {name: hold-operator, namespace: held}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "i:1"}]}
]]
        run = prune("configmap/c -n held", { timeout = 500 })
        assert.matches("has to take it away; Deployment held/hold%-operator looks like it and does not run %(0 of 0 ready%)",
            run.err)
        kubectl "delete namespace crowd --wait=false"
        run = prune("configmap/c -n held", { between = later("patch configmap/c -n held" .. no_finalizers) })
        assert.equal(0, run.code, run.err)
        assert.equal("DELETED ConfigMap held/c\n1 of 1\n", run.out)
        kubectl "delete namespace held --wait=false"
    end)

    it("names the pods that use a claim", function()
        local ns = namespace "claim"
        make(([[
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: %s},
 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: user, namespace: %s}
spec:
  containers: [{name: c, image: "i:1"}]
  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]
]]):format(ns, ns))
        kubectl "wait --for=condition=Ready pod/user -n claim --timeout 30s"
        local run = prune("pvc/data -n claim", { timeout = 1500 })
        assert.equal(5, run.code)
        assert.matches("PersistentVolumeClaim claim/data: finalizer kubernetes.io/pvc%-protection: "
            .. "the claim is used by pod user %(Running%)", run.err)
        kubectl "delete namespace claim --wait=false"
    end)

    it("names what is left of a workload", function()
        local ns = namespace "children"
        make(workload:format(ns):gsub("metadata: {labels: {app: web}}",
            "metadata: {labels: {app: web}, finalizers: [slow.example.net/x]}"))
        kubectl "rollout status deployment/web -n children --timeout 20s"
        local run = prune("deployment/web -n children", { timeout = 2000 })
        assert.equal(5, run.code)
        assert.matches("Deployment children/web: finalizer foregroundDeletion: what it owns is still there: "
            .. "Pod web%-%w+%-%w+, finalizer slow.example.net/x", run.err)
        kubectl "delete namespace children --wait=false"
        kubectl("patch $(build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig .. " get pods -n children -o name) "
            .. "-n children" .. no_finalizers)
    end)

    it("names what a namespace still holds", function()
        local ns = namespace "leftovers"
        make(("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: %s, finalizers: [hold.example.net/x]}}")
            :format(ns))
        local run = prune("namespace/leftovers", { timeout = 8000, explain = 6000 })
        assert.equal(5, run.code)
        assert.matches("Namespace leftovers: still in it: configmaps/c %(finalizer hold.example.net/x%); "
            .. "finalizer hold.example.net/x: the controller of hold.example.net has to take it away", run.err)
        -- It is being deleted already: that is waited for.
        run = prune("namespace/leftovers", { between = later("patch configmap/c -n leftovers" .. no_finalizers) })
        assert.equal(0, run.code, run.err)
    end)

    it("names the objects that keep a CRD", function()
        make [[
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.prune.example.org}
spec:
  group: prune.example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
]]
        kubectl "wait --for=condition=Established crd/gadgets.prune.example.org --timeout 20s"
        make [[
apiVersion: prune.example.org/v1
kind: Gadget
metadata: {name: g, namespace: default, finalizers: [prune.example.org/x]}
]]
        local run = prune("crd/gadgets.prune.example.org", { timeout = 2500 })
        assert.equal(5, run.code)
        assert.matches("CustomResourceDefinition gadgets.prune.example.org: finalizer "
            .. "customresourcecleanup.apiextensions.k8s.io: objects of the kind are left: default/g "
            .. "%(finalizer prune.example.org/x%); the controller of prune.example.org has to take it away", run.err)
        kubectl("patch gadgets.prune.example.org g -n default" .. no_finalizers)
    end)

    it("names a webhook that can't be called, and goes on when it is out of the way", function()
        local ns = namespace "hooked"
        make(("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: %s, labels: {hooked: 'yes'}}}"):format(ns))
        make [[
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hooked}
webhooks:
- name: deny.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  objectSelector: {matchLabels: {hooked: "yes"}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [DELETE], resources: [configmaps]}]
  clientConfig: {service: {namespace: hooked, name: nowhere}}
]]
        os.execute "sleep 1" -- the API server takes a moment to heed it
        local run = prune("configmap/c -n hooked", { timeout = 1500 })
        assert.equal(5, run.code)
        assert.matches("ConfigMap hooked/c: the DELETE has to pass webhook deny.example.org of "
            .. "ValidatingWebhookConfiguration hooked, which can't be called: Service hooked/nowhere is not there; "
            .. "deleting the configuration unblocks: kubectl delete validatingwebhookconfigurations hooked\n", run.err)
        run = prune("configmap/c -n hooked", { between = later "delete validatingwebhookconfiguration hooked" })
        assert.equal(0, run.code, run.err)
        assert.equal("DELETED ConfigMap hooked/c\n1 of 1\n", run.out)
        kubectl "delete namespace hooked --wait=false"
    end)
end)

describe("the configuration that is still used", function()
    it("is what workloads, their earlier revisions and pods refer to", function()
        local ns = namespace "used"
        make(([[
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: %s}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      imagePullSecrets: [{name: pull}]
      containers:
      - name: web
        image: "i:1"
        envFrom: [{configMapRef: {name: from}}, {secretRef: {name: sfrom}}]
        env:
        - {name: A, valueFrom: {configMapKeyRef: {name: key, key: a}}}
        - {name: B, valueFrom: {secretKeyRef: {name: skey, key: a}}}
      volumes:
      - {name: a, configMap: {name: vol}}
      - {name: b, secret: {secretName: svol}}
      - {name: c, projected: {sources: [{configMap: {name: pro}}, {secret: {name: spro}}]}}
      - {name: d, csi: {driver: d, nodePublishSecretRef: {name: csi}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: %s}
spec:
  replicas: 0
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "i:1", envFrom: [{configMapRef: {name: old}}]}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: %s}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: nightly, image: "i:1", envFrom: [{configMapRef: {name: cron}}]}]}
]]):format(ns, ns, ns))
        kubectl "rollout status statefulset/db -n used --timeout 20s"
        kubectl "set env statefulset/db -n used X=y"
        kubectl([[patch statefulset/db -n used --type=json -p '[{"op":"replace","path":"/spec/template/spec/]]
            .. [[containers/0/envFrom/0/configMapRef/name","value":"new"}]']])
        kubectl "rollout status statefulset/db -n used --timeout 20s"
        local run = shell(("%s %s referenced used"):format(pruner, support.kubeconfig))
        assert.equal(0, run.code, run.err)
        local names = {}
        for name in run.out:gmatch '"([^"]+)":true' do
            names[#names + 1] = name
        end
        assert.equal("ConfigMap/cron ConfigMap/from ConfigMap/key ConfigMap/new ConfigMap/old ConfigMap/pro ConfigMap/vol "
            .. "Secret/csi Secret/pull Secret/sfrom Secret/skey Secret/spro Secret/svol", table.concat(names, " "))
        kubectl "delete namespace used --wait=false"
    end)
end)

local records = pruner:gsub("pruner$", "records")

local function record(ns, name, words)
    local run = shell(("%s %s %s %s %s"):format(records, support.kubeconfig, ns, name, words))
    assert(run.code == 0, run.err)
    return run.out
end

--- Makes a release of manifests in a namespace of its name: labels, inventory, one revision. In
--- `yaml` NS is the namespace; `kinds` as the inventory has them.
local function release(name, kinds, yaml)
    local id = record(name, name, "identity"):match '"id":"([^"]+)"'
    local folder = support.folder {
        ["m.yaml"] = (("{apiVersion: v1, kind: Namespace, metadata: {name: NS}}\n---\n" .. yaml):gsub("%f[%w]NS%f[%W]", name)),
        ["r.json"] = '{"source":{},"outcome":"done"}',
    }
    kubectl(("apply --server-side -f %s/m.yaml"):format(folder))
    kubectl(("label -f %s/m.yaml applyset.kubernetes.io/part-of=%s"):format(folder, id))
    record(name, name, "inventory '{\"kinds\":[\"" .. kinds:gsub(" ", '","') .. "\"],\"namespaces\":[],\"info\":{}}'")
    record(name, name, "write 1 " .. folder .. "/r.json")
    return name
end

local function delete(...)
    return support.on_cluster("delete", ...)
end

local function names(what)
    return (kubectl("get " .. what .. " -o name"):gsub("\n", " "))
end

--- Runs delete on a pseudo-terminal, as support.answering(). Returns the exit code and what is seen.
local function answering(answer, ns, before)
    local run = support.answering(answer, before, "delete", ns, "-n", ns)
    return run.code, run.out
end

local shop = [[
{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: NS}}
---
{apiVersion: v1, kind: Secret, metadata: {name: web, namespace: NS}}
---
]] .. workload:gsub("%%s", "NS")
local shop_kinds = "Namespace ConfigMap Secret Deployment.apps"

describe("delete", function()
    it("shows what goes, and wants --yes where nobody can be asked", function()
        release("del-ask", shop_kinds, shop)
        local run = support.run("delete", "del-ask", "-n", "del-ask", "--kubeconfig", support.kubeconfig)
        assert.equal(2, run.code, run.err)
        assert.matches("^release del%-ask in namespace del%-ask of context .-: 4 objects to delete\n"
            .. "  workloads          Deployment web\n"
            .. "  configuration      ConfigMap web; Secret web\n"
            .. "  namespaces         Namespace del%-ask\n"
            .. 'bkdeploy: there is no terminal to ask on: "Delete 4 objects of release del%-ask in namespace del%-ask%?" '
            .. "%-%-yes says so beforehand %(nothing was deleted%)\n$", run.err)
        assert.equal("configmap/web ", names "configmap web -n del-ask")
    end)

    it("asks on a terminal, and takes only a yes for a yes", function()
        for _, answer in ipairs { "n\\n", "\\n", "maybe\\n", "\\x04" } do
            local code, seen = answering(answer, "del-ask")
            assert.equal(1, code)
            assert.matches("Delete 4 objects of release del%-ask in namespace del%-ask%? %[y/N%] ", seen)
            assert.matches("nothing was deleted", seen)
        end
        assert.equal(130, (answering("\\x03", "del-ask")))
        assert.equal("configmap/web ", names "configmap web -n del-ask")
        local code, seen = answering("y\\n", "del-ask", ("build/cluster/bin/kubectl --kubeconfig %s annotate "
            .. "configmap/web bkdeploy/keep=true -n del-ask >/dev/null"):format(support.kubeconfig))
        assert.equal(7, code)
        assert.matches("release 'del%-ask' has changed since it was shown; run this again %(nothing was deleted%)", seen)
        kubectl "annotate configmap/web bkdeploy/keep- -n del-ask"
        code, seen = answering("y\\n", "del-ask")
        assert.equal(0, code, seen)
        assert.matches("deleted  Deployment web\r\n", seen)
        assert.matches("del%-ask: 4 objects deleted in [%d.]+s, 0 kept", seen)
        assert.equal("", kubectl "get namespace del-ask --ignore-not-found")
        local run = delete("del-ask", "-n", "del-ask")
        assert.equal(2, run.code)
        assert.matches("^bkdeploy: there is no release 'del%-ask' in namespace 'del%-ask' of context", run.err)
    end)

    it("keeps data and its namespace unless told otherwise, and tells it", function()
        local data = shop .. [[
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: NS}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "i:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: files, namespace: NS},
 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
]]
        local kinds = shop_kinds .. " StatefulSet.apps PersistentVolumeClaim"
        release("del-data", kinds, data)
        kubectl "rollout status statefulset/db -n del-data --timeout 30s"
        local run = delete("del-data", "-n", "del-data", "-o", "json")
        assert.equal(0, run.code, run.err)
        assert.matches("kept:\n  PersistentVolumeClaim data%-db%-0: it is data; %-%-with%-data deletes it\n"
            .. "  PersistentVolumeClaim files: it is data; %-%-with%-data deletes it\n"
            .. "  Namespace del%-data: it holds PersistentVolumeClaim data%-db%-0, PersistentVolumeClaim files\n", run.err)
        local ending = support.ending(run.out)
        assert.same({ 0, "data-db-0" }, { ending.exit, ending.kept[1].name })
        assert.matches("^it is data", ending.kept[1].reason)
        assert.equal("persistentvolumeclaim/data-db-0 persistentvolumeclaim/files ", names "pvc -n del-data")
        -- Of the record nothing is left.
        assert.equal("", names "secrets,leases,deployments,statefulsets -n del-data")
        assert.equal("configmap/kube-root-ca.crt ", names "configmaps -n del-data")

        release("del-data", kinds, data)
        kubectl "rollout status statefulset/db -n del-data --timeout 30s"
        run = delete("del-data", "-n", "del-data", "--with-data")
        assert.equal(0, run.code, run.err)
        assert.matches("deleted  PersistentVolumeClaim data%-db%-0\n", run.err)
        assert.equal("", kubectl "get namespace del-data --ignore-not-found")
    end)

    it("finds the claims that go again when it was stopped after their StatefulSet", function()
        release("del-claims", "Namespace StatefulSet.apps", [[
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: NS}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "i:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
]])
        kubectl "rollout status statefulset/db -n del-claims --timeout 30s"
        kubectl("patch pvc data-db-0 -n del-claims --type=merge -p '{\"metadata\":{\"finalizers\":[\"hold.example.net/x\"]}}'")
        local run = delete("del-claims", "-n", "del-claims", "--with-data", "--timeout", "5s")
        assert.equal(5, run.code)
        assert.matches("bkdeploy: not gone within %d[%d.]*s %(%-%-timeout%), 1 of 2 objects left; .*"
            .. "PersistentVolumeClaim del%-claims/data%-db%-0: finalizer hold.example.net/x", run.err)
        assert.equal("", names "statefulsets -n del-claims")
        kubectl("patch pvc data-db-0 -n del-claims" .. no_finalizers)
        run = delete("del-claims", "-n", "del-claims", "--with-data")
        assert.equal(0, run.code, run.err)
    end)

    it("keeps what is annotated, and a namespace that holds something else", function()
        release("del-keep", shop_kinds, shop)
        kubectl "annotate configmap/web bkdeploy/keep=true -n del-keep"
        kubectl "create deployment other --image=i:1 -n del-keep"
        local run = delete("del-keep", "-n", "del-keep")
        assert.equal(0, run.code, run.err)
        assert.matches("kept:\n  ConfigMap web: it is annotated bkdeploy/keep\n"
            .. "  Namespace del%-keep: it holds Deployment other, ConfigMap web\n", run.err)
        assert.equal("deployment.apps/other ", names "deployments -n del-keep")
        assert.equal("configmap/web ", names "configmap web -n del-keep")
        kubectl "delete namespace del-keep --wait=false"
    end)

    it("goes on when it was interrupted", function()
        release("del-int", shop_kinds, shop)
        kubectl "patch configmap/web -n del-int --type=merge -p '{\"metadata\":{\"finalizers\":[\"hold.example.net/x\"]}}'"
        local run = support.during("waiting: ConfigMap", "kill -INT $PID", "delete", "del-int", "-n", "del-int")
        assert.equal(130, run.code)
        assert.matches("bkdeploy: 1 of 3 objects left, running this again goes on: interrupted\n$", run.err)
        kubectl("patch configmap/web -n del-int" .. no_finalizers)
        run = delete("del-int", "-n", "del-int")
        assert.equal(0, run.code, run.err)
        assert.equal("", kubectl "get namespace del-int --ignore-not-found")
    end)

    it("takes a profile for its release, and leaves it alone while another one holds the lock", function()
        local folder = support.profile("del-profile", [[return {
            bk.deployment 'web' { image = 'i:1', ports = { http = 80 } } }]])
        local run = support.on_cluster("apply", folder)
        assert.equal(0, run.code, run.err)
        local lease = support.folder { ["lease.yaml"] = ("apiVersion: coordination.k8s.io/v1\nkind: Lease\n"
            .. "metadata: {name: bkdeploy.del-profile, namespace: del-profile}\nspec: {holderIdentity: someone, "
            .. "leaseDurationSeconds: 600, renewTime: '%s'}\n"):format(os.date "!%Y-%m-%dT%H:%M:%S.000000Z") }
        kubectl("create -f " .. lease .. "/lease.yaml")
        run = delete(folder)
        assert.equal(6, run.code, run.err)
        assert.matches("someone", run.err)
        kubectl "delete lease bkdeploy.del-profile -n del-profile"
        run = delete(folder, "-o", "json")
        assert.equal(0, run.code, run.err)
        local gone = support.ending(run.out).deleted
        assert.same({ "Namespace", "", "del-profile" }, { gone[#gone].kind, gone[#gone].namespace, gone[#gone].name })
        assert.equal("", kubectl "get namespace del-profile --ignore-not-found")
    end)

    it("waits for the namespace of a release whose record has gone with it", function()
        release("del-rest", shop_kinds, shop)
        kubectl "patch configmap/web -n del-rest --type=merge -p '{\"metadata\":{\"finalizers\":[\"hold.example.net/x\"]}}'"
        kubectl "delete namespace del-rest --wait=false"
        kubectl "wait --for=delete configmap/bkdeploy.del-rest -n del-rest --timeout 20s"
        local run = delete("del-rest", "-n", "del-rest", "--timeout", "8s")
        assert.equal(5, run.code)
        assert.matches("Namespace del%-rest: still in it: configmaps/web %(finalizer hold.example.net/x%)", run.err)
        kubectl("patch configmap/web -n del-rest" .. no_finalizers)
        run = delete("del-rest", "-n", "del-rest")
        assert.equal(0, run.code, run.err)
    end)
end)
