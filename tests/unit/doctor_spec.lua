-- The sections of doctor as functions of what was gathered, without a cluster.
local cjson = require "cjson"
local native = require "native"

local null_list = setmetatable({}, cjson.array_mt)

--- Asks the sections of a world; returns the findings as { "Section Kind/name", finding }.
local function look(world)
    world.wanted, world.live, world.needs = world.wanted or null_list, world.live or {}, world.needs or {}
    local found = {}
    for _, section in ipairs(cjson.decode(native.doctor(cjson.encode(world)))) do
        for _, finding in ipairs(section.findings) do
            local object = finding.object or {}
            found[#found + 1] = { ("%s %s/%s"):format(section.name, object.kind or "-", object.name or "-"), finding }
        end
    end
    return found
end

local function only(world, place)
    local found = look(world)
    assert.equal(1, #found, cjson.encode(found))
    assert.equal(place, found[1][1])
    return found[1][2].message, found[1][2]
end

local function nothing(world)
    local found = look(world)
    assert.equal(0, #found, cjson.encode(found))
end

--- An entry of `wanted`: a Deployment of one container, with more fields of its pods' spec.
local function deployment(name, replicas, requests, spec)
    spec = spec or {}
    spec.containers = spec.containers or { { name = name, image = "i:1", resources = { requests = requests },
        ports = { { name = "http", containerPort = 80 } } } }
    return { component = name, collection = "/apis/apps/v1/namespaces/n/deployments", object = { apiVersion = "apps/v1",
        kind = "Deployment", metadata = { name = name, namespace = "n" }, spec = { replicas = replicas,
            template = { metadata = { labels = { app = name } }, spec = spec } } } }
end

local function node(name, cpu, more)
    local result = { kind = "Node", metadata = { name = name, labels = { ["kubernetes.io/hostname"] = name, zone = "z-" .. name } },
        spec = {}, status = { allocatable = { cpu = cpu, memory = "8Gi", pods = "10" } } }
    for key, value in pairs(more or {}) do
        result.spec[key] = value
    end
    return result
end

local function fits(wanted, nodes, load)
    return { wanted = wanted, live = { Node = nodes, Load = load } }
end

describe("room on nodes", function()
    it("is what they have less what their pods ask for", function()
        nothing(fits({ deployment("web", 2, { cpu = "500m" }) }, { node("a", "1") }))
        local message, finding = only(fits({ deployment("web", 3, { cpu = "500m", memory = "1Gi" }) }, { node("a", "2") },
            { { node = "a", requests = { cpu = 1.25 } } }), "Resources Deployment/web")
        assert.equal("2 of 3 pods of web won't fit: each asks for cpu 0.5, memory 1Gi; a has cpu 0.25, memory 7Gi free, "
            .. "cpu 0.25 too little", message)
        assert.same({ cpu = 0.5, memory = 2 ^ 30 }, finding.evidence.requests)
        assert.equal("web", finding.component)
        assert.matches("add a node", finding.remedy)
    end)

    it("is also of pods, and of init containers and sidecars", function()
        local message = only(fits({ deployment("web", 11) }, { node("a", "4") }), "Resources Deployment/web")
        assert.matches("^1 of 11 pods of web won't fit: .* pods 1 too little$", message)
        local containers = { { name = "web", image = "i", resources = { requests = { cpu = "100m" } } } }
        message = only(fits({ deployment("web", 1, nil, { containers = containers,
            initContainers = { { name = "side", restartPolicy = "Always", resources = { limits = { cpu = "1" } } },
                { name = "once", resources = { requests = { cpu = "2" } } } } }) }, { node("a", "2") }), "Resources Deployment/web")
        assert.matches("asks for cpu 3;", message)
    end)

    it("does not count what is placed already, and of a profile all that comes", function()
        local pod = { kind = "Pod", metadata = { name = "web-1", namespace = "n", ownerReferences = {
            { kind = "ReplicaSet", name = "web-r", controller = true } } }, spec = { nodeName = "a" }, status = { phase = "Running" } }
        local set = { kind = "ReplicaSet", metadata = { name = "web-r", namespace = "n", ownerReferences = {
            { kind = "Deployment", name = "web", controller = true } } } }
        local world = fits({ deployment("web", 1, { cpu = "1" }) }, { node("a", "1") }, { { node = "a", requests = { cpu = 1 } } })
        world.live.Pod, world.live.ReplicaSet = { pod }, { set }
        nothing(world)
        local message = only(fits({ deployment("a", 1, { cpu = "1" }), deployment("b", 1, { cpu = "1" }) }, { node("a", "1.5") }),
            "Resources Deployment/b")
        assert.matches("cpu 0.5 too little$", message)
    end)

    local selector = { nodeSelector = { disk = "ssd" } }
    local affinity = { affinity = { nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms = {
        { matchExpressions = { { key = "zone", operator = "In", values = { "z-b" } } } } } } } } }
    local taint = { taints = { { key = "dedicated", value = "db", effect = "NoSchedule" } } }
    for _, case in ipairs {
        { "a node selector", selector, {}, "the only node lacks the label disk=ssd" },
        { "node affinity", affinity, {}, "the only node is outside of its node affinity" },
        { "a taint", {}, taint, "the only node has the taint dedicated=db:NoSchedule" },
        { "a taint that is tolerated in another value", { tolerations = { { key = "dedicated", value = "web" } } }, taint,
            "has the taint dedicated=db:NoSchedule" },
        { "a cordon", {}, { unschedulable = true }, "the only node is cordoned" },
    } do
        it("is kept from pods by " .. case[1], function()
            assert.matches(case[4], (only(fits({ deployment("web", 1, nil, case[2]) }, { node("a", "4", case[3]) }),
                "Resources Deployment/web")))
        end)
    end

    it("is told of once for all components that the same keeps off", function()
        local message, finding = only(fits({ deployment("a", 1), deployment("b", 1) }, { node("x", "1", taint), node("y", "1", taint) }),
            "Resources -/-")
        assert.equal("no node takes a new pod of a, b: each of the 2 nodes has the taint dedicated=db:NoSchedule", message)
        assert.matches("kubectl taint nodes %-%-all dedicated%- ; or give the components tolerations for dedicated=db:NoSchedule",
            finding.remedy)
    end)

    it("takes tolerations, other terms and softer taints", function()
        nothing(fits({ deployment("web", 1, nil, { tolerations = { { key = "dedicated", operator = "Exists" } } }) },
            { node("a", "4", taint) }))
        nothing(fits({ deployment("web", 1) }, { node("a", "4", { taints = { { key = "x", effect = "PreferNoSchedule" } } }) }))
        nothing(fits({ deployment("web", 1, nil, affinity) }, { node("a", "4"), node("b", "4") }))
    end)

    it("keeps pods apart by anti-affinity and spread", function()
        local function apart(key)
            return { affinity = { podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution = {
                { topologyKey = key, labelSelector = { matchLabels = { app = "web" } } } } } } }
        end
        nothing(fits({ deployment("web", 2, nil, apart "kubernetes.io/hostname") }, { node("a", "4"), node("b", "4") }))
        assert.matches("^1 of 3 pods of web won't fit: .*a has a pod already that its anti%-affinity",
            (only(fits({ deployment("web", 3, nil, apart "kubernetes.io/hostname") }, { node("a", "4"), node("b", "4") }),
                "Resources Deployment/web")))
        local spread = { topologySpreadConstraints = { { maxSkew = 1, topologyKey = "zone", whenUnsatisfiable = "DoNotSchedule",
            labelSelector = { matchLabels = { app = "web" } } } } }
        nothing(fits({ deployment("web", 4, { cpu = "1" }, spread) }, { node("a", "2"), node("b", "2") }))
        assert.matches("b would make the spread over zone uneven", (only(fits({ deployment("web", 4, { cpu = "1" }, spread) },
            { node("a", "1"), node("b", "4") }), "Resources Deployment/web")))
    end)
end)

describe("a quota", function()
    local function world(hard, used, replicas)
        return { wanted = { deployment("web", replicas or 2, { cpu = "500m" }) }, live = { ResourceQuota = {
            { kind = "ResourceQuota", metadata = { name = "q", namespace = "n" }, spec = { hard = hard }, status = { used = used } } } } }
    end
    it("is held against what is to come", function()
        nothing(world({ pods = "3", ["requests.cpu"] = "2", ["count/deployments.apps"] = "1" }, { pods = "1" }))
        assert.equal("the release needs pods 2, and the quota has 1 left: 1 too little",
            (only(world({ pods = "3" }, { pods = "2" }), "Resources ResourceQuota/q")))
        assert.equal("the release needs requests.cpu 1, and the quota has 0.5 left: 0.5 too little",
            (only(world({ ["requests.cpu"] = "1" }, { ["requests.cpu"] = "500m" }), "Resources ResourceQuota/q")))
        assert.matches("needs count/deployments.apps 1, and the quota has 0 left",
            (only(world({ ["count/deployments.apps"] = "0" }, {}), "Resources ResourceQuota/q")))
    end)
    it("that is exceeded says how much it has to be", function()
        local message, finding = only(world({ pods = "1" }, { pods = "4" }), "Resources ResourceQuota/q")
        assert.equal("the quota allows pods 1, and 4 are in use: nothing more can be made, and what ends does not come back", message)
        assert.matches([["hard":{"pods":"4"}]], finding.remedy, 1, true)
    end)
    it("with room for what is there, but not for a rollout", function()
        local full = world({ pods = "2" }, { pods = "2" }, 0)
        nothing(full)
        full = world({ pods = "2" }, { pods = "1" }, 1)
        nothing(full)
    end)
end)

describe("what pods refer to", function()
    local function world(live, applied)
        return { applied = applied, wanted = { deployment("web", 1, nil, { containers = { { name = "web", env = { { name = "A",
            valueFrom = { secretKeyRef = { name = "s", key = "a" } } }, { name = "B", valueFrom = { configMapKeyRef = {
                name = "maybe", key = "b", optional = true } } } } } } }) }, live = live }
    end
    it("is missing as a whole or by a key, but not where it may not be read", function()
        assert.equal("it is not there, and pods refer to it: they can't start again",
            (only(world { Secret = null_list, ConfigMap = null_list }, "Configuration Secret/s")))
        local secret = { kind = "Secret", metadata = { name = "s", namespace = "n" }, data = { b = "" } }
        local message, finding = only(world { Secret = { secret } }, "Configuration Secret/s")
        assert.matches("^its key 'a' is not there", message)
        assert.same({ "web" }, finding.evidence.readers)
        assert.matches("kubectl patch secret s %-n n", finding.remedy)
        nothing(world {})
        nothing(world { Secret = { { kind = "Secret", metadata = { name = "s", namespace = "n" }, data = { a = "" } } } })
    end)
end)

describe("NetworkPolicies", function()
    local service = { component = "db", object = { kind = "Service", metadata = { name = "db", namespace = "n" },
        spec = { selector = { app = "db" }, ports = { { port = 5432, targetPort = "http" } } } } }
    local function world(...)
        local policies = {}
        for i, spec in ipairs { ... } do
            spec.podSelector = spec.podSelector or setmetatable({}, { __jsontype = "object" })
            policies[i] = { kind = "NetworkPolicy", metadata = { name = "p" .. i, namespace = "n" }, spec = spec }
        end
        return { wanted = { deployment("web", 1), deployment("db", 1), service }, needs = { web = { "db" } },
            live = { NetworkPolicy = policies } }
    end
    local db, web = { matchLabels = { app = "db" } }, { matchLabels = { app = "web" } }
    local from_web = { { podSelector = web } }

    it("that let nothing in or out are named with the way that they cut", function()
        local message, finding = only(world({ podSelector = db, policyTypes = { "Ingress" } }), "Network NetworkPolicy/p1")
        assert.equal("it cuts what components need: web to db:80; no policy lets it in", message)
        assert.matches("spec.ingress", finding.remedy)
        message = only(world({ podSelector = web, policyTypes = { "Egress" } }), "Network NetworkPolicy/p1")
        assert.matches("web to db:80; no policy lets it out", message)
    end)
    it("that have nothing to do with it are no matter", function()
        nothing(world({ podSelector = web, policyTypes = { "Ingress" } }, { podSelector = db, policyTypes = { "Egress" } }))
        local other = world({ podSelector = db, policyTypes = { "Ingress" } })
        other.live.NetworkPolicy[1].metadata.namespace = "m"
        nothing(other)
    end)
    for _, case in ipairs {
        { "by pods", { from = from_web }, true },
        { "by pods and the port's name", { from = from_web, ports = { { port = "http" } } }, true },
        { "by a range of ports", { from = from_web, ports = { { port = 79, endPort = 90, protocol = "TCP" } } }, true },
        { "by a range that ends before", { from = from_web, ports = { { port = 70, endPort = 79 } } }, false },
        { "by another protocol", { from = from_web, ports = { { port = 80, protocol = "UDP" } } }, false },
        { "by other pods", { from = { { podSelector = { matchLabels = { app = "api" } } } } }, false },
        { "by the namespace", { from = { { namespaceSelector = { matchLabels = { ["kubernetes.io/metadata.name"] = "n" } } } } }, true },
        { "by another namespace and the pods", { from = { { podSelector = web,
            namespaceSelector = { matchLabels = { ["kubernetes.io/metadata.name"] = "m" } } } } }, false },
        { "by all addresses", { from = { { ipBlock = { cidr = "0.0.0.0/0" } } } }, true },
        { "by addresses of others", { from = { { ipBlock = { cidr = "10.9.0.0/16" } } } }, false },
        { "by the port alone", { ports = { { port = 80 } } }, true },
    } do
        it((case[3] and "let in " or "don't let in ") .. case[1], function()
            local found = look(world({ podSelector = db, policyTypes = { "Ingress" }, ingress = { case[2] } }))
            assert.equal(case[3] and 0 or 1, #found, cjson.encode(found))
        end)
    end
    it("let in by the addresses that pods have", function()
        for cidr, wanted in pairs { ["10.1.2.0/24"] = 0, ["10.1.3.0/24"] = 1, ["10.1.2.7/32"] = 0, ["10.1.2.7/99"] = 1, ["x"] = 1 } do
            local input = world({ podSelector = db, policyTypes = { "Ingress" },
                ingress = { { from = { { ipBlock = { cidr = cidr } } } } } })
            input.live.Pod = { { kind = "Pod", metadata = { name = "web-1", namespace = "n", ownerReferences = {
                { kind = "Deployment", name = "web", controller = true } } }, spec = { nodeName = "a" },
                status = { phase = "Running", podIP = "10.1.2.7" } } }
            assert.equal(wanted, #look(input), cidr)
        end
    end)
    it("let in what any of them does", function()
        nothing(world({ podSelector = db, policyTypes = { "Ingress" } },
            { podSelector = db, policyTypes = { "Ingress" }, ingress = { { from = from_web } } }))
    end)
end)

describe("Services and Ingresses", function()
    local function service(selector, target)
        return { component = "web", object = { apiVersion = "v1", kind = "Service", metadata = { name = "web", namespace = "n" },
            spec = { selector = { app = selector }, ports = { { port = 80, targetPort = target } } } } }
    end
    local function pod(ready)
        return { kind = "Pod", metadata = { name = "web-1", namespace = "n", labels = { app = "web" } }, spec = { nodeName = "a" },
            status = { phase = "Running", conditions = { { type = "Ready", status = ready } } } }
    end
    local function live(of, pods)
        return { applied = true, wanted = { deployment("web", 1), of }, live = { Service = { of.object }, Pod = pods,
            EndpointSlice = null_list } }
    end
    it("have no ready endpoint for want of pods that they choose, or that are ready", function()
        assert.equal("it has no ready endpoint: its selector app=nix matches no pod and no workload of the profile",
            (only(live(service("nix", 80), { pod "True" }), "Network Service/web")))
        assert.equal("it has no ready endpoint: none of the 1 pods with app=web is ready",
            (only(live(service("web", 80), { pod "False" }), "Network Service/web")))
        local world = live(service("web", 80), { pod "True" })
        nothing(world) -- its controller is about to see it
        world = live(service("web", 80), null_list)
        world.wanted[1].object.spec.replicas = 0
        nothing(world)
    end)
    it("lead to ports that a container declares", function()
        nothing { wanted = { deployment("web", 1), service("web", "http") } }
        assert.matches("its port 80 leads to port 'https', which no container of web declares",
            (only({ wanted = { deployment("web", 1), service("web", "https") } }, "Network Service/web")))
        assert.matches("leads to port 81, which", (only({ wanted = { deployment("web", 1), service("web", 81) } },
            "Network Service/web")))
    end)
    local function route(backend, spec)
        spec.rules = { { http = { paths = { { backend = { service = backend } } } } } }
        return { wanted = { deployment("web", 1), service("web", 80), { component = "web", object = { kind = "Ingress",
            metadata = { name = "r", namespace = "n" }, spec = spec } } }, live = { Service = null_list, Secret = null_list,
            IngressClass = { { kind = "IngressClass", metadata = { name = "nginx" } } } } }
    end
    for _, case in ipairs {
        { { name = "web", port = { number = 80 } }, { ingressClassName = "nginx" } },
        { { name = "api", port = { number = 80 } }, { ingressClassName = "nginx" }, "it leads to Service 'api', which is not there" },
        { { name = "web", port = { number = 81 } }, { ingressClassName = "nginx" }, "port 81 of Service 'web', which has no such port" },
        { { name = "web", port = { number = 80 } }, { ingressClassName = "x" }, "there is no IngressClass 'x': nobody serves it" },
        { { name = "web", port = { number = 80 } }, {}, "it names no IngressClass and none is the default" },
        { { name = "web", port = { number = 80 } }, { ingressClassName = "nginx", tls = { { secretName = "t" } } },
            "the TLS secret 't' of its host is not there" },
    } do
        it(case[3] and "say: " .. case[3] or "are fine with all that they name", function()
            local world = route(case[1], case[2])
            if case[3] then
                assert.matches(case[3], (only(world, "Network Ingress/r")), 1, true)
            else
                nothing(world)
            end
        end)
    end
end)

describe("resources", function()
    local function claim(class)
        return { component = "db", object = { apiVersion = "v1", kind = "PersistentVolumeClaim", metadata = { name = "data",
            namespace = "n" }, spec = { storageClassName = class, resources = { requests = { storage = "1Gi" } } } } }
    end
    local function class(name, provisioner, default)
        return { kind = "StorageClass", metadata = { name = name, annotations = {
            ["storageclass.kubernetes.io/is-default-class"] = default } }, provisioner = provisioner }
    end
    it("are classes of claims, with who makes or has volumes", function()
        local function ask(name, classes, volumes)
            return { wanted = { claim(name) }, live = { StorageClass = classes, PersistentVolume = volumes } }
        end
        nothing(ask("fast", { class("fast", "x") }))
        nothing(ask(nil, { class("fast", "x", "true") }))
        assert.matches("there is no StorageClass 'slow'", (only(ask("slow", { class("fast", "x") }), "Resources StorageClass/slow")))
        assert.matches("name no StorageClass, and none is the default", (only(ask(nil, { class("fast", "x") }),
            "Resources StorageClass/")))
        local hand = { class("hand", "kubernetes.io/no-provisioner") }
        local volume = { metadata = { name = "v" }, status = { phase = "Available" }, spec = { storageClassName = "hand",
            capacity = { storage = "2Gi" } } }
        nothing(ask("hand", hand, { volume }))
        volume.spec.capacity.storage = "500Mi"
        assert.matches("no free volume of it has 1Gi", (only(ask("hand", hand, { volume }), "Resources StorageClass/hand")))
    end)
    it("are autoscalers at their end, and budgets that let nothing go", function()
        local scaler = { kind = "HorizontalPodAutoscaler", metadata = { name = "web", namespace = "n" }, spec = { maxReplicas = 4 },
            status = { conditions = { { type = "ScalingLimited", status = "True", reason = "TooManyReplicas" } } } }
        local world = { wanted = { { component = "web", object = scaler } }, live = { HorizontalPodAutoscaler = { scaler } } }
        assert.equal("it is at its maximum of 4 replicas and wants more", (only(world, "Resources HorizontalPodAutoscaler/web")))
        scaler.status.conditions[1].reason = "DesiredWithinRange"
        nothing(world)
        local budget = { kind = "PodDisruptionBudget", metadata = { name = "web", namespace = "n" },
            status = { desiredHealthy = 2, currentHealthy = 2, expectedPods = 2, disruptionsAllowed = 0 } }
        world = { wanted = { { component = "web", object = budget } }, live = { PodDisruptionBudget = { budget } } }
        assert.matches("although all 2 are healthy: 2 must be", (only(world, "Resources PodDisruptionBudget/web")))
        budget.status.disruptionsAllowed = 1
        nothing(world)
    end)
    it("are containers that end for want of memory, or again and again", function()
        local status = { name = "web", restartCount = 1, lastState = { terminated = { reason = "OOMKilled", exitCode = 137,
            finishedAt = "2026-01-01T00:00:00Z" } } }
        local pod = { kind = "Pod", metadata = { name = "web-1", namespace = "n" }, status = { phase = "Running",
            conditions = { { type = "Ready", status = "True" } }, containerStatuses = { status } },
            spec = { containers = { { name = "web", resources = { limits = { memory = "64Mi" } } } } } }
        local world = { wanted = { { component = "web", object = pod } }, live = { Pod = { pod } } }
        assert.matches("^container web was killed .* than its limit of 64Mi %(1 restarts%)$", (only(world, "Resources Pod/web-1")))
        status.lastState.terminated.reason = "Error"
        nothing(world)
        status.restartCount = 7
        assert.matches("has started 7 times anew; the last time it ended .* with code 137", (only(world, "Resources Pod/web-1")))
    end)
end)

describe("lines of logs", function()
    it("tell of errors by level or word, and not by words that deny it", function()
        for line, wanted in pairs {
            ["2026-11-24 02:00:01 ERROR cannot reach db"] = true, ["E1124 02:00:01.123456 1 main.go:7] no"] = true,
            ["I1124 02:00:01.123456 1 main.go:7] error: none"] = false, ['{"level":"error","msg":"x"}'] = true,
            ["panic: runtime"] = true, ["Traceback (most recent call last):"] = true, ["redis.exceptions.ConnectionError: no"] = true,
            ["java.io.IOException: x"] = true, ["INFO retry after error"] = false, ["[warning] error in a plugin"] = false,
            ["errors: 0"] = false, ["error=null"] = false, ["error: 0 of 5"] = false, ["no error"] = false, ["GET /error-page 200"] = true,
            ["terror"] = false, [""] = false, ["failed with err: x"] = true,
        } do
            assert.equal(wanted, (native.likeness(line)), line)
        end
    end)
    it("are alike but for numbers, times, addresses, hex and UUIDs", function()
        for line, wanted in pairs {
            ["2026-11-24T02:00:01.5Z ERROR from 10.0.0.7:3306 after 17ms"] = "# ERROR from # after #",
            ["id 123e4567-e89b-12d3-a456-426614174000 gone"] = "id # gone", ["at 0x7ffeabcd and deadbeef"] = "at # and #",
            ["decade face"] = "decade face", ["web-5c8b47b8cb-lshd4 x"] = "web-#-# x", ["tag #5"] = "tag #",
        } do
            local _, likeness = native.likeness(line)
            assert.equal(wanted:gsub("%-#%-#", "-#"), likeness, line)
        end
    end)
    it("are counted with their first and last time and their pods", function()
        local groups = cjson.decode(native.likeness_groups(cjson.encode {
            { "ERROR a 1", "2026-01-01T00:00:05Z", "web", "w1" }, { "ERROR a 22", "2026-01-01T00:00:01Z", "web", "w2" },
            { "ERROR a 3", "2026-01-01T00:00:09Z", "api", "a1" }, { "ERROR b", "2026-01-01T00:00:02Z", "web", "w1" } }))
        local one = groups["ERROR a #"]
        assert.same({ 3, "2026-01-01T00:00:01Z", "2026-01-01T00:00:09Z", "ERROR a 1" }, { one.count, one.first, one.last, one.line })
        assert.same({ w1 = true, w2 = true, a1 = true }, one.pods)
        assert.equal(1, groups["ERROR b"].count)
    end)
    it("of endless kinds are bounded", function()
        local rows = {}
        for i = 1, 1000 do
            local word = ""
            for digit in tostring(i):gmatch "%d" do
                word = word .. string.char(113 + digit)
            end
            rows[i] = { "ERROR " .. word, "2026-01-01T00:00:00Z", "web", "w" }
        end
        local groups, count = cjson.decode(native.likeness_groups(cjson.encode(rows))), 0
        for _ in pairs(groups) do
            count = count + 1
        end
        assert.equal(301, count)
        assert.equal(700, groups[""].count)
    end)
end)

describe("access", function()
    local function messages(version, ahead)
        local list = {}
        for i, finding in ipairs(cjson.decode(native.access(version, ahead)).findings) do
            list[i] = finding.message
        end
        return list
    end
    it("minds versions that are far apart, and clocks", function()
        assert.same({}, messages("v1.36", 0))
        assert.same({}, messages("v1.33", -20000))
        assert.matches("cluster is Kubernetes v1.30, .* 6 minor releases apart", messages("v1.30", 0)[1])
        assert.matches("clock of this machine is 90 s ahead of", messages("v1.36", 90000)[1])
        assert.matches("clock of this machine is 90 s behind", messages("v1.36", -90000)[1])
    end)
    it("is what a review's rules say, or leave open", function()
        local status = { resourceRules = { { verbs = { "get" }, apiGroups = { "apps" }, resources = { "deployments" } },
            { verbs = { "*" }, apiGroups = { "" }, resources = { "*" } } } }
        local function allowed(verb, group, resource)
            return native.permissions_allow(cjson.encode(status), cjson.encode { verb = verb, group = group, resource = resource })
        end
        assert.is_true((allowed("get", "apps", "deployments")))
        assert.is_false((allowed("delete", "apps", "deployments")))
        assert.is_true((allowed("delete", "", "secrets")))
        status.incomplete = true
        assert.same({ false, true }, { allowed("get", "batch", "jobs") })
    end)
end)

describe("who changed a field", function()
    it("is told by managedFields, through lists and their keys", function()
        local containers = { { name = "side", image = "s" }, { name = "web", image = "i" } }
        local live = { spec = { replicas = 2, template = { spec = { containers = containers } } }, metadata = { managedFields = {
            { manager = "bkdeploy", time = "2026-01-01T00:00:00Z", fieldsV1 = { ["f:spec"] = { ["f:replicas"] = {} } } },
            { manager = "kubectl-set", time = "2026-01-02T00:00:00Z", fieldsV1 = { ["f:spec"] = { ["f:template"] = { ["f:spec"] = {
                ["f:containers"] = { ['k:{"name":"web"}'] = { ["f:image"] = {} } } } } } } } } } }
        local text = cjson.encode(live)
        local function manager(...)
            return native.drift_manager(text, text, cjson.encode { ... })
        end
        assert.equal("bkdeploy", manager("spec", "replicas"))
        assert.equal("kubectl-set", manager("spec", "template", "spec", "containers", 1, "image"))
        assert.is_nil(manager("spec", "template", "spec", "containers", 0, "image"))
    end)
end)
