"""How long after the event a waiter knows: `bkdeploy wait` beside a bare watch on the same Deployment, both at once."""
import json
import subprocess
import time

from measuring import ENVIRONMENT, STATE, kubectl, server, settle, statistics, table

NAMESPACE = "bench-waiting"

# A second passes between the last pod's readiness and the Deployment's: the waiter waits by then.
DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE},
    "spec": {"replicas": 1, "minReadySeconds": 1, "strategy": {"type": "Recreate"},
             "selector": {"matchLabels": {"app": "web"}},
             "template": {"metadata": {"labels": {"app": "web"}},
                          "spec": {"terminationGracePeriodSeconds": 0,
                                   "containers": [{"name": "web", "image": "nginx:1.27"}]}}},
}


def apply(number):
    DEPLOYMENT["spec"]["template"]["metadata"]["annotations"] = {"run": str(number)}
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(DEPLOYMENT))


def is_up(deployment):
    status = deployment.get("status", {})
    return (status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
            and [status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")] == [1, 1, 1])


def one_wait():
    """The moment at which a `bkdeploy wait` that begins now is over."""
    waiter = subprocess.Popen(["build/bkdeploy", "wait", "-n", NAMESPACE, "deployment/web", "--timeout", "60s"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    talk = waiter.stderr.read()  # ends when the program does
    over = time.monotonic_ns()
    if waiter.wait() != 0:
        raise SystemExit(f"bkdeploy wait: {talk}")
    return over


def run(runs, say):
    kubectl("create", "namespace", NAMESPACE)
    url = f"{server()}/apis/apps/v1/namespaces/{NAMESPACE}/deployments?watch=1&resourceVersion=0"
    log = f"{STATE}/log/watch"
    with open(log, "wb") as file:
        watch = subprocess.Popen(["build/watch", f"{STATE}/pki", url], stdout=file)
    delays = []
    try:
        for number in range(runs):
            settle(3)
            began = time.monotonic_ns()
            apply(number)
            over = one_wait()
            time.sleep(0.05)
            with open(log, encoding="utf-8") as file:
                events = [line.split(" ", 1) for line in file]
            # The event that makes it true is the first of this run after it was untrue.
            since = [(int(at), is_up(json.loads(event)["object"])) for at, event in events if int(at) > began]
            at = next(at for at, up in since if up)
            delays.append((over - at) / 1e6)
            say(f"wait {number + 1} of {runs}: {delays[-1]:.1f} ms behind the bare watch")
    finally:
        watch.kill()
        watch.wait()
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    return table(["success, seen by a bare watch", "median", "worst"],
                 [[f"bkdeploy wait has ended after that, {runs} runs", f"{statistics.median(delays):.1f} ms",
                   f"{max(delays):.1f} ms"]])
