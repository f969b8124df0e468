-- Imported from in.yaml (17 objects).
local bk = require "bk"

local operator = bk.service_account "operator" {
    rules = { { resources = { "configmaps" }, verbs = { "get", "update" } } },
}

local ops_nodes = bk.cluster_role "ops-nodes" {
    meta = { name = "ops:nodes" },
    rules = { { resources = { "nodes" }, verbs = { "list", "watch" } }, { urls = { "/metrics" }, verbs = { "get" } } },
    to = { operator, { group = "admins" } },
}

local all_views = bk.cluster_role "all-views" {
    rules = bk.array {},
    aggregate = { { matchLabels = { view = "true" } } },
}

local auth_reader = bk.role_binding "auth-reader" {
    meta = { namespace = "kube-system" },
    role = "extension-apiserver-authentication-reader",
    to = { operator },
}

local fast = bk.storage_class "fast" {
    provisioner = "csi.example.com",
    parameters = { type = "ssd" },
    reclaim = "Retain",
    binding = "WaitForFirstConsumer",
    expansion = true,
    default = true,
}

local disk_1 = bk.persistent_volume "disk-1" {
    nodes = { ["kubernetes.io/hostname"] = "node-1" },
    size = "100Gi",
    class = fast,
    modes = { "ReadWriteOnce" },
    source = bk.volume { ["local"] = { path = "/disks/1" } },
    reclaim = "Retain",
}

local shared = bk.claim "shared" { size = "1Gi", class = fast, modes = { "ReadWriteMany" } }
local high = bk.priority_class "high" { default = false, value = 1000000, description = "Before all others" }
local quota = bk.quota "quota" { hard = { pods = "50", ["requests.cpu"] = "10" } }
local limits = bk.limits "limits" { container = { default = { cpu = "1" }, request = { cpu = "100m" } } }

local lamps_example_com = bk.crd "lamps.example.com" {
    kind = "Lamp",
    list = "LampList",
    singular = "lamp",
    short = { "lp" },
    versions = {
        v1 = {
            type = "object",
            properties = {
                spec = {
                    type = "object",
                    properties = { lit = { type = "boolean" }, share = { type = "number", maximum = 0.5 } },
                },
            },
        },
    },
    columns = { v1 = { { name = "Lit", type = "boolean", jsonPath = ".spec.lit" } } },
    status = true,
}

local hall = lamps_example_com:resource "hall" { spec = { lit = true, share = 0.25 } }
local mail = bk.external "mail" { host = "smtp.example.com" }

local etcd = bk.service "etcd" {
    meta = { namespace = "kube-system" },
    selector = { component = "etcd" },
    ports = { metrics = 2381 },
    headless = true,
}

return bk.profile "in" {
    bare = true,
    namespace = "ops",
    components = {
        operator, ops_nodes, all_views, auth_reader, fast, disk_1, shared, high, quota, limits, lamps_example_com, hall,
        mail, etcd,
    },
}
