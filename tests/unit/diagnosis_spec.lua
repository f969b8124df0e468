local cjson = require "cjson"
local native = require "native"

--- What surrounds a Deployment `web` with one ReplicaSet: `pods` of it, and further fields of the input.
local function deployment(pods, more)
    local input = {
        workload = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web", uid = "d" } },
        replicasets = {
            { metadata = { name = "web-old", uid = "r1", ownerReferences = { { uid = "d" } },
                annotations = { ["deployment.kubernetes.io/revision"] = "9" } } },
            { metadata = { name = "web-new", uid = "r2", ownerReferences = { { uid = "d" } },
                annotations = { ["deployment.kubernetes.io/revision"] = "10" } } },
        },
        pods = pods,
    }
    for key, value in pairs(more or {}) do
        input[key] = value
    end
    return input
end

--- A pod of the newest ReplicaSet. `status` of the only container, whose spec gets the fields of `spec`.
local function pod(name, status, spec)
    local container = { name = "web", image = "shop/web:1" }
    for key, value in pairs(spec or {}) do
        container[key] = value
    end
    status.name = "web"
    return {
        metadata = { name = name, uid = "u-" .. name, creationTimestamp = "2026-01-01T00:00:00Z",
            ownerReferences = { { uid = "r2" } } },
        spec = { containers = { container }, restartPolicy = "Always" },
        status = { phase = "Pending", containerStatuses = { status } },
    }
end

local function waiting(reason, message)
    return { ready = false, state = { waiting = { reason = reason, message = message } } }
end

local function crashing(ended, restarts)
    local status = waiting("CrashLoopBackOff", "back-off 10s restarting failed container")
    ended.startedAt = "2026-01-01T00:00:05Z"
    status.lastState = { terminated = ended }
    status.restartCount = restarts or 3
    return status
end

local function event(kind, name, reason, message, more)
    local result = { type = "Warning", involvedObject = { kind = kind, name = name }, reason = reason, message = message,
        firstTimestamp = "2026-01-01T00:00:10Z", lastTimestamp = "2026-01-01T00:00:20Z" }
    for key, value in pairs(more or {}) do
        result[key] = value
    end
    return result
end

local function unscheduled(message)
    local result = pod("web-1", {})
    result.status = { phase = "Pending", conditions = { { type = "PodScheduled", status = "False", reason = "Unschedulable",
        message = message, lastTransitionTime = "2026-01-01T00:00:03Z" } } }
    return result
end

local function ready(name)
    local result = pod(name, { ready = true, state = { running = {} } })
    result.status.conditions = { { type = "Ready", status = "True" } }
    return result
end

local function owned(one, uid)
    one.metadata.ownerReferences = { { uid = uid } }
    return one
end

local function statefulset(pods, more)
    local input = deployment(pods, more)
    input.workload = { apiVersion = "apps/v1", kind = "StatefulSet", metadata = { name = "web", uid = "s" } }
    for _, one in ipairs(pods) do
        owned(one, "s")
    end
    return input
end

local function job(condition, pods, spec, status)
    status = status or {}
    status.conditions = { condition }
    for _, one in ipairs(pods) do
        owned(one, "j")
        one.spec.restartPolicy = "Never"
    end
    return { workload = { apiVersion = "batch/v1", kind = "Job", metadata = { name = "migrate", uid = "j" },
        spec = spec, status = status }, pods = pods }
end

local function init_container(state, more)
    local result = pod("web-1", { ready = false, state = { waiting = { reason = "PodInitializing" } } })
    result.spec.initContainers = { { name = "wait", image = "wait:1" } }
    local status = { name = "wait", ready = false, state = state }
    for key, value in pairs(more or {}) do
        status[key] = value
    end
    result.status.initContainerStatuses = { status }
    return result
end

local function failed_pod(code, reason)
    local result = pod("migrate-1", { ready = false, state = { terminated = { exitCode = code, reason = reason or "Error" } } })
    result.status.phase = "Failed"
    return result
end

local function with_claim(message, claim, claim_events)
    local one = unscheduled(message)
    one.spec.volumes = { { name = "d", persistentVolumeClaim = { claimName = "data" } } }
    return deployment({ one }, { claims = { claim }, events = claim_events })
end

local function claim(class_name)
    return { metadata = { name = "data", uid = "c" }, spec = { storageClassName = class_name },
        status = { phase = "Pending" } }
end

local unbound = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"

local function refused(message)
    return deployment({}, { events = { event("ReplicaSet", "web-new", "FailedCreate", message) } })
end

local mounting = waiting("ContainerCreating")

--- Rows: what it is, the input, kind, object, container, certain, message.
local rows = {
    { "a quota that is used up",
        refused 'Error creating: pods "web-x" is forbidden: exceeded quota: q, requested: cpu=2, used: cpu=0, limited: cpu=1',
        "PodsRefused", "ReplicaSet web-new", "", true,
        "its pods are refused: exceeded quota: q, requested: cpu=2, used: cpu=0, limited: cpu=1" },
    { "a service account that is not there",
        refused 'pods "web-" is forbidden: error looking up service account a/nobody: serviceaccount "nobody" not found',
        "PodsRefused", "ReplicaSet web-new", "", true, "its pods are refused: there is no ServiceAccount nobody",
        missing = "ServiceAccount nobody " },
    { "a webhook that refuses", refused 'Error creating: admission webhook "deny.example.com" denied the request: no',
        "PodsRefused", "ReplicaSet web-new", "", true,
        'its pods are refused: admission webhook "deny.example.com" denied the request: no' },
    { "a webhook that does not answer",
        refused 'Error creating: Internal error occurred: failed calling webhook "deny.example.com": connection refused',
        "PodsRefused", "ReplicaSet web-new", "", false,
        'its pods are refused: Internal error occurred: failed calling webhook "deny.example.com": connection refused' },
    { "a standard for pods",
        refused 'Error creating: pods "web-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
        "PodsRefused", "ReplicaSet web-new", "", true,
        'its pods are refused: violates PodSecurity "restricted:latest": runAsNonRoot != true' },
    { "what a StatefulSet could not make",
        statefulset({}, { events = { event("StatefulSet", "web", "FailedCreate", 'create Pod web-0 in StatefulSet web failed '
            .. 'error: pods "web-0" is forbidden: exceeded quota: q, requested: cpu=2') } }),
        "PodsRefused", "StatefulSet web", "", true, "its pods are refused: exceeded quota: q, requested: cpu=2" },
    { "what is over: a pod was made since",
        deployment({}, { events = { event("ReplicaSet", "web-new", "FailedCreate", "is forbidden: exceeded quota: q"),
            event("ReplicaSet", "web-new", "SuccessfulCreate", "Created pod", { lastTimestamp = "2026-01-01T00:00:30Z" }) } }) },
    { "what happened to an old ReplicaSet",
        deployment({}, { events = { event("ReplicaSet", "web-old", "FailedCreate", "is forbidden: exceeded quota: q") } }) },

    { "nodes without room", deployment { unscheduled("0/3 nodes are available: 1 node(s) had untolerated taint {key: x}, "
        .. "2 Insufficient memory. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.") },
        "Unschedulable", "Pod web-1", "", true, "no node takes it: 3 nodes: 1 has the taint key=x, 2 lack memory" },
    { "a taint that is not named", deployment { unscheduled("0/1 nodes are available: 1 node(s) had untolerated taint(s). "
        .. "no new claims to deallocate, preemption: none.") },
        "Unschedulable", "Pod web-1", "", true, "no node takes it: 1 node: 1 has a taint that the pod does not tolerate" },
    { "a taint that only the node names",
        (function()
            local one = unscheduled "0/2 nodes are available: 2 node(s) had untolerated taint(s)."
            one.spec.tolerations = { { key = "gpu", operator = "Exists" } }
            return deployment({ one }, { nodes = {
                { metadata = { name = "a" }, spec = { taints = { { key = "gpu", effect = "NoSchedule" },
                    { key = "team", value = "db", effect = "NoSchedule" } } } },
                { metadata = { name = "b" }, spec = { taints = { { key = "team", value = "db", effect = "NoSchedule" } } } },
            } })
        end)(),
        "Unschedulable", "Pod web-1", "", true, "no node takes it: 2 nodes: 2 have the taint team=db" },
    { "a node selector", deployment { unscheduled("0/3 nodes are available: 3 node(s) didn't match Pod's node "
        .. "affinity/selector. preemption: no") },
        "Unschedulable", "Pod web-1", "", true,
        "no node takes it: 3 nodes: 3 don't match the pod's node selector or affinity" },
    { "a cordoned node and one in use", deployment { unscheduled("0/2 nodes are available: 1 node(s) didn't have free ports "
        .. "for the requested pod ports, 1 node(s) were unschedulable.") },
        "Unschedulable", "Pod web-1", "", true, "no node takes it: 2 nodes: 1 has its host port in use, 1 is cordoned" },
    { "a node that is being made",
        deployment({ unscheduled "0/1 nodes are available: 1 Insufficient cpu." },
            { events = { event("Pod", "web-1", "TriggeredScaleUp", "pod triggered scale-up") } }),
        "Unschedulable", "Pod web-1", "", false, "no node takes it: 1 node: 1 lacks cpu (a new one is on its way)" },

    { "a claim without its class",
        with_claim(unbound, claim "fast", { event("PersistentVolumeClaim", "data", "ProvisioningFailed",
            'storageclass.storage.k8s.io "fast" not found') }),
        "ClaimUnbound", "PersistentVolumeClaim data", "", true, "claim data is not bound: there is no StorageClass fast" },
    { "a claim without any class",
        with_claim(unbound, claim "", { event("PersistentVolumeClaim", "data", "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set") }),
        "ClaimUnbound", "PersistentVolumeClaim data", "", true,
        "claim data is not bound: it has no StorageClass, and no volume fits it" },
    { "a claim that waits for its provisioner",
        with_claim(unbound, claim "csi", { event("PersistentVolumeClaim", "data", "ExternalProvisioning",
            "Waiting for a volume to be created by 'csi.example.com'", { type = "Normal" }) }),
        "ClaimUnbound", "PersistentVolumeClaim data", "", false,
        "claim data waits for its provisioner: Waiting for a volume to be created by 'csi.example.com'" },
    { "a claim that waits for its first pod",
        with_claim("0/3 nodes are available: 3 Insufficient cpu.", claim "late", { event("PersistentVolumeClaim", "data",
            "WaitForFirstConsumer", "waiting for first consumer", { type = "Normal" }) }),
        "Unschedulable", "Pod web-1", "", true, "no node takes it: 3 nodes: 3 lack cpu" },
    { "a claim that is not there", deployment { unscheduled 'persistentvolumeclaim "data" not found' },
        "ClaimUnbound", "Pod web-1", "", true, "there is no claim data" },

    { "an image that is not there", deployment { pod("web-1", waiting("ErrImagePull",
        'failed to pull and unpack image "docker.io/shop/web:1": docker.io/shop/web:1: not found')) },
        "ImagePull", "Pod web-1", "web", true,
        "container web: image shop/web:1 can't be pulled: the registry has no such image" },
    { "a registry that refuses", deployment { pod("web-1", waiting("ImagePullBackOff",
        'Back-off pulling image "shop/web:1": ErrImagePull: 401 unauthorized')) },
        "ImagePull", "Pod web-1", "web", true,
        "container web: image shop/web:1 can't be pulled: the registry refuses access to it" },
    { "a registry that does not answer", deployment { pod("web-1", waiting("ErrImagePull",
        "dial tcp 10.0.0.1:443: i/o timeout")) },
        "ImagePull", "Pod web-1", "web", false,
        "container web: image shop/web:1 can't be pulled: the registry does not answer" },
    { "a pull whose reason was told before",
        deployment({ pod("web-1", waiting("ImagePullBackOff", 'Back-off pulling image "shop/web:1"')) },
            { events = { event("Pod", "web-1", "Failed", "Failed to pull image: toomanyrequests: limit") } }),
        "ImagePull", "Pod web-1", "web", false,
        "container web: image shop/web:1 can't be pulled: the registry allows no more pulls for now" },
    { "a name that is none", deployment { pod("web-1", waiting("InvalidImageName", "couldn't parse"), { image = "A:B:C" }) },
        "ImagePull", "Pod web-1", "web", true, "container web: 'A:B:C' is not the name of an image" },
    { "one pod of two without its image", deployment { ready "web-0", pod("web-1", waiting("ErrImagePull", "not found")) },
        "ImagePull", "Pod web-1", "web", false,
        "container web: image shop/web:1 can't be pulled: the registry has no such image" },

    { "a crash loop", deployment { pod("web-1", crashing { exitCode = 1, reason = "Error" }) },
        "CrashLoop", "Pod web-1", "web", true, "container web: it exits with code 1; restarted 3 times" },
    { "a command that is not there", deployment { pod("web-1", crashing({ exitCode = 127 }, 1)) },
        "CrashLoop", "Pod web-1", "web", true,
        "container web: it exits with code 127 (command not found); restarted 1 time" },
    { "too little memory", deployment { pod("web-1", crashing { exitCode = 137, reason = "OOMKilled" },
        { resources = { limits = { memory = "64Mi" } } }) },
        "OutOfMemory", "Pod web-1", "web", true,
        "container web: it runs out of memory and is killed (its limit is 64Mi); restarted 3 times" },
    { "a liveness probe that fails",
        deployment({ pod("web-1", crashing { exitCode = 137, reason = "Error" }) },
            { events = { event("Pod", "web-1", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500") } }),
        "CrashLoop", "Pod web-1", "web", true,
        "container web: it is restarted again and again: Liveness probe failed: HTTP probe failed with statuscode: 500" },
    { "a container between two crashes", deployment { pod("web-1", { ready = false, restartCount = 2,
        state = { running = {} }, lastState = { terminated = { exitCode = 1 } } }) },
        "CrashLoop", "Pod web-1", "web", false, "container web: it exits with code 1; restarted 2 times" },
    { "one crashing pod of two", deployment { ready "web-0", pod("web-1", crashing { exitCode = 1 }) },
        "CrashLoop", "Pod web-1", "web", false, "container web: it exits with code 1; restarted 3 times" },
    { "one crashing pod of a StatefulSet", statefulset { ready "web-0", pod("web-1", crashing { exitCode = 1 }) },
        "CrashLoop", "Pod web-1", "web", true, "container web: it exits with code 1; restarted 3 times" },
    { "a pod of an old ReplicaSet", deployment { owned(pod("web-1", crashing { exitCode = 1 }), "r1") } },

    { "a Secret without its key", deployment { pod("web-1", waiting("CreateContainerConfigError",
        "couldn't find key password in Secret shop/mysql-auth")) },
        "ConfigMissing", "Pod web-1", "web", true, 'container web: Secret mysql-auth has no key "password"',
        missing = "Secret mysql-auth password" },
    { "a ConfigMap that is not there", deployment { pod("web-1", waiting("CreateContainerConfigError",
        'configmap "settings" not found')) },
        "ConfigMissing", "Pod web-1", "web", true, "container web: there is no ConfigMap settings",
        missing = "ConfigMap settings " },
    { "a Secret that is on its way",
        deployment({ pod("web-1", waiting("CreateContainerConfigError", 'secret "late" not found')) },
            { coming = { ["Secret/late"] = true } }),
        "ConfigMissing", "Pod web-1", "web", false, "container web: there is no Secret late" },
    { "a Secret that the node has not heard of", deployment { pod("web-1", waiting("CreateContainerConfigError",
        "failed to sync secret cache: timed out waiting for the condition")) },
        "ContainerRefused", "Pod web-1", "web", false,
        "container web: it can't be started: failed to sync secret cache: timed out waiting for the condition" },
    { "a container that must not be root", deployment { pod("web-1", waiting("CreateContainerConfigError",
        "container has runAsNonRoot and image will run as root")) },
        "ContainerRefused", "Pod web-1", "web", true,
        "container web: it can't be started: container has runAsNonRoot and image will run as root" },
    { "a program that is not in the image", deployment { pod("web-1", waiting("RunContainerError",
        'exec: "srv": executable file not found in $PATH')) },
        "ContainerRefused", "Pod web-1", "web", true,
        'container web: it can\'t be started: exec: "srv": executable file not found in $PATH' },

    { "a volume of a Secret that is not there",
        deployment({ pod("web-1", mounting) }, { events = { event("Pod", "web-1", "FailedMount",
            'MountVolume.SetUp failed for volume "cert" : secret "tls" not found') } }),
        "ConfigMissing", "Pod web-1", "", true, "there is no Secret tls", missing = "Secret tls " },
    { "a volume of a key that is not there",
        (function()
            local one = pod("web-1", mounting)
            one.spec.volumes = { { name = "conf", configMap = { name = "settings" } } }
            return deployment({ one }, { events = { event("Pod", "web-1", "FailedMount",
                'MountVolume.SetUp failed for volume "conf" : references non-existent config key: a.ini') } })
        end)(),
        "ConfigMissing", "Pod web-1", "", true, 'ConfigMap settings has no key "a.ini" (volume conf)',
        missing = "ConfigMap settings a.ini" },
    { "a volume that another node has",
        deployment({ pod("web-1", mounting) }, { events = { event("Pod", "web-1", "FailedAttachVolume",
            'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0') } }),
        "Volume", "Pod web-1", "", false,
        'volume pvc-1 is not attached: Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0' },

    { "a readiness probe that fails",
        deployment({ pod("web-1", { ready = false, state = { running = {} } },
            { readinessProbe = { httpGet = { port = 8080, path = "/healthz" } } }) },
            { events = { event("Pod", "web-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503") } }),
        "ProbeFailing", "Pod web-1", "web", false, "container web: it runs but is not ready: Readiness probe failed: "
            .. "HTTP probe failed with statuscode: 503 (HTTP at :8080/healthz)" },
    { "a probe that nobody has heard of", deployment { pod("web-1", { ready = false, state = { running = {} } },
        { readinessProbe = { tcpSocket = { port = "http" } } }) },
        "ProbeFailing", "Pod web-1", "web", false,
        "container web: it runs but is not ready: its probe has not succeeded yet (TCP at :http)" },
    { "a Deployment past its deadline for a probe",
        (function()
            local input = deployment { pod("web-1", { ready = false, state = { running = {} } },
                { readinessProbe = { exec = { command = { "cat", "/ok" } } } }) }
            input.workload.status = { conditions = { { type = "Progressing", status = "False",
                reason = "ProgressDeadlineExceeded", message = "timed out" } } }
            return input
        end)(),
        "ProbeFailing", "Pod web-1", "web", true,
        "container web: it runs but is not ready: its probe has not succeeded yet (cat /ok)" },
    { "a Deployment past its deadline for nothing",
        (function()
            local input = deployment {}
            input.workload.status = { conditions = { { type = "Progressing", status = "False",
                reason = "ProgressDeadlineExceeded", message = "timed out" } } }
            return input
        end)(),
        "ProgressDeadline", "Deployment web", "", true, "no progress within its deadline: timed out" },

    { "an init container that crashes", deployment { init_container({ waiting = { reason = "CrashLoopBackOff" } },
        { lastState = { terminated = { exitCode = 2 } }, restartCount = 4 }) },
        "CrashLoop", "Pod web-1", "wait", true, "init container wait: it exits with code 2; restarted 4 times" },
    { "an init container that does not end", deployment { init_container { running = { startedAt = "2026-01-01T00:00:00Z" } } },
        "InitRuns", "Pod web-1", "wait", false,
        "init container wait: it has not ended yet; the pod's containers wait for it" },
    { "an evicted pod",
        (function()
            local one = pod("web-1", {})
            one.status = { phase = "Failed", reason = "Evicted", message = "The node was low on resource: memory." }
            return deployment { one }
        end)(),
        "Evicted", "Pod web-1", "", false, "evicted: The node was low on resource: memory." },

    { "a Job that failed too often", job({ type = "Failed", status = "True", reason = "BackoffLimitExceeded",
        message = "Job has reached the specified backoff limit" }, { failed_pod(3) }, { backoffLimit = 2 }, { failed = 3 }),
        "JobFailed", "Pod migrate-1", "web", true,
        "failed 3 times (backoffLimit 2); container web: it exits with code 3" },
    { "a Job past its deadline", job({ type = "Failed", status = "True", reason = "DeadlineExceeded",
        message = "Job was active longer than specified deadline" }, {}, { activeDeadlineSeconds = 5 }),
        "JobFailed", "Job migrate", "", true, "was not done within 5 s (its deadline)" },
    { "a Job that may still succeed", job({ type = "Other", status = "True" }, { pod("migrate-2",
        crashing({ exitCode = 1 }, 1)) }, { backoffLimit = 6 }),
        "CrashLoop", "Pod migrate-2", "web", false, "container web: it exits with code 1; restarted 1 time" },
    { "a Job whose image is not there", job({ type = "Other", status = "True" }, { pod("migrate-2",
        waiting("ErrImagePull", "not found")) }, {}),
        "ImagePull", "Pod migrate-2", "web", true,
        "container web: image shop/web:1 can't be pulled: the registry has no such image" },
    { "a workload that is coming up", deployment { pod("web-1", waiting "ContainerCreating") } },
    { "a workload that is ready", deployment { ready "web-1" } },
}

describe("diagnosis", function()
    for _, row in ipairs(rows) do
        it("tells of " .. row[1], function()
            local found = native.diagnosis(cjson.encode(row[2]))
            assert.equal(row[7] or "", found.message)
            assert.equal(row[3] or "", found.kind)
            assert.equal(row[4] or "", found.object)
            assert.equal(row[5] or "", found.container)
            assert.equal(row[6] or false, found.certain)
            if row.missing then
                assert.equal(row.missing, ("%s %s %s"):format(found.missing_kind, found.missing_name, found.missing_key))
            end
        end)
    end

    it("knows the log of a crash as that of the run before", function()
        local found = native.diagnosis(cjson.encode(deployment { pod("web-1", crashing { exitCode = 1 }) }))
        assert.is_true(found.has_log)
        assert.is_true(found.previous)
        assert.equal("2026-01-01T00:00:05Z", found.since)
        found = native.diagnosis(cjson.encode(deployment { pod("web-1", { ready = false, state = { running = {} } },
            { readinessProbe = { tcpSocket = { port = 1 } } }) }))
        assert.is_true(found.has_log)
        assert.is_false(found.previous)
    end)

    it("sums up events, the newest last, without those of success and of others", function()
        local found = native.diagnosis(cjson.encode(deployment({ pod("web-1", waiting "ContainerCreating") }, { events = {
            event("ReplicaSet", "web-new", "FailedCreate", 'pods "web-a" is forbidden: used 1', { count = 2 }),
            event("ReplicaSet", "web-new", "FailedCreate", '(combined from similar events): pods "web-b" is forbidden: used 20',
                { lastTimestamp = "2026-01-01T00:00:40Z", count = 3 }),
            event("Pod", "web-1", "BackOff", "Back-off", { lastTimestamp = "2026-01-01T00:00:30Z" }),
            event("Pod", "web-1", "Pulled", "pulled", { type = "Normal" }),
            event("Pod", "other", "BackOff", "not ours"),
            event("Deployment", "web", "ScalingReplicaSet", "up", { type = "Normal" }),
        } })))
        local events = cjson.decode(found.events)
        assert.equal(2, #events)
        assert.same({ object = "Pod web-1", type = "Warning", reason = "BackOff", message = "Back-off", count = 1,
            last = "2026-01-01T00:00:30Z" }, events[1])
        assert.equal(5, events[2].count)
        assert.matches("web%-b", events[2].message)
    end)
end)
