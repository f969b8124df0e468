-- The rules of readiness on recorded objects (tests/unit/status/record.py), beside what kstatus and `kubectl rollout
-- status` themselves make of them.
local cjson = require "cjson"
local native = require "native"
local support = require "support"

--- The recorded objects as JSON, in order of files; and the StorageClasses, which claims ask for.
local objects, classes = {}, {}
for file in io.popen("LC_ALL=C ls tests/unit/status/*.yaml"):lines() do
    local documents = assert(native.yaml_parse_stream(support.read(file)))
    for _, document in ipairs(cjson.decode(documents)) do
        local object = document[3]
        local name = object.kind .. "/" .. object.metadata.name
        objects[#objects + 1] = { name = name, text = cjson.encode(object) }
        classes[#classes + 1] = object.kind == "StorageClass" and object or nil
    end
end
classes = cjson.encode(classes)

local unseen = "waiting for its controller to see the change"
local current = { "Current", "" }

local expected = {
    ["APIService/local"] = current,
    ["APIService/service-missing"] = { "InProgress",
        'ServiceNotFound: service/far in "default" is not present' },
    ["ConfigMap/settings"] = current,
    ["CronJob/scheduled"] = current,
    ["CronJob/suspended"] = { "Current", "suspended" },
    ["CustomResourceDefinition/just-made"] = { "InProgress", "not established" },
    ["CustomResourceDefinition/established"] = current,
    ["CustomResourceDefinition/names-taken"] = { "Failed", 'ListKindConflict: "LampList" is already in use' },
    ["CustomResourceDefinition/ending"] = { "Terminating",
        "being deleted; waits for finalizer customresourcecleanup.apiextensions.k8s.io" },
    ["DaemonSet/just-made"] = { "InProgress", unseen },
    ["DaemonSet/complete"] = current,
    ["DaemonSet/rolling"] = { "InProgress", "1 of 3 updated" },
    ["DaemonSet/by-hand-changed"] = current,
    ["DaemonSet/of-no-node"] = current,
    ["DaemonSet/unscheduled"] = { "InProgress", "0 of 3 available" },
    ["Deployment/just-made"] = { "InProgress", unseen },
    ["Deployment/complete"] = current,
    ["Deployment/changed"] = { "InProgress", "1 of 3 updated" },
    ["Deployment/paused-complete"] = current,
    ["Deployment/paused-changed"] = { "InProgress", "paused: 0 of 3 updated" },
    ["Deployment/paused-new"] = { "InProgress", "paused: 0 of 1 updated" },
    ["Deployment/scaled-down"] = current,
    ["Deployment/of-none"] = current,
    ["Deployment/unscheduled"] = { "InProgress", "0 of 2 available" },
    ["Deployment/past-deadline"] = { "Failed", 'ProgressDeadlineExceeded: ReplicaSet "lost-' },
    ["Deployment/min-ready"] = { "InProgress", "0 of 1 available" },
    ["Deployment/over-quota"] = { "InProgress", '0 of 2 updated; FailedCreate: pods "poor-' },
    ["Deployment/ending"] = { "Terminating", "being deleted; waits for finalizer example.com/hold and 1 more" },
    ["HorizontalPodAutoscaler/just-made"] = current,
    ["HorizontalPodAutoscaler/target-missing"] = { "Current", "FailedGetScale: the HPA controller was unable" },
    ["HorizontalPodAutoscaler/without-metrics"] = { "Current", "FailedGetResourceMetric: the HPA was unable" },
    ["Ingress/without-address"] = { "Current", "no address yet" },
    ["Ingress/with-address"] = current,
    ["Job/just-made"] = { "InProgress", "not started" },
    ["Job/running"] = { "InProgress", "0 of 1 completed" },
    ["Job/complete"] = current,
    ["Job/no-more-tries"] = { "Failed", "BackoffLimitExceeded: Job has reached the specified backoff limit" },
    ["Job/past-deadline-ending"] = { "Failed", "DeadlineExceeded: Job was active longer than specified deadline" },
    ["Job/suspended"] = { "InProgress", "suspended" },
    ["Job/failure-policy"] = { "Failed", "PodFailurePolicy: Container web for pod default/policy-" },
    ["Job/failed-indexes"] = { "Failed",
        "MaxFailedIndexesExceeded: Job has exceeded the specified maximal number of failed indexes" },
    ["Job/queue"] = { "InProgress", "0 of 1 completed" },
    ["Job/enough"] = { "InProgress", "succeeded; its last pods still to end" },
    ["Lamp/no-status"] = current,
    ["Lamp/no-conditions"] = current,
    ["Lamp/ready"] = current,
    ["Lamp/not-ready"] = { "InProgress", "NoBulb: waits for a bulb" },
    ["Lamp/ready-unknown"] = { "InProgress", "Asking" },
    ["Lamp/stalled"] = { "Failed", "Broken: no such socket" },
    ["Lamp/reconciling"] = { "InProgress", "Progressing: screwing it in" },
    ["Lamp/old-status"] = { "InProgress", unseen },
    ["Lamp/old-failure"] = { "InProgress", unseen },
    ["Lamp/old-condition"] = { "InProgress", unseen },
    ["Lamp/other-life"] = { "InProgress", unseen },
    ["Lamp/stalled-and-reconciling"] = { "Failed", "Broken: no such socket" },
    ["Lamp/ending"] = { "Terminating", "being deleted; waits for finalizer example.com/hold" },
    ["Namespace/active"] = current,
    ["Namespace/ending"] = { "Terminating", "being deleted: Some content in the namespace has finalizers remaining: "
        .. "example.com/hold in 1 resource instances" },
    ["Node/ready"] = current,
    ["Node/without-kubelet"] = { "InProgress", "NodeStatusNeverUpdated: Kubelet never posted node status." },
    ["PersistentVolume/bound"] = current,
    ["PersistentVolume/available"] = current,
    ["PersistentVolume/failed"] = { "Failed", "recycler failed" },
    ["PersistentVolumeClaim/bound"] = current,
    ["PersistentVolumeClaim/waits-for-consumer"] = { "Current", "bound when the first pod uses it" },
    ["PersistentVolumeClaim/node-selected"] = { "InProgress", "not bound to a volume" },
    ["PersistentVolumeClaim/class-missing"] = { "InProgress", "not bound to a volume" },
    ["PersistentVolumeClaim/lost"] = { "Failed", "its volume is lost" },
    ["Pod/ready"] = current,
    ["Pod/unschedulable"] = { "Failed", "Unschedulable: 0/4 nodes are available: " },
    ["Pod/gated"] = { "InProgress", "SchedulingGated: Scheduling is blocked due to non-empty scheduling gates" },
    ["Pod/pulling"] = { "InProgress", "Pending, not ready" },
    ["Pod/image-missing"] = { "InProgress",
        'ImagePullBackOff: container web: Back-off pulling image "example.com/web:1"' },
    ["Pod/unready"] = { "InProgress", "Running, not ready" },
    ["Pod/crash-loop"] = { "Failed", "CrashLoopBackOff: container web: back-off 40s restarting failed" },
    ["Pod/init-crash-loop"] = { "Failed", "CrashLoopBackOff: container prepare: back-off 40s restarting failed" },
    ["Pod/succeeded"] = current,
    ["Pod/failed"] = { "Failed", "OOMKilled: container web: exit code 137" },
    ["Pod/evicted"] = { "Failed", "Evicted: The node was low on resource: memory." },
    ["Pod/ending"] = { "Terminating", "being deleted; waits for finalizer example.com/hold" },
    ["PodDisruptionBudget/just-made"] = { "InProgress", unseen },
    ["PodDisruptionBudget/in-force"] = current,
    ["PodDisruptionBudget/sync-failed"] = { "InProgress", "SyncFailed: " },
    ["ReplicaSet/just-made"] = { "InProgress", unseen },
    ["ReplicaSet/complete"] = current,
    ["ReplicaSet/unscheduled"] = { "InProgress", "0 of 2 available" },
    ["ReplicaSet/over-quota"] = { "InProgress", '0 of 2 made; FailedCreate: pods "poor-' },
    ["ReplicationController/just-made"] = { "InProgress", unseen },
    ["ReplicationController/complete"] = current,
    ["Role/reader"] = current,
    ["Service/cluster-ip"] = current,
    ["Service/without-address"] = { "InProgress", "no address from the load balancer" },
    ["Service/with-address"] = current,
    ["Service/external"] = current,
    ["StatefulSet/just-made"] = { "InProgress", unseen },
    ["StatefulSet/complete"] = current,
    ["StatefulSet/updated-to-partition"] = current,
    ["StatefulSet/partition-rolling"] = { "InProgress", "2 of 3 ready" },
    ["StatefulSet/by-hand-changed"] = current,
    ["StatefulSet/by-hand-unready"] = { "InProgress", "0 of 2 ready" },
    ["StatefulSet/ordinals"] = current,
    ["StatefulSet/ordinals-partition"] = current,
    ["StatefulSet/first-pod"] = { "InProgress", "0 of 2 ready" },
    ["StatefulSet/rolling"] = { "InProgress", "1 of 2 ready" },
    ["StatefulSet/of-none"] = current,
    ["StorageClass/late"] = current,
}

--- Where kstatus says something else: what it says, and why it is not followed. docs/status.md has them for users.
local differences = {
    ["APIService/service-missing"] = { "Current", "its Available condition is not looked at" },
    ["DaemonSet/by-hand-changed"] = { "InProgress", "nothing renews the pods: it would never end" },
    ["Deployment/paused-complete"] = { "InProgress", "kubectl's: the template that it has runs" },
    ["Job/running"] = { "Current", "what needs a Job needs its end" },
    ["Job/queue"] = { "Current", "what needs a Job needs its end" },
    ["Job/enough"] = { "Current", "what needs a Job needs its end" },
    ["Job/past-deadline-ending"] = { "Current", "the failure is decided, only its pods still end" },
    ["Lamp/old-condition"] = { "Current", "the condition is of the generation before" },
    ["Lamp/stalled-and-reconciling"] = { "InProgress", "there the order of the list decides" },
    ["PersistentVolume/failed"] = { "Current", "its phase is not looked at" },
    ["PersistentVolumeClaim/waits-for-consumer"] = { "InProgress", "the claim has done what it can" },
    ["PersistentVolumeClaim/lost"] = { "InProgress", "the volume does not come back" },
    ["Pod/init-crash-loop"] = { "InProgress", "init containers are not looked at" },
    ["Pod/failed"] = { "Current", "a failed pod is not what was asked for" },
    ["Pod/evicted"] = { "Current", "a failed pod is not what was asked for" },
    ["PodDisruptionBudget/just-made"] = { "Current", "protects nothing yet" },
    ["PodDisruptionBudget/sync-failed"] = { "Current", "protects nothing" },
    ["ReplicationController/just-made"] = { "Current", "its replicas are not looked at" },
    ["Service/without-address"] = { "Current", "only its cluster IP is looked at" },
    ["StatefulSet/by-hand-unready"] = { "Current", "its replicas are not looked at" },
}

--- Where `kubectl rollout status` says something else.
local rollout_differences = {
    ["Deployment/ending"] = { "done", "kstatus': it is being deleted" },
}

local rollout_words = { Current = "done", Failed = "failed" }

describe("the verdict on recorded objects", function()
    for _, object in ipairs(objects) do
        it("of " .. object.name, function()
            local found, wanted = native.verdict(object.text, classes), expected[object.name]
            assert.is_truthy(wanted, "not expected: " .. object.name)
            local message = wanted[2] == "" and found.message or found.message:sub(1, #wanted[2])
            assert.same(wanted, { found.state, message })
        end)
    end

    it("covers them all", function()
        local left = {}
        for name in pairs(expected) do
            left[name] = true
        end
        for _, object in ipairs(objects) do
            left[object.name] = nil
        end
        assert.same({}, left)
        assert.is_true(#objects >= 100)
    end)

    it("is that of kstatus and of kubectl rollout status, but where it says why not", function()
        local texts, input, output = {}, os.tmpname(), os.tmpname()
        for i, object in ipairs(objects) do
            texts[i] = object.text
        end
        do
            local file <close> = assert(io.open(input, "w"))
            file:write("[", table.concat(texts, ","), "]")
        end
        assert(os.execute(("build/kstatus/bin/kstatus <%s >%s"):format(input, output)),
            "no witness; tests/kstatus/kstatus build makes it")
        local answers = cjson.decode(support.read(output))
        os.remove(input)
        os.remove(output)
        local found, found_rollout = {}, {}
        for i, object in ipairs(objects) do
            local state, answer = native.verdict(object.text, classes).state, answers[i]
            if answer.kstatus ~= state then
                found[object.name] = { answer.kstatus, (differences[object.name] or {})[2] or "not explained" }
            end
            if answer.rollout ~= "" and answer.rollout ~= (rollout_words[state] or "waits") then
                found_rollout[object.name] = { answer.rollout, (rollout_differences[object.name] or {})[2] }
            end
        end
        assert.same(differences, found)
        assert.same(rollout_differences, found_rollout)
    end)
end)
