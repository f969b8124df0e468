local cjson = require "cjson"
local support = require "support"

local large = ("x"):rep((1 << 20) + 1)

--- A profile whose second line on is `body`, which returns the list of components.
local function evaluate(body, ...)
    local folder = support.folder({
        ["profile.lua"] = "local bk = require 'bk'; local function parts()\n" .. body
            .. "\nend return bk.profile 'shop' { components = parts() }",
        ["files/my.cnf"] = "[mysqld]\nmax_connections = 500\n",
        ["files/large"] = large,
    })
    return support.run("render", folder, "-o", "json", "--show-secrets", ...)
end

--- The objects of the profile, by "Kind/name".
local function objects(body, ...)
    local run = evaluate(body, ...)
    assert.equal("", run.err)
    local found = {}
    for _, object in ipairs(cjson.decode(run.out).items) do
        found[object.kind .. "/" .. object.metadata.name] = object
    end
    return found
end

--- The first container of the one Deployment "web" that has these fields beside its image.
local function container(fields, before)
    local made = objects((before or "") .. "\nreturn { bk.deployment 'web' { image = 'nginx:1', " .. fields .. " } }")
    return made["Deployment/web"].spec.template.spec.containers[1], made
end

local function pod(fields, before)
    local _, made = container(fields, before)
    return made["Deployment/web"].spec.template.spec
end

describe("a container", function()
    it("has image, command, arguments as text, working folder and pull policy", function()
        local made = container("command = { 'gunicorn', '-w', 4 }, args = { true }, working_dir = '/app', "
            .. "pull_policy = 'Always'")
        assert.same({ "web", "nginx:1", "/app", "Always" },
            { made.name, made.image, made.workingDir, made.imagePullPolicy })
        assert.same({ "gunicorn", "-w", "4" }, made.command)
        assert.same({ "true" }, made.args)
    end)

    it("has resources, as a range or one figure for both", function()
        local made = container("resources = { cpu = '500m..2', memory = '1Gi' }")
        assert.same({ requests = { cpu = "500m", memory = "1Gi" }, limits = { cpu = "2", memory = "1Gi" } },
            made.resources)
    end)

    it("has probes with all five timings", function()
        local made = container([[ports = { http = 80, admin = 81 },
            readiness = bk.http { path = '/ready', initial_delay = '10s', period = '5s', timeout = 2,
                success = 2, failure = 4 },
            liveness = bk.tcp 'admin', startup = bk.exec { 'test', '-e', '/up' }]])
        assert.same({
            httpGet = { path = "/ready", port = "http" }, initialDelaySeconds = 10, periodSeconds = 5,
            timeoutSeconds = 2, successThreshold = 2, failureThreshold = 4,
        }, made.readinessProbe)
        assert.same({ tcpSocket = { port = "admin" } }, made.livenessProbe)
        assert.same({ exec = { command = { "test", "-e", "/up" } } }, made.startupProbe)
    end)

    it("has http headers and grpc in probes", function()
        local made = container([[ports = { grpc = 9000 },
            readiness = bk.http { path = '/', port = 9001, scheme = 'HTTPS', headers = { Host = 'a' } },
            liveness = bk.grpc { port = 9000, service = 'live' }]])
        assert.same({ path = "/", port = 9001, scheme = "HTTPS", httpHeaders = { { name = "Host", value = "a" } } },
            made.readinessProbe.httpGet)
        assert.same({ port = 9000, service = "live" }, made.livenessProbe.grpc)
    end)

    it("takes a variable from everywhere that Kubernetes knows", function()
        local made = container([[env = {
            TEXT = 'x', NUMBER = 3306, FLAG = true,
            KEY = conf:key 'level', PASSWORD = secret:key 'password', OTHERS = bk.existing_secret 'theirs':key 'k',
            IP = bk.field 'status.podIP', LIMIT = bk.resource 'limits.memory',
        }, env_from = { conf, secret, bk.existing_config 'site' }]],
            "local conf, secret = bk.config 'conf' { level = 'INFO' }, bk.secret 'pass' { password = 'p' }")
        local env = {}
        for _, variable in ipairs(made.env) do
            env[variable.name] = variable.value or variable.valueFrom
        end
        assert.same({
            TEXT = "x", NUMBER = "3306", FLAG = "true",
            KEY = { configMapKeyRef = { name = "conf", key = "level" } },
            PASSWORD = { secretKeyRef = { name = "pass", key = "password" } },
            OTHERS = { secretKeyRef = { name = "theirs", key = "k" } },
            IP = { fieldRef = { fieldPath = "status.podIP" } },
            LIMIT = { resourceFieldRef = { resource = "limits.memory" } },
        }, env)
        assert.same({ { configMapRef = { name = "conf" } }, { secretRef = { name = "pass" } },
            { configMapRef = { name = "site" } } }, made.envFrom)
    end)

    it("gets files from a whole config, a whole secret and a single key", function()
        local spec = pod([[files = { ['/etc/app'] = conf, ['/etc/tls'] = secret, ['/etc/my.cnf'] = conf:key 'my.cnf' }]],
            [[local conf = bk.config 'conf' { ['my.cnf'] = bk.read 'files/my.cnf' }
              local secret = bk.secret 'tls' { ['tls.key'] = 'k' }]])
        assert.same({
            { name = "config-conf", mountPath = "/etc/app", readOnly = true },
            { name = "config-conf", mountPath = "/etc/my.cnf", subPath = "my.cnf", readOnly = true },
            { name = "secret-tls", mountPath = "/etc/tls", readOnly = true },
        }, spec.containers[1].volumeMounts)
        assert.same({
            { name = "config-conf", configMap = { name = "conf" } },
            { name = "secret-tls", secret = { secretName = "tls" } },
        }, spec.volumes)
    end)

    it("mounts folders of the node, scratch space and claims", function()
        local spec = pod([[volumes = { ['/data'] = bk.host_path '/data/x', ['/tmp'] = bk.empty_dir { size = '1Gi' },
            ['/cache'] = bk.empty_dir(), ['/in'] = bk.existing_claim 'inbox' }]])
        local by_path = {}
        for _, mount in ipairs(spec.containers[1].volumeMounts) do
            for _, volume in ipairs(spec.volumes) do
                if volume.name == mount.name then
                    by_path[mount.mountPath] = volume
                    volume.name = nil
                end
            end
        end
        assert.same({
            ["/data"] = { hostPath = { path = "/data/x", type = "DirectoryOrCreate" } },
            ["/tmp"] = { emptyDir = { sizeLimit = "1Gi" } }, ["/cache"] = { emptyDir = {} },
            ["/in"] = { persistentVolumeClaim = { claimName = "inbox" } },
        }, by_path)
    end)

    it("has init containers and sidecars beside it", function()
        local spec = pod("init = { { name = 'wait', image = 'busybox:1', command = { 'true' } } }, "
            .. "sidecars = { { name = 'log', image = 'fluent:1', env = { A = 1 } } }")
        assert.same({ "log", "wait" }, { spec.initContainers[1].name, spec.initContainers[2].name })
        assert.equal("Always", spec.initContainers[1].restartPolicy)
        assert.same({ { name = "A", value = "1" } }, spec.initContainers[1].env)
        spec = pod "containers = { { name = 'twin', image = 'twin:1' } }"
        assert.same({ "web", "twin" }, { spec.containers[1].name, spec.containers[2].name })
    end)
end)

describe("a config", function()
    it("is listed before its first user, and given as text", function()
        local run = evaluate("local c = bk.config 'conf' { level = 'INFO', n = 3, on = true }\n"
            .. "return { bk.deployment 'web' { image = 'i', env_from = { c } } }")
        local items = cjson.decode(run.out).items
        assert.same({ "Namespace", "ConfigMap", "Deployment" }, { items[1].kind, items[2].kind, items[3].kind })
        assert.same({ level = "INFO", n = "3", on = "true" }, items[2].data)
    end)

    it("is encoded when it is a secret, whatever its bytes", function()
        local made = objects("return { bk.secret 's' { a = 'pass', b = '\\0\\255', c = '' } }")["Secret/s"]
        assert.same({ a = "cGFzcw==", b = "AP8=", c = "" }, made.data)
        assert.equal("Opaque", made.type)
    end)
end)

describe("a component", function()
    it("that has ports has a Service to find it by, with a selector of its own", function()
        local _, made = container("ports = { http = 8080, admin = 81 }")
        assert.same({ type = "ClusterIP", selector = {
            ["app.kubernetes.io/name"] = "web", ["app.kubernetes.io/part-of"] = "shop",
        }, ports = {
            { name = "admin", port = 81, targetPort = "admin", protocol = "TCP" },
            { name = "http", port = 8080, targetPort = "http", protocol = "TCP" },
        } }, made["Service/web"].spec)
        assert.same(made["Service/web"].spec.selector, made["Deployment/web"].spec.selector.matchLabels)
    end)

    it("may offer other ports, another type, or no Service", function()
        local _, made = container("ports = { http = 8080 }, service = { ports = { http = 80 }, type = 'NodePort' }")
        assert.same({ { name = "http", port = 80, targetPort = "http", protocol = "TCP" } }, made["Service/web"].spec.ports)
        assert.equal("NodePort", made["Service/web"].spec.type)
        assert.is_nil(select(2, container("ports = { http = 8080 }, service = false"))["Service/web"])
        assert.is_nil(select(2, container(""))["Service/web"])
    end)

    it("has an Ingress", function()
        local _, made = container([[ports = { http = 80 }, ingress = { host = 'shop.example.com', path = '/a',
            path_type = 'Exact', class = 'nginx', tls = cert, annotations = { a = 'b' } }]],
            "local cert = bk.secret 'cert' { ['tls.crt'] = 'c' }")
        local ingress = made["Ingress/web"]
        assert.same({ a = "b" }, ingress.metadata.annotations)
        assert.same({
            ingressClassName = "nginx", tls = { { hosts = { "shop.example.com" }, secretName = "cert" } },
            rules = { { host = "shop.example.com", http = { paths = { {
                path = "/a", pathType = "Exact", backend = { service = { name = "web", port = { name = "http" } } },
            } } } } },
        }, ingress.spec)
    end)

    it("that is a StatefulSet has claims and a headless Service", function()
        local made = objects([[return { bk.statefulset 'db' { image = 'mysql:8', ports = { mysql = 3306 }, replicas = 3,
            claims = { data = { size = '10Gi', path = '/var/lib/mysql', class = 'fast' } },
            pod_management = 'Parallel', partition = 1, revision_history = 3 } }]])
        local set = made["StatefulSet/db"].spec
        assert.same({ "db", 3, "Parallel", 3 }, { set.serviceName, set.replicas, set.podManagementPolicy,
            set.revisionHistoryLimit })
        assert.equal(1, set.updateStrategy.rollingUpdate.partition)
        assert.same({ name = "data" }, set.volumeClaimTemplates[1].metadata)
        assert.same({ accessModes = { "ReadWriteOnce" }, storageClassName = "fast",
            resources = { requests = { storage = "10Gi" } } }, set.volumeClaimTemplates[1].spec)
        assert.same({ { name = "data", mountPath = "/var/lib/mysql" } }, set.template.spec.containers[1].volumeMounts)
        assert.equal("None", made["Service/db"].spec.clusterIP)
    end)

    it("that is a Deployment has its claims beside it", function()
        local _, made = container("claims = { data = { size = '1Gi', path = '/d' } }")
        local spec = made["Deployment/web"].spec.template.spec
        assert.same({ { name = "data", persistentVolumeClaim = { claimName = "web-data" } } }, spec.volumes)
        assert.equal("1Gi", made["PersistentVolumeClaim/web-data"].spec.resources.requests.storage)
    end)

    it("rolls out as its strategy says", function()
        local _, made = container("replicas = 3, strategy = { max_surge = '25%', max_unavailable = 0 }, "
            .. "progress_deadline = '5m', revision_history = 2, grace_period = '2m'")
        local spec = made["Deployment/web"].spec
        assert.same({ type = "RollingUpdate", rollingUpdate = { maxSurge = "25%", maxUnavailable = 0 } }, spec.strategy)
        assert.same({ 3, 300, 2, 120 }, { spec.replicas, spec.progressDeadlineSeconds, spec.revisionHistoryLimit,
            spec.template.spec.terminationGracePeriodSeconds })
        _, made = container("strategy = 'Recreate'")
        assert.same({ type = "Recreate" }, made["Deployment/web"].spec.strategy)
    end)

    it("goes where it may", function()
        local spec = pod([[node_selector = { disk = 'ssd' }, priority_class = 'high', service_account = 'me',
            pull_secrets = { 'registry' }, tolerations = { { key = 'a', operator = 'Exists' } },
            affinity = { nodeAffinity = {} }, host_aliases = { { ip = '10.0.0.1', hostnames = { 'h' } } },
            pod_security = { fsGroup = 1000 }, security = { runAsUser = 1 }]])
        assert.same({ disk = "ssd" }, spec.nodeSelector)
        assert.same({ "high", "me", "registry", 1000, 1 }, { spec.priorityClassName, spec.serviceAccountName,
            spec.imagePullSecrets[1].name, spec.securityContext.fsGroup, spec.containers[1].securityContext.runAsUser })
        assert.equal("a", spec.tolerations[1].key)
        assert.same({ nodeAffinity = {} }, spec.affinity)
        assert.same({ "h" }, spec.hostAliases[1].hostnames)
    end)

    it("may be a Job or a DaemonSet", function()
        local made = objects([[return {
            bk.job 'migrate' { image = 'i', backoff_limit = 10, deadline = '10m', ttl = '1h', completions = 2,
                parallelism = 2 },
            bk.daemonset 'agent' { image = 'i' } }]])
        local job = made["Job/migrate"].spec
        assert.same({ 10, 600, 3600, 2, 2, "OnFailure" }, { job.backoffLimit, job.activeDeadlineSeconds,
            job.ttlSecondsAfterFinished, job.completions, job.parallelism, job.template.spec.restartPolicy })
        assert.is_nil(job.selector)
        assert.is_nil(made["DaemonSet/agent"].spec.replicas)
        assert.same({ ["app.kubernetes.io/name"] = "agent", ["app.kubernetes.io/part-of"] = "shop" },
            made["DaemonSet/agent"].spec.selector.matchLabels)
    end)

    it("may be objects as they are", function()
        local made = objects([[return { bk.raw 'limits' { { apiVersion = 'v1', kind = 'LimitRange',
            metadata = { name = 'l' }, spec = { limits = bk.array {}, x = bk.object {} } } } }]])
        assert.equal("l", made["LimitRange/l"].metadata.name)
    end)

    it("is held by who uses it: its host makes it a need", function()
        local body = [[local db = bk.statefulset 'db' { image = 'i', ports = { mysql = 3306 } }
            return { db, bk.deployment 'web' { image = 'i', env = { URL = 'mysql://' .. db.host .. ':3306/' } } }]]
        local env = objects(body)["Deployment/web"].spec.template.spec.containers[1].env
        assert.same({ { name = "URL", value = "mysql://db:3306/" } }, env)
    end)
end)

describe("beside workloads, the language", function()
    it("has CronJobs", function()
        local made = objects([[return { bk.cronjob 'clean' { image = 'i', schedule = '0 3 * * *', concurrency = 'Forbid',
            time_zone = 'Asia/Shanghai', keep_failed = 2, backoff_limit = 1, starting_deadline = '1m' } }]])
        local spec = made["CronJob/clean"].spec
        assert.same({ "0 3 * * *", "Forbid", "Asia/Shanghai", 2, 60, 1 }, { spec.schedule, spec.concurrencyPolicy,
            spec.timeZone, spec.failedJobsHistoryLimit, spec.startingDeadlineSeconds, spec.jobTemplate.spec.backoffLimit })
        assert.equal("OnFailure", spec.jobTemplate.spec.template.spec.restartPolicy)
    end)

    it("has names for what lies outside", function()
        local made = objects([[local db = bk.external 'db' { host = 'db.example.com' }
            local cache = bk.external 'cache' { addresses = { '10.0.0.5', '10.0.0.6' }, ports = { redis = 6379 } }
            return { db, cache, bk.deployment 'web' { image = 'i', env = { DB = db.host, CACHE = cache.host } } }]])
        assert.same({ type = "ExternalName", externalName = "db.example.com" }, made["Service/db"].spec)
        assert.is_nil(made["Service/cache"].spec.selector)
        local slice = made["EndpointSlice/cache"]
        assert.same({ "IPv4", "cache", 6379, "10.0.0.6" }, { slice.addressType,
            slice.metadata.labels["kubernetes.io/service-name"], slice.ports[1].port, slice.endpoints[2].addresses[1] })
    end)

    it("has Ingresses of several hosts, paths and components", function()
        local made = objects([[local web = bk.deployment 'web' { image = 'i', ports = { http = 80 } }
            local api = bk.deployment 'api' { image = 'i', ports = { grpc = 81 } }
            return { web, api, bk.ingress 'public' { hosts = { 'a.example.com', 'b.example.com' },
                paths = { ['/'] = web, ['/api/'] = api }, class = 'nginx', tls = { ['b.example.com'] = 'b-tls' } } }]])
        local spec = made["Ingress/public"].spec
        assert.same({ "a.example.com", "b.example.com" }, { spec.rules[1].host, spec.rules[2].host })
        local paths = spec.rules[1].http.paths
        assert.same({ "/", "web", "http" }, { paths[1].path, paths[1].backend.service.name,
            paths[1].backend.service.port.name })
        assert.same({ "/api/", "api", "grpc" }, { paths[2].path, paths[2].backend.service.name,
            paths[2].backend.service.port.name })
        assert.same({ { hosts = { "b.example.com" }, secretName = "b-tls" } }, spec.tls)
    end)

    it("scales and protects", function()
        local _, made = container("scale = { min = 2, max = 9, cpu = '70%', memory = '500Mi' }, "
            .. "disruption = { max_unavailable = '25%' }")
        assert.is_nil(made["Deployment/web"].spec.replicas)
        local spec = made["HorizontalPodAutoscaler/web"].spec
        assert.same({ 2, 9, "web", 70, "500Mi" }, { spec.minReplicas, spec.maxReplicas, spec.scaleTargetRef.name,
            spec.metrics[1].resource.target.averageUtilization, spec.metrics[2].resource.target.averageValue })
        assert.equal("25%", made["PodDisruptionBudget/web"].spec.maxUnavailable)
        assert.same(made["Deployment/web"].spec.selector, made["PodDisruptionBudget/web"].spec.selector)
    end)

    it("says who may talk to whom", function()
        local made = objects([[local web = bk.deployment 'web' { image = 'i' }
            return { web, bk.statefulset 'db' { image = 'i', ports = { mysql = 3306 }, network = {
                from = { web, 'monitoring', bk.cidr('10.0.0.0/8', { '10.1.0.0/16' }) }, to = {} } } }]])
        local spec = made["NetworkPolicy/db"].spec
        assert.same({ "Ingress", "Egress" }, spec.policyTypes)
        assert.same({ { port = 3306, protocol = "TCP" } }, spec.ingress[1].ports)
        assert.same({
            { podSelector = { matchLabels = made["Deployment/web"].spec.selector.matchLabels } },
            { namespaceSelector = { matchLabels = { ["kubernetes.io/metadata.name"] = "monitoring" } } },
            { ipBlock = { cidr = "10.0.0.0/8", except = { "10.1.0.0/16" } } },
        }, spec.ingress[1].from)
        assert.equal(1, #spec.egress) -- names can be looked up
    end)

    it("has service accounts with their rights", function()
        local made = objects([[local me = bk.service_account 'me' {
                rules = { { resources = { 'pods' }, verbs = { 'get' } } },
                cluster_rules = { { groups = { 'apps' }, resources = { 'deployments' }, verbs = { 'list' } } } }
            return { me, bk.deployment 'web' { image = 'i', service_account = me } }]])
        assert.equal("me", made["Deployment/web"].spec.template.spec.serviceAccountName)
        assert.same({ { apiGroups = { "" }, resources = { "pods" }, verbs = { "get" } } }, made["Role/me"].rules)
        assert.same({ kind = "ServiceAccount", name = "me", namespace = "shop" }, made["RoleBinding/me"].subjects[1])
        assert.equal("shop-me", made["ClusterRoleBinding/shop-me"].roleRef.name)
        assert.is_nil(made["ClusterRole/shop-me"].metadata.namespace)
    end)

    it("has priorities, quotas and limits", function()
        local made = objects([[local high = bk.priority_class 'high' { value = 1000 }
            return { high, bk.quota 'q' { hard = { pods = 50, ['requests.cpu'] = '10' } },
                bk.limits 'l' { container = { default = { cpu = '1' }, request = { cpu = '100m' } } },
                bk.deployment 'web' { image = 'i', priority_class = high } }]])
        assert.equal(1000, made["PriorityClass/high"].value)
        assert.equal("high", made["Deployment/web"].spec.template.spec.priorityClassName)
        assert.same({ pods = "50", ["requests.cpu"] = "10" }, made["ResourceQuota/q"].spec.hard)
        assert.same({ { type = "Container", default = { cpu = "1" }, defaultRequest = { cpu = "100m" } } },
            made["LimitRange/l"].spec.limits)
    end)

    it("has volumes and classes for sites without a provisioner", function()
        local made = objects([[local slow = bk.storage_class 'slow' { reclaim = 'Retain', binding = 'WaitForFirstConsumer' }
            local disk = bk.persistent_volume 'disk' { size = '10Gi', source = bk.host_path '/disks/1', class = slow,
                nodes = { ['kubernetes.io/hostname'] = 'node-1' } }
            local share = bk.persistent_volume 'share' { size = '1Ti', modes = { 'ReadWriteMany' },
                source = bk.nfs { server = 'nfs', path = '/x' } }
            return { slow, disk, share, bk.statefulset 'db' { image = 'i', claims = {
                data = { size = '10Gi', path = '/d', class = slow, volume = disk } } } }]])
        assert.equal("kubernetes.io/no-provisioner", made["StorageClass/slow"].provisioner)
        local spec = made["PersistentVolume/disk"].spec
        assert.same({ "slow", "/disks/1", "Retain", "10Gi" }, { spec.storageClassName, spec.hostPath.path,
            spec.persistentVolumeReclaimPolicy, spec.capacity.storage })
        assert.equal("node-1", spec.nodeAffinity.required.nodeSelectorTerms[1].matchExpressions[1].values[1])
        assert.same({ server = "nfs", path = "/x" }, made["PersistentVolume/share"].spec.nfs)
        local claim = made["StatefulSet/db"].spec.volumeClaimTemplates[1].spec
        assert.same({ "slow", "disk" }, { claim.storageClassName, claim.volumeName })
    end)

    it("keeps ready functions out of the objects", function()
        local run = evaluate([[local function ready() return 'Current' end
            local lamp = bk.crd 'lamps.example.com' { kind = 'Lamp', versions = { v1 = { type = 'object' } }, ready = ready }
            return { lamp, lamp:resource 'one' { spec = { on = true }, ready = ready },
                bk.raw 'two' { { apiVersion = 'v1', kind = 'ConfigMap', metadata = { name = 'two' } }, ready = ready } }]])
        assert.equal(0, run.code, run.err)
        assert.is_nil(run.out:find "ready")
    end)

    it("has kinds of one's own, and resources of them", function()
        local run = evaluate([[local lamp = bk.crd 'lamps.example.com' { kind = 'Lamp', versions = { v1 = { type = 'object' } } }
            return { lamp:resource 'one' { spec = { on = true } }, lamp }]])
        local items = cjson.decode(run.out).items
        assert.same({ "lamps", "lamp", "Namespaced", true }, { items[3].spec.names.plural, items[3].spec.names.singular,
            items[3].spec.scope, items[3].spec.versions[1].storage })
        assert.same({ "example.com/v1", "Lamp", true }, { items[2].apiVersion, items[2].kind, items[2].spec.on })
    end)

    it("has empty lists and maps in such resources where their schema has them", function()
        local schema = [[{ type = 'object', properties = { spec = { type = 'object', properties = {
            hosts = { type = 'array', items = { type = 'string' } }, options = { type = 'object' },
            rooms = { type = 'array', items = { type = 'object', properties = {
                lamps = { type = 'array', items = { type = 'string' } } } } },
            byFloor = { type = 'object', additionalProperties = { type = 'array', items = { type = 'string' } } },
        } } } }]]
        local body = [[local lamp = bk.crd 'lamps.example.com' { kind = 'Lamp', versions = { v1 = ]] .. schema .. [[ } }
            local spec = { hosts = {}, options = {}, rooms = { { lamps = {} } }, byFloor = { one = {} }, unknown = {},
                marked = bk.array {} }
            local other = { apiVersion = 'example.com/v2', kind = 'Lamp', metadata = { name = 'o' }, spec = { hosts = {} } }
            return { lamp:resource 'l' { spec = spec }, bk.raw 'o' { other }, lamp }]]
        local run = evaluate(body)
        assert.equal("", run.err)
        local text = run.out:gsub("%s", "")
        assert.truthy(text:find([["byFloor":{"one":[]},"hosts":[],"marked":[],"options":{},"rooms":[{"lamps":[]}],]]
            .. [["unknown":{}]], 1, true), text)
        assert.truthy(text:find([["spec":{"hosts":{}}]], 1, true), "of a version that the profile does not have")
        assert.same(0, support.run("render", support.folder { ["profile.lua"] = "local bk = require 'bk' "
            .. "return bk.profile 'a' { components = { bk.raw 'o' { { apiVersion = 'example.com/v1', kind = 'Lamp', "
            .. "metadata = { name = 'o' }, spec = {} }, { apiVersion = 'apiextensions.k8s.io/v1', "
            .. "kind = 'CustomResourceDefinition', metadata = { name = 'x' }, spec = {} } } } }" }).code)
    end)

    it("places pods", function()
        local spec = pod([[nodes = { disk = 'ssd', zone = { 'a', 'b' } }, prefer_nodes = { cpu = 'new' },
            apart = { key = 'kubernetes.io/hostname', required = true }, spread = 'topology.kubernetes.io/zone']])
        local node = spec.affinity.nodeAffinity
        assert.same({ { key = "disk", operator = "In", values = { "ssd" } },
            { key = "zone", operator = "In", values = { "a", "b" } } },
            node.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[1].matchExpressions)
        assert.equal("cpu", node.preferredDuringSchedulingIgnoredDuringExecution[1].preference.matchExpressions[1].key)
        local apart = spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[1]
        assert.same({ "kubernetes.io/hostname", "web" }, { apart.topologyKey,
            apart.labelSelector.matchLabels["app.kubernetes.io/name"] })
        assert.same({ "topology.kubernetes.io/zone", "ScheduleAnyway" },
            { spec.topologySpreadConstraints[1].topologyKey, spec.topologySpreadConstraints[1].whenUnsatisfiable })
    end)

    it("gives files modes, and several sources one folder", function()
        local spec = pod([[files = { ['/a'] = conf:mode '0400', ['/b'] = conf:key 'x':mode '0755' },
            volumes = { ['/all'] = bk.projected { conf, pass:key 'p', bk.token { audience = 'vault', expires = '1h' },
                name = bk.field 'metadata.name' } }]],
            "local conf, pass = bk.config 'conf' { x = 1 }, bk.secret 'pass' { p = 'q' }")
        local by_path = {}
        for _, mount in ipairs(spec.containers[1].volumeMounts) do
            for _, volume in ipairs(spec.volumes) do
                by_path[mount.mountPath] = volume.name == mount.name and volume or by_path[mount.mountPath]
            end
        end
        assert.same({ name = "conf", defaultMode = 256 }, by_path["/a"].configMap)
        assert.same({ name = "conf", items = { { key = "x", path = "x", mode = 493 } } }, by_path["/b"].configMap)
        assert.same({
            { configMap = { name = "conf" } }, { secret = { name = "pass", items = { { key = "p", path = "p" } } } },
            { serviceAccountToken = { path = "token", audience = "vault", expirationSeconds = 3600 } },
            { downwardAPI = { items = { { path = "name", fieldRef = { fieldPath = "metadata.name" } } } } },
        }, by_path["/all"].projected.sources)
    end)

    it("names configs by their content on request, and makes them immutable", function()
        local function made(value)
            local found = objects(("local c = bk.config 'conf' { a = '%s' }:hashed():immutable()\n"
                .. "return { bk.deployment 'web' { image = 'i', env_from = { c }, files = { ['/c'] = c } } }"):format(value))
            local pod_spec = found["Deployment/web"].spec.template.spec
            local name = pod_spec.containers[1].envFrom[1].configMapRef.name
            assert.equal(name, pod_spec.volumes[1].configMap.name)
            assert.is_true(found["ConfigMap/" .. name].immutable)
            return name
        end
        assert.matches("^conf%-%x+$", made "1")
        assert.equal(made "1", made "1")
        assert.not_equal(made "1", made "2")
    end)

    it("has handlers, other protocols, host ports, and sources that may be missing", function()
        local made = container([[ports = { http = 80, dns = '53/UDP' }, host_ports = { dns = 53 },
            pre_stop = { 'sleep', '5' }, post_start = bk.http '/warm', env = { A = conf:key 'x':optional() },
            env_from = { bk.existing_config 'maybe':optional() }]], "local conf = bk.config 'conf' { x = 1 }")
        assert.same({ name = "dns", containerPort = 53, protocol = "UDP", hostPort = 53 }, made.ports[1])
        assert.same({ exec = { command = { "sleep", "5" } } }, made.lifecycle.preStop)
        assert.same({ httpGet = { path = "/warm", port = "http" } }, made.lifecycle.postStart)
        assert.is_true(made.env[1].valueFrom.configMapKeyRef.optional)
        assert.is_true(made.envFrom[1].configMapRef.optional)
    end)

    it("reaches with a patch what has no word", function()
        local _, made = container([[ports = { http = 80 }, patch = {
            deployment = { spec = { paused = true, template = { spec = { containers = { { name = 'web', tty = true } } } } } },
            service = { spec = { ports = bk.remove } } }]])
        assert.is_true(made["Deployment/web"].spec.paused)
        local first = made["Deployment/web"].spec.template.spec.containers[1]
        assert.same({ "nginx:1", true }, { first.image, first.tty })
        assert.is_nil(made["Service/web"].spec.ports)
        _, made = container("patch = function(object) object.metadata.labels.seen = object.kind end")
        assert.equal("Deployment", made["Deployment/web"].metadata.labels.seen)
    end)
end)

describe("a profile", function()
    it("has a namespace of its own, and makes it", function()
        local made = objects "return { bk.deployment 'web' { image = 'i' } }"
        assert.is_table(made["Namespace/shop"])
        assert.equal("shop", made["Deployment/web"].metadata.namespace)
        assert.equal("bkdeploy", made["Deployment/web"].metadata.labels["app.kubernetes.io/managed-by"])
    end)

    local function with_environments(rest, ...)
        local folder = support.folder({ ["profile.lua"] = [[local bk = require 'bk'
            return bk.profile 'shop' { environments = { dev = { n = 1 }, prod = { n = 3, namespace = 'live' } },
                components = function(env)
                    return { bk.deployment 'web' { image = env.name, replicas = env.n } }
                end, ]] .. rest .. "}" })
        return support.run("render", folder, "-o", "json", ...)
    end

    it("gives each environment its values and a namespace", function()
        local items = cjson.decode(with_environments("", "-e", "dev").out).items
        assert.same({ "shop-dev", "dev", 1 }, { items[2].metadata.namespace,
            items[2].spec.template.spec.containers[1].image, items[2].spec.replicas })
        items = cjson.decode(with_environments("default = 'prod'").out).items
        assert.same({ "live", 3 }, { items[2].metadata.namespace, items[2].spec.replicas })
        items = cjson.decode(with_environments("create_namespace = false", "-e", "dev").out).items
        assert.equal("Deployment", items[1].kind)
    end)

    it("names the environments there are", function()
        local run = with_environments("", "-e", "test")
        assert.equal(2, run.code)
        assert.matches("profile.lua:2: profile 'shop' has no environment 'test'; there is: dev, prod\n$", run.err)
        assert.matches("has the environments dev, prod; choose one with %-e", with_environments("").err)
    end)

    it("says which value an environment lacks", function()
        local folder = support.folder({ ["profile.lua"] = [[local bk = require 'bk'
            return bk.profile 'shop' { environments = { dev = { replicas = 1 } }, default = 'dev',
                components = function(env)
                    return { bk.deployment 'web' { image = 'i', replicas = env.replica } }
                end }]] })
        assert.matches("profile.lua:4: environment 'dev' has no value 'replica'; did you mean 'replicas'%?",
            support.run("render", folder).err)
    end)
end)

describe("a bare profile", function()
    --- The objects of a bare profile of these components, by "Kind/name", and all in their order.
    local function bare(body, fields)
        local folder = support.folder({ ["profile.lua"] = "local bk = require 'bk'\nlocal function parts()\n" .. body
            .. "\nend\nreturn bk.profile 'shop' { bare = true, components = parts(), " .. (fields or "") .. " }" })
        local run = support.run("render", folder, "-o", "json", "--show-secrets")
        assert.equal("", run.err)
        local found, items = {}, cjson.decode(run.out).items
        for _, object in ipairs(items) do
            found[object.kind .. "/" .. object.metadata.name] = object
        end
        return found, items
    end

    it("has objects that carry only what is written", function()
        local made, items = bare [[local conf = bk.config 'conf' { a = 'b' }
            return { bk.deployment 'web' { image = 'i', ports = { http = 80 }, files = { ['/c'] = conf },
                scale = { max = 3, cpu = '70%' }, ingress = { host = 'h', path_type = 'Exact' },
                volumes = { ['/h'] = bk.host_path '/h' } } }]]
        assert.equal(5, #items)
        assert.same({ apiVersion = "v1", kind = "ConfigMap", metadata = { name = "conf" }, data = { a = "b" } },
            made["ConfigMap/conf"])
        assert.same({ metadata = { name = "web" }, apiVersion = "apps/v1", kind = "Deployment", spec = {
            selector = { matchLabels = { app = "web" } },
            template = { metadata = { labels = { app = "web" } }, spec = {
                containers = { { name = "web", image = "i", ports = { { name = "http", containerPort = 80 } },
                    volumeMounts = { { name = "config-conf", mountPath = "/c" }, { name = "hostpath-h", mountPath = "/h" } } } },
                volumes = { { name = "config-conf", configMap = { name = "conf" } },
                    { name = "hostpath-h", hostPath = { path = "/h" } } },
            } },
        } }, made["Deployment/web"])
        assert.same({ selector = { app = "web" }, ports = { { name = "http", port = 80, targetPort = "http" } } },
            made["Service/web"].spec)
        assert.is_nil(made["HorizontalPodAutoscaler/web"].spec.minReplicas)
    end)

    it("has no defaults of Jobs, StatefulSets and claims", function()
        local made = bare [[return { bk.job 'j' { image = 'i' }, bk.secret 's' { ['tls.crt'] = 'a', ['tls.key'] = 'b' },
            bk.statefulset 'db' { image = 'i', ports = { a = '1/TCP' }, claims = { data = { size = '1Gi', path = '/d' } } } }]]
        assert.same({ template = { spec = { containers = { { name = "j", image = "i" } } } } }, made["Job/j"].spec)
        assert.is_nil(made["Secret/s"].type)
        assert.same({ selector = { app = "db" }, ports = { { name = "a", port = 1, targetPort = "a", protocol = "TCP" } } },
            made["Service/db"].spec)
        local spec = made["StatefulSet/db"].spec
        assert.same({ { metadata = { name = "data" }, spec = { resources = { requests = { storage = "1Gi" } } } } },
            spec.volumeClaimTemplates)
        assert.same({ "db", nil }, { spec.serviceName, spec.replicas })
        assert.equal("TCP", spec.template.spec.containers[1].ports[1].protocol)
    end)

    it("has the namespace that is written, and makes it on request", function()
        local body = "return { bk.deployment 'web' { image = 'i' }, bk.config 'c' {}:meta { namespace = 'other' }, "
            .. "bk.config 'd' {}:meta { namespace = bk.remove } }"
        local made, items = bare(body, "namespace = 'live'")
        assert.same({ "live", "other", 3 }, { made["Deployment/web"].metadata.namespace,
            made["ConfigMap/c"].metadata.namespace, #items })
        assert.is_nil(made["ConfigMap/d"].metadata.namespace)
        made = bare(body, "namespace = 'live', create_namespace = true")
        assert.same({ name = "live" }, made["Namespace/live"].metadata)
    end)
end)

describe("what a component makes", function()
    it("has the labels of the profile and of its meta, and other names", function()
        local folder = support.folder({ ["profile.lua"] = [[local bk = require 'bk'
            return bk.profile 'shop' { labels = { team = 'a', site = 'b' }, create_namespace = false, components = {
                bk.deployment 'web' { image = 'i', ports = { http = 80 }, meta = { name = 'front.end',
                    labels = { tier = 'x', site = bk.remove }, annotations = { note = 'n' } },
                    service = { name = 'front', labels = { tier = 'y' }, annotations = { own = 'o' } } },
                bk.raw 'lease' { { apiVersion = 'coordination.k8s.io/v1', kind = 'Lease', metadata = { name = 'l' } } },
                bk.cluster_role 'nodes' { meta = { name = 'shop:nodes' }, rules = { { resources = { 'nodes' },
                    verbs = { 'get' } } } },
            } }]] })
        local made = cjson.decode(support.run("render", folder, "-o", "json").out).items
        local service, deployment, lease, role = made[1].metadata, made[2].metadata, made[3].metadata, made[4].metadata
        assert.same({ "front", "a", "y", "n", "o", nil }, { service.name, service.labels.team, service.labels.tier,
            service.annotations.note, service.annotations.own, service.labels.site })
        assert.same({ "front.end", "x", "web" }, { deployment.name, deployment.labels.tier,
            deployment.labels["app.kubernetes.io/name"] })
        assert.same({ team = "a", site = "b" }, lease.labels)
        assert.equal("shop:nodes", role.name)
    end)

    it("has an order where it is written as a list", function()
        local made = container([[env = { { Z = 1 }, { A = '$(Z)' } }, ports = { { web = 80 }, 90, '53/UDP' },
            volumes = { { ['/z'] = bk.empty_dir() }, { ['/a'] = conf:key 'x' } }, container = 'main', ]],
            "local conf = bk.config 'conf' { x = 1 }")
        assert.same({ { name = "Z", value = "1" }, { name = "A", value = "$(Z)" } }, made.env)
        assert.same({ { name = "web", containerPort = 80, protocol = "TCP" }, { containerPort = 90, protocol = "TCP" },
            { containerPort = 53, protocol = "UDP" } }, made.ports)
        assert.same({ "/z", "/a", "main" }, { made.volumeMounts[1].mountPath, made.volumeMounts[2].mountPath, made.name })
    end)

    it("has init containers that go on, and sources elsewhere whose names have dots", function()
        local spec = pod("init = { { name = 'log', image = 'l', restart = 'Always' } }, "
            .. "files = { ['/ca'] = bk.existing_config 'kube-root-ca.crt' }, volumes = { ['/d'] = bk.existing_claim 'a.b' }")
        assert.equal("Always", spec.initContainers[1].restartPolicy)
        assert.equal("kube-root-ca.crt", spec.volumes[1].configMap.name)
        assert.equal("a.b", spec.volumes[2].persistentVolumeClaim.claimName)
    end)

    it("has a request or a limit only", function()
        local made = container "resources = { cpu = '100m..', memory = '..1Gi', disk = { request = 1, limit = 2 } }"
        assert.same({ requests = { cpu = "100m", disk = "1" }, limits = { memory = "1Gi", disk = "2" } }, made.resources)
    end)

    it("has selectors of its own, and Services of any names and ports", function()
        local _, made = container([[ports = { http = 8080, metrics = '9090/TCP' }, selector = { app = 'shop' },
            service = { ports = { https = { 443, target = 'http', node_port = 30443, app_protocol = 'https' } } },
            services = { { name = 'web-all', headless = true, publish_not_ready = true, selector = { all = 'yes' },
                ports = { { 80, target = 8080 }, { '53/UDP', target = false } } } }]])
        assert.same({ app = "shop" }, made["Deployment/web"].spec.selector.matchLabels)
        assert.equal("shop", made["Deployment/web"].spec.template.metadata.labels.app)
        assert.same({ { name = "https", port = 443, targetPort = "http", nodePort = 30443, appProtocol = "https",
            protocol = "TCP" } }, made["Service/web"].spec.ports)
        local all = made["Service/web-all"].spec
        assert.same({ { port = 80, targetPort = 8080, protocol = "TCP" }, { port = 53, protocol = "UDP" } }, all.ports)
        assert.same({ "None", true, { all = "yes" } }, { all.clusterIP, all.publishNotReadyAddresses, all.selector })
    end)

    it("has volumes by their names, and parts of configs", function()
        local spec = pod([[pod_volumes = { { tmp = bk.empty_dir() }, 'data', { conf = conf:only { ['b.txt'] = 'b' } } },
            claims = { data = { size = '1Gi', name = 'old' } },
            volumes = { ['/tmp'] = 'tmp', ['/d'] = bk.mount 'data':sub 'x':read_only(), ['/c'] = 'conf',
                ['/h'] = bk.host_path '/h':named 'host':propagation 'HostToContainer' } ]],
            "local conf = bk.config 'conf' { a = 1, b = 2 }")
        assert.same({ { name = "tmp", emptyDir = {} }, { name = "data", persistentVolumeClaim = { claimName = "old" } },
            { name = "conf", configMap = { name = "conf", items = { { key = "b", path = "b.txt" } } } },
            { name = "host", hostPath = { path = "/h", type = "DirectoryOrCreate" } } }, spec.volumes)
        assert.same({ { name = "conf", mountPath = "/c" },
            { name = "data", mountPath = "/d", subPath = "x", readOnly = true },
            { name = "host", mountPath = "/h", mountPropagation = "HostToContainer" },
            { name = "tmp", mountPath = "/tmp" } }, spec.containers[1].volumeMounts)
    end)

    it("has Ingresses to ports by number and paths by host", function()
        local _, made = container([[ports = { http = 80 }, ingress = { name = 'out', class = 'c', rules = {
            { host = 'a', paths = { { ['/z'] = 'http' }, { ['/a'] = { port = 81, path_type = 'Exact' } } } },
            { host = 'b', paths = { ['/'] = { service = 'other', port = 'web' } } } },
            tls = { { hosts = { 'a', 'b' }, secret = 't' } } }]])
        local spec = made["Ingress/out"].spec
        assert.same({ { path = "/z", pathType = "Prefix", backend = { service = { name = "web", port = { name = "http" } } } },
            { path = "/a", pathType = "Exact", backend = { service = { name = "web", port = { number = 81 } } } } },
            spec.rules[1].http.paths)
        assert.same({ name = "other", port = { name = "web" } }, spec.rules[2].http.paths[1].backend.service)
        assert.same({ { hosts = { "a", "b" }, secretName = "t" } }, spec.tls)
    end)

    it("has roles and who has them", function()
        local made = objects([[local me = bk.service_account 'me' {}
            local reader = bk.role 'reader' { rules = { { resources = { 'pods' }, verbs = { 'get' } } }, to = { me } }
            return { me, reader, bk.role_binding 'more' { role = reader, to = { { group = 'g' }, { account = 'a' } } },
                bk.cluster_role_binding 'auth' { cluster_role = 'system:auth-delegator', to = { me } } }]])
        assert.same({ kind = "ServiceAccount", name = "me", namespace = "shop" }, made["RoleBinding/reader"].subjects[1])
        assert.same({ { apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = "g" },
            { kind = "ServiceAccount", name = "a", namespace = "shop" } }, made["RoleBinding/more"].subjects)
        assert.equal("system:auth-delegator", made["ClusterRoleBinding/auth"].roleRef.name)
    end)

    it("may be patched one by one, with what takes away and replaces", function()
        local _, made = container([[ports = { http = 80 }, services = { { name = 'one' }, { name = 'two' } },
            env = { A = 1, B = 2 }, pod = { dnsConfig = { nameservers = { '1.1.1.1' } } }, patch = {
                ['service/two'] = { spec = { type = bk.remove, sessionAffinity = bk.null } },
                deployment = { spec = { template = { spec = { containers = { { name = 'web',
                    env = bk.replace { { name = 'C' } } } } } } } } }]])
        assert.equal("ClusterIP", made["Service/one"].spec.type)
        assert.same({ nil, cjson.null }, { made["Service/two"].spec.type, made["Service/two"].spec.sessionAffinity })
        local spec = made["Deployment/web"].spec.template.spec
        assert.same({ { name = "C" } }, spec.containers[1].env)
        assert.same({ "1.1.1.1" }, spec.dnsConfig.nameservers)
    end)

    it("has Services, claims, policies and namespaces of their own", function()
        local made = objects([[local claim = bk.claim 'shared' { size = '1Gi', modes = { 'ReadWriteMany' } }
            return { claim, bk.job 'j' { image = 'i', volumes = { ['/x'] = bk.existing_claim(claim) } },
                bk.service 's' { selector = { a = 'b' }, ports = { http = { 80, target = 8080 } } },
                bk.network_policy 'none' { from = {} }, bk.namespace 'more' {},
                bk.secret 'p' { a = 'b' }:type 'kubernetes.io/basic-auth':plain() }]])
        assert.equal("shared", made["Job/j"].spec.template.spec.volumes[1].persistentVolumeClaim.claimName)
        assert.same({ a = "b" }, made["Service/s"].spec.selector)
        assert.same({ podSelector = {}, policyTypes = { "Ingress" } }, made["NetworkPolicy/none"].spec)
        assert.is_table(made["Namespace/more"])
        assert.same({ { a = "b" }, "kubernetes.io/basic-auth" }, { made["Secret/p"].stringData, made["Secret/p"].type })
    end)
end)

describe("a mistake", function()
    --- Rows: from line 2 on, the line of the mistake, what is said.
    local rows = {
        { "return { bk.deployment 'web' {} }", 2, "component 'web': no image; give image" },
        { "return { bk.deployment 'web' { image = '' } }", 2, "component 'web': '' is no image" },
        { "return {\nbk.deployment 'web' { image = 'i', replica = 2 } }", 3,
            "component 'web': no field 'replica'; did you mean 'replicas'%?" },
        { "return { bk.deployment 'web' { image = 'i', replicas = '2' } }", 2,
            "'replicas' should be a whole number from 0 on, not '2'" },
        { "return { bk.deployment 'web' { image = 'i', replicas = 1.5 } }", 2, "'replicas' should be a whole number" },
        { "return { bk.deploymnt 'web' {} }", 2, "bk has no 'deploymnt'; did you mean 'deployment'%?" },
        { "return { bk.deployment 'Web' { image = 'i' } }", 2, "component name 'Web': wants at most 63 of a%-z" },
        { "return { bk.deployment 'web' { image = 'i', resources = { memory = '1GB' } } }", 2,
            "resources.memory should be a quantity such as 500m, 2 or 1.5Gi, or a range such as 500m..2, not '1GB'" },
        { "return { bk.deployment 'web' { image = 'i', resources = { cpu = '..' } } }", 2, "resources.cpu should be" },
        { "return { bk.deployment 'web' { image = 'i', grace_period = '10x' } }", 2,
            "'grace_period' should be a duration such as 10s, 5m or 1h, not '10x'" },
        { "return { bk.deployment 'web' { image = 'i',\nliveness = bk.http { path = '/', perod = '1s' } } }", 3,
            "bk.http: no field 'perod'; did you mean 'period'%?" },
        { "return { bk.deployment 'web' { image = 'i', ports = { a = 1, b = 2 },\nliveness = bk.http '/' } }", 3,
            "the probe needs a port; the container has a, b" },
        { "return { bk.deployment 'web' { image = 'i', ports = { web = 1 },\nliveness = bk.tcp 'wbe' } }", 3,
            "the probe's port 'wbe' is not one of the container's; did you mean 'web'%?" },
        { "return { bk.deployment 'web' { image = 'i', ports = { http = 0 } } }", 2,
            "port 'http' should be a whole number from 1 to 65535, or one with its protocol as \"53/UDP\", not 0" },
        { "return { bk.deployment 'web' { image = 'i', ports = { 80, http = 81 } } }", 2,
            "'ports' should be a table { name = value }, or a list, not both in one" },
        { "return { bk.deployment 'web' { image = 'i', env = { 'A' } } }", 2, "'env' should be a table { name = value }, or a list" },
        { "return { bk.deployment 'web' { image = 'i', meta = { label = {} } } }", 2, "meta: no field 'label'; did you mean" },
        { "return { bk.deployment 'web' { image = 'i', meta = { name = 'a/b' } } }", 2, "meta: 'name' should be the name of an" },
        { "return { bk.config 'c' {}:meta { labels = 1 } }", 2, "config 'c': meta: 'labels' should be a table" },
        { "return { bk.deployment 'web' { image = 'i', volumes = { ['/d'] = 'data' } } }", 2,
            "what is mounted at /d should be a volume, or the name of one of its pod_volumes or claims, not 'data'" },
        { "return { bk.deployment 'web' { image = 'i', pod_volumes = { a = 'b' } } }", 2, "pod_volumes: a should be a volume" },
        { "return { bk.deployment 'web' { image = 'i', volumes = { ['/a'] = bk.empty_dir():named 'x', "
            .. "['/b'] = bk.host_path '/b':named 'x' } } }", 2, "two of its volumes are named 'x'" },
        { "return { bk.deployment 'web' { image = 'i', ports = { http = 80 }, services = { { headless = true }, {} } } }", 2,
            "services%[2%]: no 'name', which tells it from the other Services" },
        { "return { bk.deployment 'web' { image = 'i', ports = { http = 80 }, service = { ports = { htp = 80 } } } }", 2,
            "service port 'htp' is none of the component's; did you mean 'http'%?" },
        { "return { bk.deployment 'web' { image = 'i', ports = { http = 80 }, service = { ports = { x = { 80, port = 1 } } } } }",
            2, "service port 'x': no field 'port'" },
        { "return { bk.deployment 'web' { image = 'i', network = { from = {}, ingress = {} } } }", 2,
            "network: has from beside ingress; write one or the other" },
        { "return { bk.role_binding 'r' { to = {} } }", 2, "role binding 'r': wants either a role or a cluster_role" },
        { "return { bk.role 'r' { to = { {} } } }", 2, "role 'r': to%[1%]: wants a user, a group or an account" },
        { "return { bk.config 'c' { a = 1 }:only { 'b' } }", 2, "config 'c': no key 'b'" },
        { "return { bk.deployment 'web' { image = 'i', volumes = { ['/d'] = bk.volume { a = {}, b = {} } } } }", 2,
            "bk.volume wants one source" },
        { "return { bk.deployment 'web' { image = 'i', ports = { HTTP = 80 } } }", 2, "'HTTP' is no port name" },
        { "local c = bk.config 'c' { level = 'x' }\nreturn { bk.deployment 'web' { image = 'i', env = { A = c:key 'lvl' } } }",
            3, "config 'c': no key 'lvl'" },
        { "return { bk.deployment 'web' { image = 'i', env = { A = {} } } }", 2, "env A should be a string, number" },
        { "return { bk.deployment 'web' { image = 'i', env = { ['1A'] = 1 } } }", 2, "'1A' is no name of a variable" },
        { "return { bk.deployment 'web' { image = 'i', env_from = { 'conf' } } }", 2,
            "'env_from' should be a list, each a bk.config or bk.secret" },
        { "return { bk.deployment 'web' { image = 'i', needs = { 'db' } } }", 2, "'needs' should be a list, each a component" },
        { "local db = bk.statefulset 'db' { image = 'i' }\nreturn { bk.deployment 'web' { image = 'i', needs = { db } } }",
            3, "component 'web' needs 'db' %([^)]+profile.lua:2%), which the profile does not list" },
        { "local job = bk.job 'j' { image = 'i' }\nreturn { bk.deployment 'web' { image = 'i', env = { H = job.host } } }",
            3, "component 'j' has no service, so it has no host" },
        { "local w = bk.deployment 'web' { image = 'i' }\nreturn { w,\nbk.job 'web' { image = 'i' } }", 4,
            "component 'web' stands twice; the other one is at [^ ]+:2" },
        { "return { bk.deployment 'web' { image = 'i', ingress = { host = 'h' } } }", 2,
            "ingress leads to port 'http', which the component does not have" },
        { "return { bk.deployment 'web' { image = 'i', ports = { http = 1 }, ingress = { tls = 't' } } }", 2,
            "ingress with tls needs a host" },
        { "return { bk.deployment 'web' { image = 'i', service = true } }", 2, "a service needs ports" },
        { "return { bk.statefulset 'db' { image = 'i', claims = { data = { path = '/d' } } } }", 2,
            "claim 'data': no 'size'" },
        { "return { bk.deployment 'web' { image = 'i', files = { ['etc'] = bk.config 'c' {} } } }", 2,
            "files: 'etc' is no absolute path" },
        { "return { bk.deployment 'web' { image = 'i', files = { ['/etc'] = 'text' } } }", 2,
            "the file /etc should come from a config or secret" },
        { "return { bk.deployment 'web' { image = 'i', volumes = { ['/d'] = '/d' } } }", 2,
            "what is mounted at /d should be a volume" },
        { "return { bk.config 'c' { a = {} } }", 2, "config 'c': 'a' should be a string, number or boolean" },
        { "return { bk.config 'c' { a = '\\xff' } }", 2, "config 'c': 'a' is not text" },
        { "return { bk.deployment 'web' { image = 'i', env = { A = 'a\\0b' } } }", 2, "env A is not text" },
        { "return { bk.config '日志' {} }", 2, "config name '日志': wants at most 63" },
        { "return { bk.config(('a'):rep(64)) {} }", 2, "config name a string: wants at most 63" },
        { "return { bk.config 'c' { a = bk.read 'files/large' } }", 2, "files/large: not a file of at most 1 MiB" },
        { "return { bk.config 'c' { ['a b'] = 1 } }", 2, "config 'c': 'a b' is no key" },
        { "return { bk.raw 'r' { { kind = 'A' } } }", 2, "object 1 lacks apiVersion, kind or metadata.name" },
        { "return { bk.config 'c' { a = bk.read 'files/other' } }", 2, "no file 'files/other' below the profile's folder" },
        { "return { bk.config 'c' { a = bk.read '../../../Makefile' } }", 2, "lies outside the profile's folder" },
        { "bk.fail('only %s', 'so')", 2, "only so" },
        { "return { bk.cronjob 'c' { image = 'i', schedule = 'daily' } }", 2, "schedule should have five fields" },
        { "return { bk.deployment 'web' { image = 'i', scale = { min = 5, max = 2, cpu = '1%' } } }", 2,
            "scale: min 5 is above max 2" },
        { "return { bk.deployment 'web' { image = 'i', replicas = 1, scale = { max = 2, cpu = '70%' } } }", 2,
            "has both replicas and scale" },
        { "return { bk.deployment 'web' { image = 'i', disruption = {} } }", 2,
            "wants either min_available or max_unavailable" },
        { "return { bk.deployment 'web' { image = 'i', patch = { servce = {} } } }", 2, "patch: it has no 'servce'" },
        { "return { bk.external 'db' {} }", 2, "external 'db': wants either a host or addresses" },
        { "return { bk.raw 'a' { ready = 'soon' } }", 2, "component 'a': 'ready' should be a function of the live object" },
        { "local lamp = bk.crd 'lamps.example.com' { kind = 'Lamp', versions = { v1 = { type = 'object' } },\n"
            .. "ready = {} }\nreturn { lamp }", 3, "crd 'lamps.example.com': 'ready' should be a function of the live" },
        { "local lamp = bk.crd 'lamps.example.com' { kind = 'Lamp', versions = { v1 = { type = 'object' } } }\n"
            .. "return { lamp, lamp:resource 'one' { ready = 1 } }", 3, "resource 'one': 'ready' should be a function" },
        { "return { bk.crd 'lamps' { kind = 'Lamp', versions = {} } }", 2, "crd name 'lamps': wants plural.group" },
        { "return { bk.deployment 'web' { image = 'i', files = { ['/a'] = bk.config 'c' {}:mode 'rw' } } }", 2,
            "mode wants permissions such as '0400', not 'rw'" },
        { "return { bk.deployment 'web' { image = 'i', spread = {} } }", 2, "spread: no 'key'" },
        { "return { bk.persistent_volume 'p' { size = '1Gi' } }", 2, "persistent volume 'p': no 'source'" },
        { "return { bk.deployment 'web' { image = 'i', init = { { image = 'i' } } } }", 2, "init: container 1 has no name" },
    }
    for _, row in ipairs(rows) do
        it("is told at its line: " .. row[3], function()
            local run = evaluate(row[1])
            assert.equal(2, run.code)
            assert.equal("error", support.ending(run.out).type)
            assert.matches("^bkdeploy: build/tmp/%w+/profile.lua:" .. row[2] .. ": .*" .. row[3], run.err)
        end)
    end

    it("in the list itself is told", function()
        local run = evaluate "return { 'web' }"
        assert.matches("profile 'shop': item 1 of its components is 'web', not a component", run.err)
    end)
end)
