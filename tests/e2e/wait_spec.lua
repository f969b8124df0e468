-- bkdeploy wait, on the control plane.
local support = require "support"

--- A Deployment that no node takes, and that has failed after a second.
local stuck = [[
apiVersion: apps/v1
kind: Deployment
metadata: { name: stuck, namespace: waited }
spec:
  progressDeadlineSeconds: 1
  selector: { matchLabels: { app: stuck } }
  template:
    metadata: { labels: { app: stuck } }
    spec: { nodeSelector: { nowhere: "1" }, containers: [ { name: a, image: b } ] }
]]

--- Runs `wait` with a shell command beside it, which begins half a second later.
local function wait_beside(action, ...)
    local words = { os.getenv("BKDEPLOY") or "build/bkdeploy", "wait" }
    for _, word in ipairs { ... } do
        words[#words + 1] = "'" .. word .. "'"
    end
    local kubectl = "build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig .. " "
    return support.shell(("{ sleep 0.5; %s%s >/dev/null; } & %s --kubeconfig %s; code=$?; wait; exit $code"):format(
        kubectl, action, table.concat(words, " "), support.kubeconfig))
end

local function wait(...)
    return support.on_cluster("wait", ...)
end

describe("bkdeploy wait", function()
    setup(function()
        local run = support.on_cluster("apply", support.profile("waited", [[
            local page = bk.config "page" { a = "b" }
            return { page, bk.deployment "web" { image = "nginx:1.27", replicas = 2,
                resources = { cpu = "50m..200m", memory = "32Mi..64Mi" }, files = { ["/page"] = page },
                ports = { http = 80 }, readiness = bk.http "/" } }]]), "--no-wait")
        assert.equal(0, run.code, run.err)
    end)

    it("waits for all of a release, and for what is named in any form", function()
        local run = wait("waited", "-o", "json")
        assert.equal(0, run.code, run.err)
        local report = support.ending(run.out)
        assert.equal("met", report.outcome)
        assert.equal(4, #report.objects)
        for _, word in ipairs { "deploy/web", "Deployments/web", "deployment.apps/web", "DEPLOYMENTS.apps/web" } do
            assert.equal(0, wait("waited", word).code, word)
            assert.equal(0, wait("-n", "waited", word, "svc/web").code, word)
        end
        assert.equal(0, wait("node/node-1").code)
    end)

    it("waits for what is yet to come, and for what goes", function()
        local run = wait_beside("create configmap later -n waited", "-n", "waited", "cm/later", "--timeout", "20s")
        assert.equal(0, run.code, run.err)
        assert.matches("missing%s+ConfigMap/later.*ready%s+ConfigMap/later", run.err)
        run = wait_beside("delete configmap later -n waited", "-n", "waited", "cm/later", "--for", "deleted")
        assert.equal(0, run.code, run.err)
        assert.equal(0, wait("-n", "waited", "cm/later", "--for", "deleted").code)
    end)

    it("waits for kinds that are yet to come", function()
        local profile = support.profile("lampish", [[
            local lamp = bk.crd "lamps.lampish.example.com" { kind = "Lamp", versions = { v1 = { type = "object",
                ["x-kubernetes-preserve-unknown-fields"] = true } } }
            return { lamp, lamp:resource "hall" { spec = { on = true } } }]])
        assert.equal(0, wait(profile, "--for", "deleted").code)
        local program = os.getenv("BKDEPLOY") or "build/bkdeploy"
        local run = support.shell(("{ sleep 1; %s apply %s --yes --kubeconfig %s >&2; } & %s wait %s lamp/hall --timeout 20s "
            .. "--kubeconfig %s; code=$?; wait; exit $code"):format(program, profile, support.kubeconfig, program, profile,
            support.kubeconfig))
        assert.equal(0, run.code, run.err)
        assert.matches("missing%s+Lamp/hall.*ready%s+Lamp/hall", run.err)
        assert.equal(0, wait("-n", "lampish", "lamps.lampish.example.com/hall", "LAMP/hall").code)
    end)

    it("takes one that was made anew for deleted", function()
        support.kubectl("create configmap anew -n waited --from-literal=a=1")
        local file = support.folder { ["anew.yaml"] = "{apiVersion: v1, kind: ConfigMap, metadata: {name: anew, "
            .. "namespace: waited}}" } .. "/anew.yaml"
        local run = wait_beside("replace --force -f " .. file, "-n", "waited", "cm/anew", "--for", "deleted",
            "--timeout", "20s")
        assert.equal(0, run.code, run.err)
    end)

    it("ends with what has failed", function()
        local file = support.folder { ["stuck.yaml"] = stuck } .. "/stuck.yaml"
        support.kubectl("apply -f " .. file)
        local run = wait("-n", "waited", "deploy/stuck", "--timeout", "30s")
        assert.equal(4, run.code, run.err)
        assert.matches("Deployment/stuck has failed: ProgressDeadlineExceeded", run.err)
        assert.equal(0, wait("-n", "waited", "deploy/stuck", "--for", "failed").code)
        assert.equal(4, wait("-n", "waited", "deploy/web", "--for", "failed").code)
        assert.equal(4, wait("-n", "waited", "deploy/stuck", "--when", "obj.status.readyReplicas == 1").code)
        assert.equal(0, wait("-n", "waited", "deploy/stuck", "--for", "exists").code)
    end)

    it("asks a condition in Lua", function()
        assert.equal(0, wait("waited", "deploy/web", "--when", "obj.spec.replicas == 2").code)
        local run = wait_beside("scale deployment web -n waited --replicas 3", "-n", "waited", "deploy/web", "--when",
            "local n = obj.status.readyReplicas or 0 return n == 3", "--timeout", "20s")
        assert.equal(0, run.code, run.err)
        run = wait("waited", "deploy/web", "--when", "obj.nothing.there", "--timeout", "500ms")
        assert.equal(5, run.code)
        assert.matches("timed out after 500ms: Deployment/web: %-%-when:1: attempt to index a nil value", run.err)
        run = wait("waited", "deploy/web", "--when", "while true do end", "--timeout", "500ms")
        assert.equal(5, run.code)
        assert.matches("does not end within 10 million instructions", run.err)
        run = wait("waited", "deploy/web", "--when", "os.execute('true')", "--timeout", "500ms")
        assert.matches("attempt to call a nil value %(field 'execute'%)", run.err)
    end)

    it("tells what it can't wait for", function()
        for _, case in ipairs {
            { "no kind 'foo' that can be watched", "-n", "waited", "foo/bar" },
            { "'waited' has no object 'deploy/nix'; of that kind it has: web", "waited", "deploy/nix" },
            { "'nix' is no object; write kind/name", "waited", "nix" },
            { "%-%-for is ready, failed, deleted or exists, not 'better'", "waited", "--for", "better" },
            { "%-%-when:1: ", "waited", "--when", "obj.status. ==" },
            { "don't go together", "waited", "--when", "true", "--for", "ready" },
            { "no release 'nix'", "nix" },
        } do
            local run = wait(table.unpack(case, 2))
            assert.equal(2, run.code, run.err)
            assert.matches(case[1], run.err)
        end
        assert.equal(8, wait("-n", "waited", "cm/page", "--context", "nobody").code)
    end)

    it("ends when it is interrupted", function()
        local run = support.during("missing", "kill -INT $PID", "wait", "-n", "waited", "cm/never")
        assert.equal(130, run.code, run.err)
    end)
end)
