-- bkdeploy status by a release's name, and with --watch, on the control plane.
local cjson = require "cjson"
local support = require "support"

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"
local kubectl = "build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig

local profile = support.profile("standing", [[return { bk.config "page" { a = "b" }, bk.deployment "web" { image =
    "nginx:1.27", replicas = 2, ports = { http = 80 }, readiness = bk.http "/",
    resources = { cpu = "50m..200m", memory = "32Mi..64Mi" } } }]])

--- Runs `status -w` until it is interrupted after some shell commands.
local function watch(action, ...)
    local words = table.concat({ program, "status", "-w", ... }, " ")
    return support.shell(("timeout -s INT --preserve-status 60 %s --kubeconfig %s & pid=$!; sleep 1.5; { %s; } >&2; "
        .. "sleep 2; kill -INT $pid; wait $pid"):format(words, support.kubeconfig, action))
end

describe("bkdeploy status", function()
    setup(function()
        local run = support.on_cluster("apply", profile)
        assert.equal(0, run.code, run.err)
    end)

    it("of a release's name shows its newest revision", function()
        local by_name = support.on_cluster("status", "standing", "-o", "json")
        assert.equal(0, by_name.code, by_name.err)
        assert.same(cjson.decode(support.on_cluster("status", profile, "-o", "json").out), cjson.decode(by_name.out))
        assert.equal(0, support.on_cluster("status", "standing", "-n", "standing").code)
        assert.equal(2, support.on_cluster("status", "nix").code)
        local wrong = support.on_cluster("status", profile, "-n", "elsewhere")
        assert.equal(2, wrong.code)
        assert.matches("is for namespace 'standing', not 'elsewhere'", wrong.err)
    end)

    it("--watch prints a line at each change", function()
        local run = watch(kubectl .. " scale deployment web -n standing --replicas 4; sleep 1; "
            .. kubectl .. " delete configmap page -n standing", "standing")
        assert.equal(130, run.code, run.err)
        assert.matches("^COMPONENT", run.out)
        assert.matches("Z  web  Deployment/web  ready  4/4\n", run.out)
        assert.matches("Z  page  ConfigMap/page  missing\n", run.out)
        local rows = {}
        for line in watch("true", "standing", "-o", "json").out:gmatch("[^\n]+") do
            rows[#rows + 1] = cjson.decode(line).state
        end
        table.sort(rows)
        assert.same({ "missing", "ready", "ready", "ready" }, rows)
    end)

    it("--watch prints no flood", function()
        local flap = ("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do %s scale deployment web -n standing --replicas $((i %% 3 + 1)); "
            .. "done"):format(kubectl)
        local began = os.time()
        local run = watch(flap, "standing")
        local _, lines = run.out:gsub("Z  web  Deployment/web  ", "")
        assert.is_true(lines >= 1 and lines <= os.time() - began + 1, run.out)
    end)
end)
