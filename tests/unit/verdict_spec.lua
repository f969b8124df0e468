local cjson = require "cjson"
local native = require "native"

--- The verdict of an object that is written as a Lua table.
local function verdict(object)
    return native.verdict(cjson.encode(object))
end

local function workload(kind, spec, status)
    status.observedGeneration = status.observedGeneration or 2
    return { apiVersion = "apps/v1", kind = kind, metadata = { generation = 2 }, spec = spec, status = status }
end

--- Rows: what it is, the object, the state, the message.
local rows = {
    { "a Deployment that its controller has not seen",
        workload("Deployment", { replicas = 1 }, { observedGeneration = 1 }),
        "in progress", "waiting for its controller to see the change" },
    { "a Deployment that is being updated",
        workload("Deployment", { replicas = 3 }, { replicas = 4, updatedReplicas = 1, availableReplicas = 3 }),
        "in progress", "1 of 3 updated" },
    { "a Deployment whose old pods still run",
        workload("Deployment", { replicas = 3 }, { replicas = 4, updatedReplicas = 3, availableReplicas = 3 }),
        "in progress", "1 old still to end" },
    { "a Deployment that is not available",
        workload("Deployment", { replicas = 3 }, { replicas = 3, updatedReplicas = 3, availableReplicas = 2 }),
        "in progress", "2 of 3 available" },
    { "a Deployment that has come up",
        workload("Deployment", { replicas = 3 }, { replicas = 3, updatedReplicas = 3, availableReplicas = 3 }),
        "current", "" },
    { "a Deployment of no replicas", workload("Deployment", { replicas = 0 }, {}), "current", "" },
    { "a Deployment past its deadline",
        workload("Deployment", { replicas = 1 }, { conditions = { { type = "Progressing", status = "False",
            reason = "ProgressDeadlineExceeded", message = "timed out" } } }),
        "failed", "ProgressDeadlineExceeded: timed out" },
    { "a StatefulSet that waits for a pod",
        workload("StatefulSet", { replicas = 3 }, { readyReplicas = 2, replicas = 3 }),
        "in progress", "2 of 3 ready" },
    { "a StatefulSet between revisions",
        workload("StatefulSet", { replicas = 2 }, { readyReplicas = 2, replicas = 2, updatedReplicas = 1,
            updateRevision = "b", currentRevision = "a" }),
        "in progress", "1 of 2 updated" },
    { "a StatefulSet updated down to its partition",
        workload("StatefulSet", { replicas = 3, updateStrategy = { rollingUpdate = { partition = 2 } } },
            { readyReplicas = 3, replicas = 3, updatedReplicas = 1, updateRevision = "b", currentRevision = "a" }),
        "current", "" },
    { "a StatefulSet that is updated by hand",
        workload("StatefulSet", { replicas = 1, updateStrategy = { type = "OnDelete" } },
            { readyReplicas = 1, replicas = 1, updateRevision = "b", currentRevision = "a" }),
        "current", "" },
    { "a DaemonSet that is being updated",
        workload("DaemonSet", {}, { desiredNumberScheduled = 3, updatedNumberScheduled = 1, numberAvailable = 3 }),
        "in progress", "1 of 3 updated" },
    { "a DaemonSet that has come up",
        workload("DaemonSet", {}, { desiredNumberScheduled = 3, updatedNumberScheduled = 3, numberAvailable = 3 }),
        "current", "" },
    { "a Job at work", { apiVersion = "batch/v1", kind = "Job", spec = { completions = 2 },
        status = { succeeded = 1 } }, "in progress", "1 of 2 completed" },
    { "a Job that is done", { apiVersion = "batch/v1", kind = "Job", spec = {},
        status = { succeeded = 1, conditions = { { type = "Complete", status = "True" } } } }, "current", "" },
    { "a Job that failed", { apiVersion = "batch/v1", kind = "Job", spec = {},
        status = { conditions = { { type = "Failed", status = "True", reason = "BackoffLimitExceeded",
            message = "no more tries" } } } }, "failed", "BackoffLimitExceeded: no more tries" },
    { "a claim without a volume", { apiVersion = "v1", kind = "PersistentVolumeClaim",
        status = { phase = "Pending" } }, "in progress", "not bound to a volume" },
    { "a claim with a volume", { apiVersion = "v1", kind = "PersistentVolumeClaim",
        status = { phase = "Bound" } }, "current", "" },
    { "a claim that lost its volume", { apiVersion = "v1", kind = "PersistentVolumeClaim",
        status = { phase = "Lost" } }, "failed", "its volume is lost" },
    { "a LoadBalancer without an address", { apiVersion = "v1", kind = "Service",
        spec = { type = "LoadBalancer" }, status = { loadBalancer = {} } },
        "in progress", "no address from the load balancer" },
    { "a ConfigMap", { apiVersion = "v1", kind = "ConfigMap", data = {} }, "current", "" },
    { "a CRD that is not served", { apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
        status = { conditions = { { type = "Established", status = "False" } } } },
        "in progress", "not established" },
    { "a custom resource that is not ready", { apiVersion = "example.com/v1", kind = "Thing",
        status = { conditions = { { type = "Ready", status = "False", reason = "Busy", message = "at work" } } } },
        "in progress", "Busy: at work" },
    { "a custom resource without conditions", { apiVersion = "example.com/v1", kind = "Thing" }, "current", "" },
    { "a Deployment of another group", { apiVersion = "example.com/v1", kind = "Deployment",
        spec = { replicas = 3 } }, "current", "" },
    { "what is being deleted", { apiVersion = "v1", kind = "ConfigMap",
        metadata = { deletionTimestamp = "2026-01-01T00:00:00Z" } }, "in progress", "being deleted" },
}

describe("the verdict on a live object", function()
    for _, row in ipairs(rows) do
        it(("calls %s %s"):format(row[1], row[3]), function()
            local state, message = verdict(row[2])
            assert.equal(row[3], state)
            assert.equal(row[4], message)
        end)
    end

    it("counts what is ready of what is wanted", function()
        local _, _, ready, wanted = verdict(workload("StatefulSet", { replicas = 3 }, { readyReplicas = 2 }))
        assert.same({ 2, 3 }, { ready, wanted })
    end)
end)
