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
        "InProgress", "waiting for its controller to see the change" },
    { "a Deployment that is being updated",
        workload("Deployment", { replicas = 3 }, { replicas = 4, updatedReplicas = 1, availableReplicas = 3 }),
        "InProgress", "1 of 3 updated" },
    { "a Deployment whose old pods still run",
        workload("Deployment", { replicas = 3 }, { replicas = 4, updatedReplicas = 3, availableReplicas = 3 }),
        "InProgress", "1 old still to end" },
    { "a Deployment that is not available",
        workload("Deployment", { replicas = 3 }, { replicas = 3, updatedReplicas = 3, availableReplicas = 2 }),
        "InProgress", "2 of 3 available" },
    { "a Deployment that has come up",
        workload("Deployment", { replicas = 3 }, { replicas = 3, updatedReplicas = 3, availableReplicas = 3 }),
        "Current", "" },
    { "a Deployment of no replicas", workload("Deployment", { replicas = 0 }, {}), "Current", "" },
    { "a Deployment past its deadline",
        workload("Deployment", { replicas = 1 }, { conditions = { { type = "Progressing", status = "False",
            reason = "ProgressDeadlineExceeded", message = "timed out" } } }),
        "Failed", "ProgressDeadlineExceeded: timed out" },
    { "a StatefulSet that waits for a pod",
        workload("StatefulSet", { replicas = 3 }, { readyReplicas = 2, replicas = 3 }),
        "InProgress", "2 of 3 ready" },
    { "a StatefulSet between revisions",
        workload("StatefulSet", { replicas = 2 }, { readyReplicas = 2, replicas = 2, updatedReplicas = 1,
            updateRevision = "b", currentRevision = "a" }),
        "InProgress", "1 of 2 updated" },
    { "a StatefulSet updated down to its partition",
        workload("StatefulSet", { replicas = 3, updateStrategy = { rollingUpdate = { partition = 2 } } },
            { readyReplicas = 3, replicas = 3, updatedReplicas = 1, updateRevision = "b", currentRevision = "a" }),
        "Current", "" },
    { "a StatefulSet that is updated by hand",
        workload("StatefulSet", { replicas = 1, updateStrategy = { type = "OnDelete" } },
            { readyReplicas = 1, replicas = 1, updateRevision = "b", currentRevision = "a" }),
        "Current", "" },
    { "a DaemonSet that is being updated",
        workload("DaemonSet", {}, { desiredNumberScheduled = 3, currentNumberScheduled = 3,
            updatedNumberScheduled = 1, numberAvailable = 3 }),
        "InProgress", "1 of 3 updated" },
    { "a DaemonSet that has come up",
        workload("DaemonSet", {}, { desiredNumberScheduled = 3, currentNumberScheduled = 3,
            updatedNumberScheduled = 3, numberAvailable = 3 }),
        "Current", "" },
    { "a Job at work", { apiVersion = "batch/v1", kind = "Job", spec = { completions = 2 },
        status = { succeeded = 1, startTime = "2026-01-01T00:00:00Z" } }, "InProgress", "1 of 2 completed" },
    { "a Job that is done", { apiVersion = "batch/v1", kind = "Job", spec = {},
        status = { succeeded = 1, conditions = { { type = "Complete", status = "True" } } } }, "Current", "" },
    { "a Job that failed", { apiVersion = "batch/v1", kind = "Job", spec = {},
        status = { conditions = { { type = "Failed", status = "True", reason = "BackoffLimitExceeded",
            message = "no more tries" } } } }, "Failed", "BackoffLimitExceeded: no more tries" },
    { "a claim without a volume", { apiVersion = "v1", kind = "PersistentVolumeClaim",
        status = { phase = "Pending" } }, "InProgress", "not bound to a volume" },
    { "a claim with a volume", { apiVersion = "v1", kind = "PersistentVolumeClaim",
        status = { phase = "Bound" } }, "Current", "" },
    { "a claim that lost its volume", { apiVersion = "v1", kind = "PersistentVolumeClaim",
        status = { phase = "Lost" } }, "Failed", "its volume is lost" },
    { "a LoadBalancer without an address", { apiVersion = "v1", kind = "Service",
        spec = { type = "LoadBalancer" }, status = { loadBalancer = {} } },
        "InProgress", "no address from the load balancer" },
    { "a ConfigMap", { apiVersion = "v1", kind = "ConfigMap", data = {} }, "Current", "" },
    { "a CRD that is not served", { apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
        status = { conditions = { { type = "Established", status = "False", reason = "Installing" } } } },
        "InProgress", "not established" },
    { "a CRD that is closed without a word", { apiVersion = "apiextensions.k8s.io/v1",
        kind = "CustomResourceDefinition", status = { conditions = { { type = "Established", status = "False" } } } },
        "Failed", "Established is False" },
    { "a custom resource that is not ready", { apiVersion = "example.com/v1", kind = "Thing",
        status = { conditions = { { type = "Ready", status = "False", reason = "Busy", message = "at work" } } } },
        "InProgress", "Busy: at work" },
    { "a custom resource without conditions", { apiVersion = "example.com/v1", kind = "Thing" }, "Current", "" },
    { "a Deployment of another group", { apiVersion = "example.com/v1", kind = "Deployment",
        spec = { replicas = 3 } }, "Current", "" },
    { "what is being deleted", { apiVersion = "v1", kind = "ConfigMap",
        metadata = { deletionTimestamp = "2026-01-01T00:00:00Z" } }, "Terminating", "being deleted" },
}

describe("the verdict on a live object", function()
    for _, row in ipairs(rows) do
        it(("calls %s %s"):format(row[1], row[3]), function()
            local found = verdict(row[2])
            assert.same({ row[3], row[4] }, { found.state, found.message })
        end)
    end

    it("counts what is ready of what is wanted", function()
        local found = verdict(workload("StatefulSet", { replicas = 3 }, { readyReplicas = 2 }))
        assert.same({ 2, 3 }, { found.ready, found.wanted })
    end)

    it("gives the reason as a word, and the rest without it", function()
        local found = verdict { apiVersion = "example.com/v1", kind = "Thing", status = { conditions = { {
            type = "Ready", status = "False", reason = "Busy", message = "at work" } } } }
        assert.same({ "Busy", "Busy: at work", "at work" }, { found.reason, found.message, found.detail })
        found = verdict(workload("StatefulSet", { replicas = 3 }, { readyReplicas = 2 }))
        assert.same({ "LessReady", "2 of 3 ready", "2 of 3 ready" }, { found.reason, found.message, found.detail })
    end)

    it("keeps what an object says to one line of whole characters", function()
        local function thing(message)
            return verdict { apiVersion = "example.com/v1", kind = "Thing", status = { conditions = { {
                type = "Ready", status = "False", reason = "", message = message } } } }.message
        end
        assert.equal("two  lines [31m", thing "two\r\nlines\27[31m\n")
        for cut = 0, 3 do
            local long = thing(("x"):rep(cut) .. ("\u{6D41}"):rep(400))
            assert.is_truthy(utf8.len(long))
            assert.is_true(#long > 500 and #long < 512)
        end
    end)

    it("gives a pod fifteen seconds to find its node", function()
        local function pod(created)
            return verdict { apiVersion = "v1", kind = "Pod", metadata = { creationTimestamp = created },
                status = { phase = "Pending", conditions = { { type = "PodScheduled", status = "False",
                    reason = "Unschedulable", message = "no node" } } } }.state
        end
        assert.equal("InProgress", pod(os.date "!%Y-%m-%dT%H:%M:%SZ"))
        assert.equal("Failed", pod(os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - 60)))
    end)

    it("takes an answer that an object is not there for what it says", function()
        local function answer(reason)
            return verdict { apiVersion = "v1", kind = "Status", status = "Failure", reason = reason,
                message = "pods \"web\" is no good" }.state
        end
        assert.same({ "NotFound", "Unknown" }, { answer "NotFound", answer "Forbidden" })
    end)

    it("takes fields of another type than they should be for none", function()
        for _, kind in ipairs { "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet" } do
            for _, wrong in ipairs { "text", 1.5, true, { "a" }, cjson.null } do
                assert.is_string(verdict { apiVersion = "apps/v1", kind = kind, metadata = wrong, spec = wrong,
                    status = wrong }.state)
                assert.is_string(verdict { apiVersion = "apps/v1", kind = kind, metadata = { generation = wrong },
                    spec = { replicas = wrong, updateStrategy = wrong, paused = wrong },
                    status = { conditions = wrong, observedGeneration = wrong, replicas = wrong } }.state)
            end
        end
        assert.equal("0 of 2147483647 updated", verdict(workload("Deployment", { replicas = 1e10 }, {})).message)
    end)
end)
