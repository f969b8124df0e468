-- A release takes over what helm and kubectl had deployed: the fields that only those had go, and nobody owns any beside us.
local cjson = require "cjson"
local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

--- The objects as somebody else had them: each has something that the profile has not.
local manifests = [[
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: { app.kubernetes.io/name: web, theirs: "yes"%s }
spec:
  replicas: 1
  minReadySeconds: 1
  selector: { matchLabels: { app.kubernetes.io/name: web } }
  template:
    metadata: { labels: { app.kubernetes.io/name: web, theirs: "yes" } }
    spec:
      containers:
        - name: web
          image: i:1
          env: [{ name: KEPT, value: a }, { name: THEIRS, value: b }]
          ports: [{ name: http, containerPort: 80 }, { name: extra, containerPort: 81 }]
---
apiVersion: v1
kind: Service
metadata: { name: web%s }
spec:
  selector: { app.kubernetes.io/name: web }
  ports: [{ name: http, port: 80, targetPort: http }, { name: extra, port: 81 }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings%s }
data: { kept: "1", theirs: "x" }
]]

local body = [[return {
    bk.deployment "web" { image = "i:1", ports = { http = 80 }, env = { KEPT = "a" },
        selector = { ["app.kubernetes.io/name"] = "web" } },
    bk.config "settings" { %s } }]]

local function get(namespace, what)
    return cjson.decode(kubectl(("get %s -n %s -o json --show-managed-fields"):format(what, namespace)))
end

--- Checks that what is left is the profile's; then that a field that leaves the profile goes, too.
local function check_taken(namespace)
    local folder = profile(namespace, body:format 'kept = "1", leaving = "2"')
    local run = on_cluster("apply", folder, "--adopt")
    assert.equal(0, run.code, run.err)
    local diff = on_cluster("diff", folder)
    assert.equal(0, diff.code, diff.out .. diff.err)

    local deployment, service = get(namespace, "deployment/web"), get(namespace, "service/web")
    local settings = get(namespace, "configmap/settings")
    assert.same({ kept = "1", leaving = "2" }, settings.data)
    local container = deployment.spec.template.spec.containers[1]
    assert.same({ { name = "KEPT", value = "a" } }, container.env)
    assert.equal(1, #container.ports)
    assert.is_nil(deployment.spec.minReadySeconds)
    assert.is_nil(deployment.metadata.labels.theirs)
    assert.is_nil(deployment.spec.template.metadata.labels.theirs)
    assert.equal(1, #service.spec.ports)
    for _, object in ipairs { deployment, service, settings } do
        for key in pairs(object.metadata.annotations or {}) do
            assert.is_nil(key:find "^meta%.helm%.sh" or key:find "last%-applied", key)
        end
        assert.not_equal("Helm", object.metadata.labels["app.kubernetes.io/managed-by"])
        for _, entry in ipairs(object.metadata.managedFields) do
            assert.is_true(entry.manager == "bkdeploy" or entry.subresource == "status"
                or entry.manager == "kube-controller-manager", object.kind .. ": " .. cjson.encode(entry))
        end
    end

    run = on_cluster("apply", profile(namespace, body:format 'kept = "1"'))
    assert.equal(0, run.code, run.err)
    assert.same({ kept = "1" }, get(namespace, "configmap/settings").data)
    assert.equal(0, on_cluster("diff", profile(namespace, body:format 'kept = "1"')).code)
end

local function check_refused(namespace, owner)
    local run = on_cluster("apply", profile(namespace, body:format 'kept = "1"'))
    assert.equal(7, run.code, run.err)
    assert.matches("belongs to " .. owner .. "; %-%-adopt takes it", run.err)
    for _, entry in ipairs(get(namespace, "deployment/web").metadata.managedFields) do
        assert.not_equal("bkdeploy", entry.manager)
    end
end

local function install(namespace, flags)
    local mark = ", app.kubernetes.io/managed-by: Helm"
    local chart = support.folder {
        ["Chart.yaml"] = "apiVersion: v2\nname: web\nversion: 0.1.0\n",
        ["templates/all.yaml"] = manifests:format(mark, ", labels: { x: z" .. mark .. " }", ", labels: { x: z" .. mark .. " }"),
    }
    local run = support.shell(("build/charts/bin/helm install old %s --kubeconfig %s -n %s --create-namespace %s")
        :format(chart, support.kubeconfig, namespace, flags))
    assert(run.code == 0, run.err)
end

local function kubectl_apply(namespace, flags)
    kubectl("create namespace " .. namespace)
    local folder = support.folder { ["all.yaml"] = manifests:format("", "", "") }
    kubectl(("apply -n %s %s -f %s/all.yaml"):format(namespace, flags, folder))
end

describe("a release of helm", function()
    for name, flags in pairs { server = "", client = "--server-side=false" } do
        it("is taken over, applied by its " .. name .. " side", function()
            local namespace = "helm-" .. name
            install(namespace, flags)
            check_refused(namespace, "helm release 'old' in namespace '" .. namespace:gsub("%-", "%%-") .. "'")
            check_taken(namespace)
        end)
    end
end)

describe("what kubectl applied", function()
    for name, flags in pairs { server = "--server-side", client = "" } do
        it("is taken over, applied by its " .. name .. " side", function()
            local namespace = "kubectl-" .. name
            kubectl_apply(namespace, flags)
            check_refused(namespace, "kubectl apply")
            check_taken(namespace)
        end)
    end
end)
