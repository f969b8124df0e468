-- Imported from in.yaml (9 objects).
local bk = require "bk"

local mysql_conf = bk.config "mysql-conf" { ["my.cnf"] = "[mysqld]\r\nmax_connections = 500\r\n" }

local mysql = bk.statefulset "mysql" {
    meta = { labels = { ["app.kubernetes.io/name"] = "mysql" } },
    selector = { ["app.kubernetes.io/name"] = "mysql" },
    image = "mysql:8.4",
    replicas = 3,
    strategy = "RollingUpdate",
    pod_management = "Parallel",
    ports = { mysql = 3306 },
    volumes = {
        { ["/var/lib/mysql"] = bk.mount "data":sub "mysql" },
        { ["/etc/mysql/conf.d"] = mysql_conf:only { "my.cnf" }:mode "0644":named "conf":read_only() },
        {
            ["/var/run/token"] = bk.projected {
                bk.token { audience = "vault", expires = "1h" },
                bk.existing_config "kube-root-ca.crt":only { "ca.crt" },
            }:mode "0440":named "token",
        },
    },
    claims = { data = { size = "50Gi", class = "fast", modes = { "ReadWriteOnce" } } },
    resources = { cpu = { limit = 2, request = 1 }, memory = "1Gi" },
    readiness = bk.exec { command = { "mysqladmin", "ping" }, timeout = "5s" },
    init = {
        {
            name = "own",
            image = "busybox:1.36",
            command = { "sh", "-c", "chown -R 1001 /data" },
            volumes = { ["/data"] = "data" },
        },
    },
    service = { type = "ClusterIP", ports = { mysql = "3306/TCP" }, sticky = true },
    services = { { name = "mysql-headless", headless = true, publish_not_ready = true } },
}

local agent = bk.daemonset "agent" {
    meta = { namespace = "monitoring" },
    image = "agent:1",
    strategy = { max_unavailable = "10%" },
    ports = { metrics = 9100 },
    host_ports = { metrics = 9100 },
    volumes = { ["/host"] = bk.mount "root":propagation "HostToContainer":read_only(), ["/var/log"] = "logs" },
    security = { privileged = true },
    pod_volumes = { logs = bk.host_path("/var/log", "Directory"), root = bk.host_path "/" },
    host_network = true,
    host_pid = true,
    dns_policy = "ClusterFirstWithHostNet",
    node_selector = { ["kubernetes.io/os"] = "linux" },
    tolerations = { { operator = "Exists" } },
    service = false,
}

local worker = bk.deployment "worker" {
    image = "worker:1",
    scale = { name = "worker-scaler", min = 2, max = 10, cpu = "70%" },
    resources = { cpu = "500m.." },
}

local migrate = bk.job "migrate" {
    meta = { annotations = { ["helm.sh/hook"] = "pre-upgrade" } },
    image = "worker:1",
    command = { "migrate" },
    backoff_limit = 2,
    ttl = "10m",
    restart = "Never",
}

local clean = bk.cronjob "clean" {
    labels = { app = "clean" },
    image = "worker:1",
    args = { "clean" },
    schedule = "*/5 * * * *",
    concurrency = "Forbid",
    keep_successful = 1,
    deadline = "5m",
    restart = "OnFailure",
}

return bk.profile "in" {
    bare = true,
    components = { mysql_conf, mysql, agent, worker, migrate, clean },
}
