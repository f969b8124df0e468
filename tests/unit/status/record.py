#!/usr/bin/env python3
"""Records objects in the phases of their lives from a control plane of tests/cluster, for
tests/unit/status_spec.lua: one file a kind, the objects named by their phase, without what no rule
looks at. What a kubelet or an operator writes is written here as they would.

    CLUSTER=status tests/cluster/cluster up
    tests/unit/status/record.py build/cluster/status/kubeconfig
    CLUSTER=status tests/cluster/cluster down
"""
import json
import os
import subprocess
import sys
import time

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
KUBECTL = [os.path.join(HERE, "../../../build/cluster/bin/kubectl"), "--kubeconfig", sys.argv[1]]
recorded = {}


def kubectl(*words, text=None, fails=False):
    run = subprocess.run([*KUBECTL, *words], input=text, text=True, capture_output=True)
    if run.returncode and not fails:
        sys.exit(f"kubectl {' '.join(words)}: {run.stderr}")
    return run.stdout


def create(spec):
    """The object as the server answers: no controller has seen it."""
    return json.loads(kubectl("create", "-o", "json", "-f", "-", text=json.dumps(spec)))


def get(kind, name):
    return json.loads(kubectl("get", kind, name, "-o", "json"))


def until(what, kind, name, test, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        found = get(kind, name)
        if test(found):
            return found
        time.sleep(0.1)
    sys.exit(f"{kind} {name}: not {what}: {found.get('status')}")


def patch(kind, name, change, status=False):
    kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(change),
            *(["--subresource=status"] if status else []))


def condition(kind, status, reason=None):
    def test(found):
        return any(row["type"] == kind and row["status"] == status and reason in (None, row.get("reason"))
                   for row in found.get("status", {}).get("conditions", []))
    return test


def reduced(value):
    meta = value["metadata"]
    for key in ("managedFields", "uid", "selfLink", "generateName", "resourceVersion"):
        meta.pop(key, None)
    meta.get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    for owner in meta.get("ownerReferences", []):
        owner.pop("uid", None)
    template = value.get("spec", {}).get("template") if isinstance(value.get("spec"), dict) else None
    if template:
        template.get("metadata", {}).pop("creationTimestamp", None)
        template["spec"] = {"containers": [{"name": c["name"], "image": c["image"]}
                                           for c in template["spec"]["containers"]]}
    if value["kind"] == "Pod":
        value["spec"] = {"containers": [{"name": c["name"], "image": c["image"]} for c in value["spec"]["containers"]]}
    if value["kind"] == "CronJob":
        value["spec"]["jobTemplate"] = {"spec": {"template": {"spec": {"containers": [
            {"name": c["name"], "image": c["image"]}
            for c in value["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]]}}}}
    if value["kind"] == "CustomResourceDefinition":
        for version in value["spec"]["versions"]:
            version["schema"] = {"openAPIV3Schema": {"type": "object"}}
    return value


def record(name, value):
    """Under another name than it had: that of its phase."""
    value = reduced(json.loads(json.dumps(value)))
    value["metadata"]["name"] = name
    recorded.setdefault(value["kind"].lower(), []).append(value)


def pod_spec(**more):
    return {"containers": [{"name": "web", "image": "example.com/web:1"}], **more}


NOWHERE = {"nodeSelector": {"nowhere": "true"}}


def workload(kind, name, pods=None, **spec):
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(**(pods or {}))}, **spec}}


def replicas(updated, available, total=None):
    def test(found):
        status = found.get("status", {})
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        return (seen and status.get("updatedReplicas", 0) == updated and
                status.get("availableReplicas", 0) == available and
                (total is None or status.get("replicas", 0) == total))
    return test


def deployments():
    record("just-made", create(workload("Deployment", "web", replicas=3)))
    record("complete", until("complete", "deployment", "web", lambda d: replicas(3, 3, 3)(d) and condition(
        "Progressing", "True", "NewReplicaSetAvailable")(d)))
    patch("deployment", "web", {"spec": {"template": {"spec": NOWHERE}}})
    time.sleep(1)
    record("changed", until("rolling", "deployment", "web", lambda d: d["status"].get("updatedReplicas") == 1))
    kubectl("patch", "deployment", "web", "--type=json", "-p",
            '[{"op":"remove","path":"/spec/template/spec/nodeSelector"}]')
    until("complete", "deployment", "web", replicas(3, 3, 3))
    patch("deployment", "web", {"spec": {"paused": True}})
    record("paused-complete", until("paused", "deployment", "web", condition("Progressing", "Unknown")))
    patch("deployment", "web", {"spec": {"template": {"metadata": {"labels": {"new": "yes"}}}}})
    time.sleep(1)
    record("paused-changed", until("paused", "deployment", "web", replicas(0, 3, 3)))
    patch("deployment", "web", {"spec": {"paused": False}})
    until("complete", "deployment", "web", replicas(3, 3, 3))
    patch("deployment", "web", {"spec": {"replicas": 2}})
    record("scaled-down", until("scaled", "deployment", "web", replicas(2, 2, 2)))
    patch("deployment", "web", {"spec": {"replicas": 0}})
    record("of-none", until("scaled", "deployment", "web", replicas(0, 0, 0)))
    create(workload("Deployment", "lost", pods=NOWHERE, replicas=2, progressDeadlineSeconds=3))
    record("unscheduled", until("made", "deployment", "lost", replicas(2, 0, 2)))
    record("past-deadline", until("late", "deployment", "lost", condition("Progressing", "False")))
    create(workload("Deployment", "held", paused=True))
    time.sleep(1)
    record("paused-new", until("seen", "deployment", "held", condition("Progressing", "Unknown")))
    create(workload("Deployment", "slow", minReadySeconds=500))
    record("min-ready", until("ready", "deployment", "slow", lambda d: d["status"].get("readyReplicas") == 1))
    create(workload("Deployment", "surge", strategy={"rollingUpdate": {"maxUnavailable": 0}}, replicas=2))
    until("complete", "deployment", "surge", replicas(2, 2, 2))
    kubectl("create", "quota", "none", "--hard=pods=0", "-n", "poor")
    kubectl("create", "-n", "poor", "-f", "-", text=json.dumps(workload("Deployment", "poor", replicas=2)))
    for _ in range(100):
        found = json.loads(kubectl("get", "deployment", "poor", "-n", "poor", "-o", "json"))
        if condition("ReplicaFailure", "True")(found):
            break
        time.sleep(0.1)
    record("over-quota", found)
    rs = json.loads(kubectl("get", "replicaset", "-n", "poor", "-o", "json"))["items"][0]
    record("over-quota", rs)
    kubectl("delete", "deployment", "surge", "--cascade=foreground", "--wait=false")
    patch_finalizer = {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}}
    create({**workload("Deployment", "ending"), "metadata": {"name": "ending", **patch_finalizer["metadata"]}})
    kubectl("delete", "deployment", "ending", "--wait=false")
    record("ending", get("deployment", "ending"))


def statefulsets():
    record("just-made", create(workload("StatefulSet", "db", serviceName="db", replicas=3)))
    record("complete", until("complete", "statefulset", "db", replicas(3, 3, 3)))
    patch("statefulset", "db", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}})
    patch("statefulset", "db", {"spec": {"template": {"metadata": {"labels": {"new": "yes"}}}}})
    record("updated-to-partition", until("updated", "statefulset", "db", replicas(1, 3, 3)))
    patch("statefulset", "db", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}},
                                         "template": {"spec": NOWHERE}}})
    record("partition-rolling", until("rolling", "statefulset", "db", lambda s: s["status"].get(
        "readyReplicas") == 2 and s["status"]["observedGeneration"] == s["metadata"]["generation"]))
    create(workload("StatefulSet", "hand", serviceName="hand", replicas=1, updateStrategy={"type": "OnDelete"}))
    until("complete", "statefulset", "hand", replicas(1, 1, 1))
    patch("statefulset", "hand", {"spec": {"template": {"metadata": {"labels": {"new": "yes"}}}}})
    record("by-hand-changed", until("seen", "statefulset", "hand", lambda s: s["status"]["currentRevision"] !=
                                    s["status"]["updateRevision"]))
    create(workload("StatefulSet", "lost", pods=NOWHERE, serviceName="lost", replicas=2,
                    updateStrategy={"type": "OnDelete"}))
    record("by-hand-unready", until("made", "statefulset", "lost", lambda s: s["status"].get("replicas") == 1))
    create(workload("StatefulSet", "later", serviceName="later", replicas=2, ordinals={"start": 5}))
    record("ordinals", until("complete", "statefulset", "later", replicas(2, 2, 2)))
    patch("statefulset", "later", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}},
                                            "template": {"metadata": {"labels": {"new": "yes"}}}}})
    record("ordinals-partition", until("updated", "statefulset", "later", replicas(1, 2, 2)))
    create(workload("StatefulSet", "first", pods=NOWHERE, serviceName="first", replicas=2))
    record("first-pod", until("made", "statefulset", "first", lambda s: s["status"].get("replicas") == 1))
    create(workload("StatefulSet", "roll", serviceName="roll", replicas=2))
    until("complete", "statefulset", "roll", replicas(2, 2, 2))
    patch("statefulset", "roll", {"spec": {"template": {"spec": NOWHERE}}})
    record("rolling", until("rolling", "statefulset", "roll", lambda s: s["status"].get("readyReplicas") == 1))
    create(workload("StatefulSet", "none", serviceName="none", replicas=0))
    record("of-none", until("seen", "statefulset", "none", lambda s: s["status"].get("observedGeneration") == 1))


def daemonsets():
    record("just-made", create(workload("DaemonSet", "agent")))
    nodes = 3
    record("complete", until("complete", "daemonset", "agent", lambda d: d["status"].get("numberAvailable") == nodes))
    patch("daemonset", "agent", {"spec": {"template": {"spec": {"containers": [
        {"name": "web", "image": "example.com/web:1", "resources": {"requests": {"cpu": "1000"}}}]}}}})
    record("rolling", until("rolling", "daemonset", "agent", lambda d: d["status"].get("numberAvailable", 0) < nodes))
    create(workload("DaemonSet", "hand", updateStrategy={"type": "OnDelete"}))
    until("complete", "daemonset", "hand", lambda d: d["status"].get("numberAvailable") == nodes)
    patch("daemonset", "hand", {"spec": {"template": {"metadata": {"labels": {"new": "yes"}}}}})
    record("by-hand-changed", until("seen", "daemonset", "hand", lambda d: d["status"][
        "observedGeneration"] == 2 and d["status"].get("updatedNumberScheduled", 0) == 0))
    create(workload("DaemonSet", "absent", pods=NOWHERE))
    record("of-no-node", until("seen", "daemonset", "absent", lambda d: d["status"].get("observedGeneration") == 1))
    create(workload("DaemonSet", "big"))
    patch("daemonset", "big", {"spec": {"template": {"spec": {"containers": [
        {"name": "web", "image": "example.com/web:1", "resources": {"requests": {"cpu": "1000"}}}]}}}})
    time.sleep(1)
    kubectl("delete", "pods", "-l", "app=big", "--wait=false")
    time.sleep(1)
    record("unscheduled", get("daemonset", "big"))


def replicasets():
    record("just-made", create(workload("ReplicaSet", "rs", replicas=2)))
    record("complete", until("complete", "replicaset", "rs", lambda r: r["status"].get("availableReplicas") == 2))
    create(workload("ReplicaSet", "lost", pods=NOWHERE, replicas=2))
    record("unscheduled", until("made", "replicaset", "lost", lambda r: r["status"].get("replicas") == 2))
    rc = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc"},
          "spec": {"replicas": 1, "selector": {"app": "rc"}, "template": {
              "metadata": {"labels": {"app": "rc"}}, "spec": pod_spec()}}}
    record("just-made", create(rc))
    record("complete", until("complete", "rc", "rc", lambda r: r["status"].get("availableReplicas") == 1))


def ghost_pod(name, **more):
    """A pod on a node without a kubelet."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **more.pop("metadata", {})},
            "spec": pod_spec(nodeName="ghost", **more)}


def container(state, **more):
    return [{"name": "web", "image": "example.com/web:1", "imageID": "", "ready": False, "restartCount": 0,
             "state": state, **more}]


NOT_READY = {"type": "Ready", "status": "False", "reason": "ContainersNotReady",
             "message": "containers with unready status: [web]"}


def pods():
    kubectl("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "ghost"}}))
    create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ready"}, "spec": pod_spec()})
    record("ready", until("ready", "pod", "ready", condition("Ready", "True")))
    create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lost"}, "spec": pod_spec(**NOWHERE)})
    record("unschedulable", until("refused", "pod", "lost", condition("PodScheduled", "False")))
    create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gated"}, "spec": pod_spec(
        schedulingGates=[{"name": "example.com/later"}])})
    record("gated", until("gated", "pod", "gated", condition("PodScheduled", "False")))
    states = {
        "pulling": {"phase": "Pending", "conditions": [NOT_READY], "containerStatuses": container(
            {"waiting": {"reason": "ContainerCreating"}})},
        "image-missing": {"phase": "Pending", "conditions": [NOT_READY], "containerStatuses": container(
            {"waiting": {"reason": "ImagePullBackOff",
                         "message": "Back-off pulling image \"example.com/web:1\""}})},
        "unready": {"phase": "Running", "conditions": [NOT_READY], "containerStatuses": container(
            {"running": {"startedAt": "2026-11-24T02:00:00Z"}}, started=True)},
        "crash-loop": {"phase": "Running", "conditions": [NOT_READY], "containerStatuses": container(
            {"waiting": {"reason": "CrashLoopBackOff",
                         "message": "back-off 40s restarting failed container=web pod=crash-loop_default"}},
            lastState={"terminated": {"exitCode": 1, "reason": "Error"}})},
        "init-crash-loop": {"phase": "Pending", "conditions": [NOT_READY], "initContainerStatuses": [dict(
            container({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed"}})[0],
            name="prepare")], "containerStatuses": container({"waiting": {"reason": "PodInitializing"}})},
        "succeeded": {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "False",
                                                           "reason": "PodCompleted"}],
                      "containerStatuses": container({"terminated": {"exitCode": 0, "reason": "Completed"}})},
        "failed": {"phase": "Failed", "conditions": [{"type": "Ready", "status": "False", "reason": "PodFailed"}],
                   "containerStatuses": container({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})},
        "evicted": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
    }
    for name, status in states.items():
        create(ghost_pod(name, restartPolicy="Never" if name == "failed" else "Always"))
        patch("pod", name, {"status": status}, status=True)
        record(name, get("pod", name))
    create(ghost_pod("ending", metadata={"finalizers": ["example.com/hold"]}))
    kubectl("delete", "pod", "ending", "--wait=false", "--grace-period=0", "--force")
    record("ending", get("pod", "ending"))


def job(name, **spec):
    template = {"spec": pod_spec(restartPolicy="Never", nodeName="ghost")}
    template["spec"].update(spec.pop("pods", {}))
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {**spec, "template": template}}


def fail_pods(name, code=1):
    end = time.time() + 10
    while time.time() < end:
        items = json.loads(kubectl("get", "pods", "-l", f"job-name={name}", "-o", "json"))["items"]
        if items:
            break
        time.sleep(0.1)
    for item in items:
        patch("pod", item["metadata"]["name"], {"status": {"phase": "Failed", "containerStatuses": container(
            {"terminated": {"exitCode": code, "reason": "Error"}})}}, status=True)


def jobs():
    record("just-made", create(job("made")))
    record("running", until("active", "job", "made", lambda j: j["status"].get("active") == 1))
    done = job("done", completions=2)
    del done["spec"]["template"]["spec"]["nodeName"]
    create(done)
    record("complete", until("complete", "job", "done", condition("Complete", "True")))
    create(job("tired", backoffLimit=0))
    fail_pods("tired")
    record("no-more-tries", until("failed", "job", "tired", condition("Failed", "True")))
    create(job("late", activeDeadlineSeconds=1))
    record("past-deadline-ending", until("late", "job", "late", condition("FailureTarget", "True")))
    held = job("held", suspend=True)
    create(held)
    record("suspended", until("suspended", "job", "held", condition("Suspended", "True")))
    create(job("policy", podFailurePolicy={"rules": [{"action": "FailJob", "onExitCodes": {
        "operator": "In", "values": [42]}}]}))
    fail_pods("policy", 42)
    record("failure-policy", until("failed", "job", "policy", condition("Failed", "True")))
    create(job("indexes", completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=0,
               maxFailedIndexes=0))
    time.sleep(1)
    fail_pods("indexes")
    record("failed-indexes", until("failed", "job", "indexes", condition("Failed", "True")))
    create(job("queue", parallelism=3))
    record("queue", until("active", "job", "queue", lambda j: j["status"].get("active") == 3))
    create(job("enough", completions=3, parallelism=3, completionMode="Indexed",
               successPolicy={"rules": [{"succeededIndexes": "0"}]}))
    time.sleep(1)
    items = json.loads(kubectl("get", "pods", "-l", "job-name=enough,batch.kubernetes.io/job-completion-index=0",
                               "-o", "json"))["items"]
    patch("pod", items[0]["metadata"]["name"], {"status": {"phase": "Succeeded"}}, status=True)
    record("enough", until("met", "job", "enough", condition("SuccessCriteriaMet", "True")))
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": {
        "schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pod_spec(restartPolicy="Never")}}}}}
    record("scheduled", create(cron))
    patch("cronjob", "nightly", {"spec": {"suspend": True}})
    record("suspended", get("cronjob", "nightly"))


def claim(name, **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **spec}}


def claims():
    kubectl("create", "-f", "-", text=json.dumps({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
        "provisioner": "kubernetes.io/host-path", "volumeBindingMode": "WaitForFirstConsumer"}))
    record("late", get("storageclass", "late"))
    create(claim("bound"))
    record("bound", until("bound", "pvc", "bound", lambda c: c["status"]["phase"] == "Bound"))
    volume = get("pvc", "bound")["spec"]["volumeName"]
    record("bound", get("pv", volume))
    create(claim("first", storageClassName="late"))
    time.sleep(0.5)
    record("waits-for-consumer", get("pvc", "first"))
    create(claim("chosen", storageClassName="late"))
    kubectl("annotate", "pvc", "chosen", "volume.kubernetes.io/selected-node=nowhere")
    record("node-selected", get("pvc", "chosen"))
    create(claim("missing", storageClassName="none-such"))
    time.sleep(0.5)
    record("class-missing", get("pvc", "missing"))
    kubectl("delete", "pv", volume, "--wait=false")
    kubectl("patch", "pv", volume, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    record("lost", until("lost", "pvc", "bound", lambda c: c["status"]["phase"] == "Lost"))
    create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "spare"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/none"}}})
    record("available", until("available", "pv", "spare", lambda v: v["status"].get("phase") == "Available"))
    patch("pv", "spare", {"status": {"phase": "Failed", "message": "recycler failed"}}, status=True)
    found = get("pv", "spare")
    found["status"] = {"phase": "Failed", "message": "recycler failed"}
    record("failed", found)


def network():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {
        "selector": {"app": "web"}, "ports": [{"port": 80}]}}
    record("cluster-ip", create(service))
    balanced = json.loads(json.dumps(service))
    balanced["metadata"]["name"] = "lb"
    balanced["spec"]["type"] = "LoadBalancer"
    record("without-address", create(balanced))
    patch("service", "lb", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}, status=True)
    record("with-address", get("service", "lb"))
    record("external", create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "ext"}, "spec": {
        "type": "ExternalName", "externalName": "db.example.com"}}))
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}, "spec": {
        "rules": [{"host": "web.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
            "service": {"name": "web", "port": {"number": 80}}}}]}}]}}
    record("without-address", create(ingress))
    patch("ingress", "web", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}}, status=True)
    record("with-address", get("ingress", "web"))


def policies():
    def scaler(name, target):
        return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
                "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment",
                                                              "name": target}, "metrics": [{
                    "type": "Resource", "resource": {"name": "cpu", "target": {
                        "type": "Utilization", "averageUtilization": 80}}}]}}
    record("just-made", create(scaler("lost", "none-such")))
    create(scaler("blind", "slow"))
    record("target-missing", until("refused", "hpa", "lost", condition("AbleToScale", "False")))
    record("without-metrics", until("blind", "hpa", "blind", condition("ScalingActive", "False")))
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": {
        "minAvailable": 1, "selector": {"matchLabels": {"app": "agent"}}}}
    record("just-made", create(budget))
    record("in-force", until("seen", "pdb", "web", condition("DisruptionAllowed", "True")))
    owner = create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owner"}})
    create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "owned", "labels": {"app": "bare"}, "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"], "controller": True}]},
        "spec": pod_spec()})
    create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "bare"}, "spec": {
        "maxUnavailable": "50%", "selector": {"matchLabels": {"app": "bare"}}}})
    record("sync-failed", until("failed", "pdb", "bare", condition("DisruptionAllowed", "False", "SyncFailed")))


def crd(plural, kind, group="example.com", **names):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"}, "spec": {
                "group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind, **names},
                "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                              "schema": {"openAPIV3Schema": {
                                  "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def kinds():
    record("just-made", create(crd("lamps", "Lamp")))
    record("established", until("established", "crd", "lamps.example.com", condition("Established", "True")))
    create(crd("lights", "Lamp"))
    record("names-taken", until("refused", "crd", "lights.example.com", condition("NamesAccepted", "False")))
    record("local", get("apiservice", "v1.apps"))
    create({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.far.example.com"},
            "spec": {"group": "far.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 1,
                     "service": {"namespace": "default", "name": "far"}, "insecureSkipTLSVerify": True}})
    record("service-missing", until("refused", "apiservice", "v1.far.example.com", condition("Available", "False")))
    time.sleep(2)
    statuses = {
        "no-status": {},
        "no-conditions": {"phase": "Lit"},
        "ready": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Lit"}]},
        "not-ready": {"observedGeneration": 1, "conditions": [
            {"type": "Ready", "status": "False", "reason": "NoBulb", "message": "waits for a bulb"}]},
        "ready-unknown": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "Asking"}]},
        "stalled": {"observedGeneration": 1, "conditions": [
            {"type": "Ready", "status": "False", "reason": "Broken", "message": "no such socket"},
            {"type": "Stalled", "status": "True", "reason": "Broken", "message": "no such socket"}]},
        "reconciling": {"observedGeneration": 1, "conditions": [
            {"type": "Reconciling", "status": "True", "reason": "Progressing", "message": "screwing it in"},
            {"type": "Ready", "status": "True", "reason": "Lit"}]},
        "old-status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Lit"}]},
        "old-failure": {"observedGeneration": 1, "conditions": [
            {"type": "Stalled", "status": "True", "reason": "Broken", "message": "no such socket"}]},
        "old-condition": {"conditions": [{"type": "Ready", "status": "True", "reason": "Lit",
                                          "observedGeneration": 1}]},
        "stalled-and-reconciling": {"observedGeneration": 1, "conditions": [
            {"type": "Reconciling", "status": "True", "reason": "Retrying", "message": "tries again"},
            {"type": "Stalled", "status": "True", "reason": "Broken", "message": "no such socket"}]},
        "other-life": {"observedGeneration": 7, "conditions": [{"type": "Ready", "status": "True", "reason": "Lit"}]},
    }
    for name, status in statuses.items():
        lamp = {"apiVersion": "example.com/v1", "kind": "Lamp", "metadata": {"name": name}, "spec": {"watts": 40}}
        create(lamp)
        if status:
            patch("lamp", name, {"status": status}, status=True)
        if name.startswith("old-"):
            patch("lamp", name, {"spec": {"watts": 60}})
        record(name, get("lamp", name))
    kubectl("patch", "lamp", "ready", "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    kubectl("delete", "lamp", "ready", "--wait=false")
    record("ending", get("lamp", "ready"))
    kubectl("delete", "crd", "lamps.example.com", "--wait=false")
    record("ending", get("crd", "lamps.example.com"))


def namespaces():
    record("active", get("namespace", "default"))
    kubectl("create", "namespace", "leaving")
    kubectl("create", "-n", "leaving", "-f", "-", text=json.dumps({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/hold"]}}))
    kubectl("delete", "namespace", "leaving", "--wait=false")
    record("ending", until("held", "namespace", "leaving", condition("NamespaceFinalizersRemaining", "True")))
    record("ready", get("node", "node-1"))
    record("without-kubelet", until("lost", "node", "ghost", condition("Ready", "Unknown"), 120))
    kubectl("create", "configmap", "settings", "--from-literal=a=b")
    record("settings", get("configmap", "settings"))
    record("reader", json.loads(kubectl("create", "role", "reader", "--verb=get", "--resource=pods", "-o", "json")))


kubectl("create", "namespace", "poor")
for step in (deployments, statefulsets, daemonsets, replicasets, pods, jobs, claims, network, policies, kinds, namespaces):
    print(step.__name__, flush=True)
    step()
for kind, objects in recorded.items():
    with open(os.path.join(HERE, f"{kind}.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump_all(objects, file, sort_keys=True, width=110)
print(sum(len(objects) for objects in recorded.values()), "objects")
