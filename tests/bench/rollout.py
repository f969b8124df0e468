"""200 Deployments with 10,000 pods in all, rolled out under kwok: what following them costs."""
import json

from measuring import cell, kubectl, once, seconds_text, settle, table
from objects import write

NAMESPACE = "bench-rollout"
NODES, PODS_OF_NODE = 5, 3000

PROFILE = """local bk = require "bk"

return bk.profile "rollout" {
    default = "default",
    environments = { default = { namespace = "bench-rollout", count = 200, pods = 50 } },
    components = function(env)
        local list = {}
        for i = 1, env.count do
            list[i] = bk.deployment("web-" .. i) {
                image = "nginx:1.27", replicas = env.pods, readiness = bk.exec { "true" },
                resources = { cpu = "50m..200m", memory = "32Mi..64Mi" },
            }
        end
        return list
    end,
}
"""


def add_nodes():
    size = {"cpu": "1000", "memory": "4Ti", "pods": str(PODS_OF_NODE)}
    nodes = [{"apiVersion": "v1", "kind": "Node",
              "metadata": {"name": f"bench-{i}", "annotations": {"kwok.x-k8s.io/node": "fake"},
                           "labels": {"kubernetes.io/hostname": f"bench-{i}", "kubernetes.io/os": "linux",
                                      "kubernetes.io/arch": "amd64"}},
              "status": {"allocatable": size, "capacity": size}} for i in range(NODES)]
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List",
                                                                   "items": nodes}))
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", *(f"node/bench-{i}" for i in range(NODES)))


def run(components, pods, say):
    profile = write("rollout/profile.lua", PROFILE)
    add_nodes()
    settle()
    took = once(["build/bkdeploy", "apply", profile, "--yes", "--timeout", "15m", "--set", f"count={components}",
                 "--set", f"pods={pods // components}"])
    say(f"{pods} pods came up in {took.seconds:.0f} s")
    rows = [[f"{components} components with {pods:,} pods, rolled out and followed", seconds_text(took.seconds),
             f"{took.mb:.1f} MB", f"{took.cpu / took.seconds * 100:.1f} % of one core ({took.cpu:.2f} s)"]]
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    return table(["following", "wall", "peak memory", "processor"], rows)
