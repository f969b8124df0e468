-- The collector on every node: bkunifylogbeat, and the sidecar that writes its configuration from BkLogConfigs.
local bk = require "bk"

local text, flag, whole = { type = "string" }, { type = "boolean" }, { type = "integer", format = "int64" }

local function list(items)
    return { type = "array", items = items }
end

local function object(properties, required)
    return { type = "object", properties = properties, required = required }
end

local texts = { type = "object", additionalProperties = text }
local selector = object { matchLabels = texts, matchExpressions = list(
    object({ key = text, operator = text, values = list(text) }, { "key", "operator" })) }

-- The schema of the newest sidecar. One that lacks a field prunes it from every BkLogConfig: then a collector takes
-- more than it was told. So the CRD is brought along, and the objects are sent with strict validation.
local spec = object {
    dataId = whole, logConfigType = text, input = text, path = list(text), exclude_files = list(text), encoding = text,
    package = flag, packageCount = whole, scanFrequency = text, closeInactive = text, ignoreOlder = text,
    cleanInactive = text, delimiter = { type = "string", nullable = true },
    multiline = { type = "object", nullable = true, properties = {
        pattern = { type = "string", nullable = true }, maxLines = { type = "integer", nullable = true },
        timeout = { type = "string", nullable = true } } },
    extMeta = texts, allContainer = flag, namespace = text,
    namespaceSelector = object { any = flag, matchNames = list(text), excludeNames = list(text) },
    workloadType = text, workloadName = text, containerNameMatch = list(text), containerNameExclude = list(text),
    labelSelector = selector, annotationSelector = selector,
    filters = list(object { conditions = list(object { index = text, key = text, op = text }) }),
    addPodLabel = flag, addPodAnnotation = flag, isBcsConfig = flag,
    extOptions = { type = "object", ["x-kubernetes-preserve-unknown-fields"] = true },
}

return function(env)
    local crd = bk.crd "bklogconfigs.bk.tencent.com" {
        kind = "BkLogConfig", status = true,
        versions = { v1alpha1 = object { spec = spec, status = { type = "object" } } },
    }
    local account = bk.service_account "bk-log-sidecar" { cluster_rules = {
        { groups = { "bk.tencent.com" }, resources = { "bklogconfigs" }, verbs = { "*" } },
        { groups = { "bk.tencent.com" }, resources = { "bklogconfigs/finalizers" }, verbs = { "update" } },
        { groups = { "bk.tencent.com" }, resources = { "bklogconfigs/status" }, verbs = { "get", "patch", "update" } },
        { resources = { "pods", "nodes" }, verbs = { "get", "list", "watch" } },
    } }
    local conf = bk.config "bk-log-bkunifylogbeat" { ["bkunifylogbeat.conf"] = bk.read "files/bkunifylogbeat.conf" }
    local resources = { cpu = "100m..1", memory = "200Mi..2Gi" }
    local work, sub = bk.host_path "/var/lib/bkunifylogbeat", bk.empty_dir()
    local collector = bk.daemonset "bk-log-collector" {
        image = "hub.bktencent.com/blueking/bkunifylogbeat:" .. env.collector_tag, resources = resources,
        command = { "/bin/bkunifylogbeat", "-c", "/data/etc/bkunifylogbeat.conf", "-httpprof", "127.0.0.1:6060" },
        labels = { name = "bkunifylogbeat-bklog" }, service_account = account, needs = { crd },
        files = { ["/data/etc/bkunifylogbeat.conf"] = conf:key "bkunifylogbeat.conf" },
        volumes = {
            ["/data"] = work, ["/data/etc/bkunifylogbeat"] = sub,
            ["/etc/localtime"] = bk.host_path("/etc/localtime", ""),
        },
        tolerations = { { key = "node-role.kubernetes.io/master", operator = "Exists", effect = "NoSchedule" } },
        security = { runAsUser = 0 }, grace_period = "30s",
        patch = { daemonset = { spec = { template = { spec = { shareProcessNamespace = true } } } } },
        containers = { {
            name = "bklogsidecar", image = "hub.bktencent.com/blueking/bk-log-sidecar:" .. env.collector_tag,
            resources = resources,
            args = { "--bkunifylogbeat-config=/data/etc/bkunifylogbeat", "--host-path=/var/host/",
                "--bkunifylogbeat-pid-file=/data/run/bkunifylogbeat.pid" },
            env = {
                MY_NODE_NAME = bk.field "spec.nodeName", MY_POD_NAME = bk.field "metadata.name",
                MY_POD_NAMESPACE = bk.field "metadata.namespace",
            },
            volumes = { ["/data"] = work, ["/data/etc/bkunifylogbeat"] = sub, ["/var/host"] = bk.host_path("/", "") },
        } },
    }
    local parts = { crd, account, collector }
    -- BK LOG's own output. Upper case: the platform's form refuses "utf-8", which the sidecar would take.
    parts[4] = env.self_log and crd:resource "bk-log-search-self" { spec = {
        dataId = 1110026, logConfigType = "std_log_config", encoding = "UTF-8", addPodLabel = true,
        namespaceSelector = { matchNames = { env.namespace } },
        labelSelector = { matchLabels = { ["app.kubernetes.io/part-of"] = "bklog" } },
    } } or nil
    return parts
end
