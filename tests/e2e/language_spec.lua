local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

-- Every word of the language that makes an object, in one profile.
local everything = [[
    local conf = bk.config "conf" { level = "INFO" }:hashed():immutable()
    local pass = bk.secret "pass" { password = "p" }
    local me = bk.service_account "me" { rules = { { resources = { "pods" }, verbs = { "get" } } },
        cluster_rules = { { resources = { "nodes" }, verbs = { "list" } } } }
    local high = bk.priority_class "every-high" { value = 1000, description = "of a test" }
    local class = bk.storage_class "every-slow" { binding = "Immediate" }
    local disk = bk.persistent_volume "every-disk" { size = "1Gi", source = bk.host_path "/disks/1", class = class,
        nodes = { ["kubernetes.io/hostname"] = "node-1" } }
    local lamp = bk.crd "lights.example.com" { kind = "Light", short = { "li" }, status = true, versions = { v1 = {
        type = "object", properties = { spec = { type = "object", properties = { on = { type = "boolean" } } } } } } }
    local db = bk.statefulset "db" { image = "db:1", ports = { sql = 3306, dns = "53/UDP" }, keep_claims = { scaled = false },
        claims = { data = { size = "1Gi", path = "/d", class = class, volume = disk } }, min_ready = "1s",
        network = { from = { "monitoring", bk.cidr "10.0.0.0/8" }, to = {} }, strategy = "RollingUpdate" }
    local web = bk.deployment "web" {
        image = "web:1", ports = { http = 80 }, service_account = me, priority_class = high, token = false,
        scale = { min = 1, max = 3, cpu = "70%" }, disruption = { max_unavailable = 1 },
        resources = { cpu = "100m..1", memory = "64Mi" }, env = { DB = db.host, IP = bk.field "status.podIP" },
        env_from = { conf }, files = { ["/etc/conf"] = conf:mode "0440", ["/etc/pass"] = pass:key "password":mode "0400" },
        volumes = { ["/tmp"] = bk.empty_dir { memory = true }, ["/all"] = bk.projected { conf, pass:key "password",
            bk.token { audience = "a", expires = "1h" }, name = bk.field "metadata.name" } },
        nodes = { ["kubernetes.io/os"] = "linux" }, prefer_nodes = { ["kubernetes.io/arch"] = "amd64" },
        apart = "kubernetes.io/hostname", spread = { key = "topology.kubernetes.io/zone", max_skew = 2 },
        init = { { name = "init", image = "i:1", command = { "true" } } },
        sidecars = { { name = "side", image = "s:1", readiness = bk.tcp { port = 1 } } },
        containers = { { name = "twin", image = "t:1" } },
        pre_stop = { "sleep", "5" }, post_start = bk.http "/warm", security = { runAsUser = 1000 },
        service = { type = "NodePort", sticky = true }, strategy = { max_surge = 1, max_unavailable = "25%" },
        ingress = { hosts = { "a.example.com", "b.example.com" }, paths = { ["/"] = "http" }, tls = "some-tls" },
        patch = { deployment = { metadata = { annotations = { patched = "yes" } } } },
    }
    return {
        web, db, me, high, class, disk, pass,
        bk.cronjob "clean" { image = "c:1", schedule = "0 3 * * *", concurrency = "Forbid", time_zone = "Asia/Shanghai" },
        bk.daemonset "agent" { image = "a:1", host_network = true, ports = { metrics = 9100 }, host_ports = { metrics = 9100 },
            strategy = { max_unavailable = "50%" }, tolerations = { { operator = "Exists" } } },
        bk.external "mail" { host = "mail.example.com" },
        bk.external "cache" { addresses = { "10.0.0.5" }, ports = { redis = 6379 } },
        bk.ingress "public" { hosts = { "c.example.com" }, paths = { ["/"] = web, ["/web"] = web } },
        bk.quota "quota" { hard = { pods = 50 } }, bk.limits "limits" { container = { default = { cpu = "1", memory = "1Gi" } } },
        lamp, lamp:resource "hall" { spec = { on = true } },
    }]]

describe("every word of the language", function()
    it("is accepted by the API server, comes up, and is left as it is", function()
        local folder = profile("every", everything)
        local run = on_cluster("apply", folder, "--timeout", "60s")
        assert.equal(0, run.code, run.err)
        assert.equal("1", kubectl "get deployment web -n every -o 'jsonpath={.status.readyReplicas}'")
        assert.equal("3", kubectl "get daemonset agent -n every -o 'jsonpath={.status.numberReady}'")
        assert.equal("Bound every-disk", kubectl
            "get pvc data-db-0 -n every -o 'jsonpath={.status.phase} {.spec.volumeName}'")
        assert.equal("true", kubectl "get light hall -n every -o 'jsonpath={.spec.on}'")
        run = on_cluster("apply", folder, "-o", "json")
        assert.equal(0, run.code, run.err)
        local report = support.ending(run.out)
        assert.same({ 0, 0 }, { report.objects.created, report.objects.changed })
    end)
end)

describe("an environment", function()
    local function pinned(cluster)
        return support.folder({ ["profile.lua"] = ([[local bk = require "bk"
            return bk.profile "pinned" { default = "dev", environments = { dev = { cluster = bk.cluster { %s } } },
                components = { bk.config "c" { a = 1 } } }]]):format(cluster) })
    end

    it("may be pinned to its cluster", function()
        local server = support.read(support.kubeconfig):match "server: (%S+)"
        local uid = kubectl "get namespace kube-system -o 'jsonpath={.metadata.uid}'"
        local run = on_cluster("apply", pinned(("server = %q, context = 't*', uid = %q"):format(server .. "/", uid)))
        assert.equal(0, run.code, run.err)
        for field, message in pairs {
            ["server = 'https://prod.example.com'"] = "belongs to the server https://prod.example.com, but context 'test' is",
            ["context = 'prod-*'"] = "belongs to contexts 'prod%-%*', not 'test'",
            ["uid = 'a-b-c'"] = "whose kube%-system has uid a%-b%-c; that of context 'test'",
        } do
            run = on_cluster("apply", pinned(field))
            assert.equal(2, run.code)
            assert.matches("profile.lua:2: environment 'dev' .*" .. message, run.err)
        end
    end)
end)

describe("a config named by its content", function()
    it("keeps its earlier content while an earlier revision refers to it", function()
        local function hashed(level)
            return profile("hashed", ([[
                local conf = bk.config "conf" { level = "%s" }:hashed()
                return { bk.deployment "web" { image = "i:1", env_from = { conf }, %s } }]]):format(level,
                level == "STUCK" and "node_selector = { no = 'where' }" or ""))
        end
        local function count()
            return select(2, kubectl("get configmap -n hashed -l bkdeploy/content-of=conf -o name"):gsub("\n", ""))
        end
        assert.equal(0, on_cluster("apply", hashed "INFO").code)
        assert.equal(1, count())
        -- A rollout that does not get through leaves the old pods with what they read.
        assert.equal(5, on_cluster("apply", hashed "STUCK", "--timeout", "1s").code)
        assert.equal(2, count())
        local run = on_cluster("apply", hashed "DEBUG")
        assert.equal(0, run.code, run.err)
        assert.matches("1 created, 1 changed, 1 unchanged", run.err)
        assert.equal(3, count())
        kubectl "delete replicaset -n hashed -l app.kubernetes.io/name=web --wait"
        run = on_cluster("apply", hashed "DEBUG")
        assert.equal(0, run.code, run.err)
        assert.matches("2 deleted", run.err)
        assert.equal("DEBUG", kubectl "get configmap -n hashed -l bkdeploy/content-of=conf -o 'jsonpath={.items[*].data.level}'")
    end)
end)

describe("a CRD", function()
    local function bulbs(field, value)
        return profile("bulbs", ([[
            local bulb = bk.crd "bulbs.example.com" { kind = "Bulb", versions = { v1 = { type = "object", properties = {
                spec = { type = "object", properties = { %s = { type = "integer" } } } } } } }
            return { bulb, bulb:resource "one" { spec = { %s = 1 } } }]]):format(field, value))
    end

    it("that learns a field lets its resources have it in the same apply", function()
        assert.equal(0, on_cluster("apply", bulbs("watt", "watt")).code)
        local run = on_cluster("apply", bulbs("lumen", "lumen"))
        assert.equal(0, run.code, run.err)
        assert.equal("1", kubectl "get bulb one -n bulbs -o 'jsonpath={.spec.lumen}'")
    end)

    it("that stays as it is has its resources refused before anything is applied", function()
        assert.equal(0, on_cluster("apply", bulbs("lumen", "lumen")).code)
        local run = on_cluster("apply", bulbs("lumen", "lumens"))
        assert.equal(2, run.code)
        assert.matches("Bulb/one spec.lumens: .*did you mean.*nothing was sent\n$", run.err)
    end)
end)

describe("what a profile requires", function()
    local function with(fields)
        return support.folder({ ["profile.lua"] = ("return require('bk').profile 'needy' { %s, components = {} }"):format(fields) })
    end

    it("is looked for on the cluster, by what bkdeploy and helm leave there", function()
        local base = support.folder({ ["profile.lua"] = "return require('bk').profile 'base' { version = '1.12.3', "
            .. "components = {} }" })
        assert.equal(0, on_cluster("apply", base).code)
        kubectl "create namespace charted"
        kubectl "create deployment charted -n charted --image=i:1 --replicas=0"
        kubectl "label deployment charted -n charted app.kubernetes.io/instance=charted helm.sh/chart=charted-2.0.1"
        local run = on_cluster("apply", with "requires = { 'base ^1.12.0', 'none ^1.0 or charted ~2.0' }")
        assert.equal(0, run.code, run.err)
        run = on_cluster("apply", with "requires = { 'base ^1.13.0' }")
        assert.equal(2, run.code)
        assert.matches("profile.lua:1: profile 'needy' needs base %^1.13.0; the cluster has base 1.12.3\n$", run.err)
        run = on_cluster("apply", with "requires = { 'none ^1.0 or charted >=3' }")
        assert.equal(2, run.code)
        assert.matches("needs none %^1.0 or charted >=3; the cluster has no none, charted 2.0.1\n$", run.err)
    end)
end)
