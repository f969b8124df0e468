-- What follows the cluster goes on when its connections are dropped.
local support = require "support"

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"

--- Runs a shell command in which $CONFIG leads through a proxy, and `kill -USR1 $DROPS` drops what goes through it.
local function through(command)
    local server = support.read(support.kubeconfig):match("server: https://(%S+)")
    local file = support.folder { ["run.sh"] = ([[
CONFIG=$(mktemp -p build/tmp); sed "s,server: .*,server: https://127.0.0.1:$PORT," %s >$CONFIG
kubectl="build/cluster/bin/kubectl --kubeconfig %s"
%s
]]):format(support.kubeconfig, support.kubeconfig, command) } .. "/run.sh"
    return support.shell(("python3 tests/drops.py %s sh %s"):format(server, file))
end

describe("a dropped connection", function()
    setup(function()
        local run = support.on_cluster("apply", support.profile("dropped", [[return { bk.config "page" { a = "b" },
            bk.deployment "web" { image = "nginx:1.27", replicas = 1, ports = { http = 80 }, readiness = bk.http "/",
                resources = { cpu = "50m..200m", memory = "32Mi..64Mi" } } }]]))
        assert.equal(0, run.code, run.err)
    end)

    it("does not end wait", function()
        local run = through(([[
%s wait -n dropped cm/late --timeout 20s --kubeconfig $CONFIG & pid=$!
sleep 1; kill -USR1 $DROPS; sleep 0.2; kill -USR1 $DROPS; sleep 1; $kubectl create configmap late -n dropped >&2
wait $pid]]):format(program))
        assert.equal(0, run.code, run.err)
    end)

    it("loses and repeats no line of logs", function()
        local folder = io.popen("pwd"):read("l") .. "/" .. support.folder { log =
            "2026-11-24T02:00:01.100000000Z stdout F a\n2026-11-24T02:00:01.200000000Z stdout F b\n"
            .. "2026-11-24T02:00:01.200000000Z stdout F c\n" }
        local logs = support.folder { ["logs.yaml"] = ([[
{ apiVersion: kwok.x-k8s.io/v1alpha1, kind: ClusterLogs, metadata: { name: dropped },
  spec: { selector: { matchNamespaces: [dropped] }, logs: [ { logsFile: %s/log, follow: true } ] } }
]]):format(folder) } .. "/logs.yaml"
        local run = through(([[
$kubectl apply -f %s >&2; sleep 0.5
%s logs dropped -f --kubeconfig $CONFIG & pid=$!
sleep 1.5; kill -USR1 $DROPS
echo "2026-11-24T02:00:01.200000000Z stdout F d" >>%s/log
echo "2026-11-24T02:00:02.000000000Z stdout F e" >>%s/log
sleep 4; echo "2026-11-24T02:00:03.000000000Z stdout F f" >>%s/log; sleep 1; kill -INT $pid; wait $pid]]):format(
            logs, program, folder, folder, folder))
        support.kubectl("delete clusterlogs dropped")
        local seen = {}
        for text in run.out:gmatch("│ (%w)\n") do
            seen[#seen + 1] = text
        end
        assert.equal("a b c d e f", table.concat(seen, " "), run.out .. run.err)
    end)

    it("does not end status and events", function()
        local run = through(([[
%s status dropped -w --kubeconfig $CONFIG & one=$!
%s events dropped -w --kubeconfig $CONFIG & two=$!
sleep 1.5; kill -USR1 $DROPS; sleep 1; $kubectl scale deployment web -n dropped --replicas 3 >&2; sleep 2
kill -INT $one $two; wait $one; wait $two]]):format(program, program))
        assert.matches("Deployment/web  ready  3/3", run.out)
        assert.matches("Scaled up replica set web%-%w+ from 1 to 3", run.out)
    end)
end)
