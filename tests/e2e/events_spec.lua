-- bkdeploy events, on the control plane.
local cjson = require "cjson"
local support = require "support"

local function profile()
    return support.profile("eventful", [[return { bk.config "page" { a = "b" }, bk.deployment "web" { image = "nginx:1.27",
        replicas = 2, ports = { http = 80 }, readiness = bk.http "/",
        resources = { cpu = "50m..200m", memory = "32Mi..64Mi" } } }]])
end

local made = 0
--- An event, as a controller or kubelet makes one; `ago` in seconds.
local function event(object, reason, message, ago, fields)
    made = made + 1
    local kind, name = object:match("(.+)/(.+)")
    local time = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - (ago or 0))
    local group = ({ Pod = "v1", ConfigMap = "v1", ReplicaSet = "apps/v1", Deployment = "apps/v1" })[kind]
    local body = { apiVersion = "v1", kind = "Event", metadata = { name = "e" .. made, namespace = "eventful" },
        involvedObject = { apiVersion = group, kind = kind, name = name, namespace = "eventful" }, reason = reason,
        message = message, type = "Normal", firstTimestamp = time, lastTimestamp = time, count = 1 }
    for key, value in pairs(fields or {}) do
        body[key] = value
    end
    local file = support.folder { ["event.json"] = cjson.encode(body) } .. "/event.json"
    support.kubectl("create -f " .. file)
    return file
end

local function events(...)
    return support.on_cluster("events", ...)
end

local function rows(...)
    local run = events("eventful", "-o", "json", ...)
    assert.equal(0, run.code, run.err)
    local found = {}
    for i, row in ipairs(cjson.decode(run.out).events) do
        found[i] = row
        found[row.message] = row
    end
    return found
end

describe("bkdeploy events", function()
    local pod
    setup(function()
        local run = support.on_cluster("apply", profile())
        assert.equal(0, run.code, run.err)
        pod = support.kubectl("get pods -n eventful -o jsonpath={.items[0].metadata.name}")
        support.kubectl("run stranger -n eventful --image=a")
        support.kubectl("run web-2 -n eventful --image=a")
        event("Pod/stranger", "Scheduled", "of a pod that is not the release's")
        event("Pod/web-2", "Scheduled", "of a pod that has such a name")
        event("ConfigMap/page", "Read", "of an object")
        event("Pod/" .. pod, "BackOff", "restarting failed container", 60, { type = "Warning", count = 7 })
        event("Pod/" .. pod, "BackOff", "restarting failed container", 30, { type = "Warning", count = 4 })
        event("Pod/web-5d4f8c7b9d-x2x4z", "Killing", "of a pod that is gone", 600)
    end)

    it("are those of the objects and of what is below them", function()
        local found = rows()
        assert.is_nil(found["of a pod that is not the release's"])
        assert.is_nil(found["of a pod that has such a name"])
        assert.equal("page", found["of an object"].component)
        assert.equal("web", found["of a pod that is gone"].component)
        local kinds = {}
        for _, row in ipairs(found) do
            kinds[row.kind] = true
        end
        assert.same({ ConfigMap = true, Deployment = true, Pod = true, ReplicaSet = true }, kinds)
        assert.is_nil(rows("page")["of a pod that is gone"])
        assert.equal(1, #rows("page"))
    end)

    it("are counted, and the newest is the last", function()
        local found = rows()
        assert.equal(11, found["restarting failed container"].count)
        assert.equal("of a pod that is gone", found[1].message)
        for i = 2, #found do
            assert.is_true(found[i - 1].last:sub(1, 19) <= found[i].last:sub(1, 19))
        end
        local run = events(profile(), "web")
        assert.matches("^LAST SEEN +TYPE +OBJECT +REASON +MESSAGE\n10 min ago +Normal +Pod/web%S+ +Killing +of a pod", run.out)
        assert.matches("Warning +Pod/" .. pod:gsub("%p", "%%%0") .. " +BackOff %(11 times%) +restarting", run.out)
        assert.is_nil(run.out:find("\27"))
    end)

    it("may be the young ones alone", function()
        local found = rows("--since", "5m")
        assert.is_nil(found["of a pod that is gone"])
        assert.is_table(found["of an object"])
    end)

    it("go on as they come", function()
        local file = support.folder { ["event.json"] = cjson.encode { apiVersion = "v1", kind = "Event",
            metadata = { name = "late", namespace = "eventful" }, involvedObject = { apiVersion = "apps/v1",
                kind = "Deployment", name = "web", namespace = "eventful" }, reason = "Late", type = "Warning",
            message = "it is\27[31m late", lastTimestamp = os.date("!%Y-%m-%dT%H:%M:%SZ") } } .. "/event.json"
        local kubectl = "build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig
        local run = support.shell(("timeout 30 %s events eventful page web -w --kubeconfig %s"):format(
            os.getenv("BKDEPLOY") or "build/bkdeploy", support.kubeconfig))
        assert.equal(2, run.code)
        run = support.shell(("%s events eventful web -w --kubeconfig %s & pid=$!; sleep 1.5; %s create -f %s >&2; "
            .. "%s scale deployment web -n eventful --replicas 3 >&2; sleep 2; kill -INT $pid; wait $pid"):format(
            os.getenv("BKDEPLOY") or "build/bkdeploy", support.kubeconfig, kubectl, file, kubectl))
        assert.equal(130, run.code, run.err)
        local _, late = run.out:gsub("Warning +Deployment/web +Late +it is%?%[31m late\n", "")
        assert.equal(1, late, run.out)
        assert.matches("Scaled up replica set web%-%w+ from 2 to 3", run.out)
        local _, assigned = run.out:gsub("Successfully assigned", "")
        assert.equal(3, assigned) -- also of the pod that is new
    end)

    it("that may not be read are no error", function()
        local run = events(profile(), "--context", "nobody")
        assert.equal(0, run.code, run.err)
        assert.equal("", run.out)
        assert.matches("^no events: events is forbidden: [^\n]+\n$", run.err)
        assert.equal(2, events("eventful", "nix").code)
    end)
end)
