-- Imported from in.yaml (11 objects).
-- It holds values of Secrets as text: bk.input or bk.generated can stand for them.
local bk = require "bk"

local shop_namespace = bk.namespace "shop-namespace" {
    meta = { name = "shop", labels = { ["pod-security.kubernetes.io/enforce"] = "baseline" } },
}

local registry = bk.secret "registry" { [".dockerconfigjson"] = "{\"auths\":{}}" }:type "kubernetes.io/dockerconfigjson"

local shop_config = bk.config "shop-config" {
    LOG_LEVEL = "info",
    ["nginx.conf"] = [=[
server {
  listen 8080;
  location / { return 200 "[[ok]]"; }
}
]=],
}

local shop_secret = bk.secret "shop-secret" { empty = "", password = "password" }:type "Opaque"

local shop = bk.deployment "shop" {
    meta = { labels = { app = "shop", tier = "frontend" } },
    labels = { tier = "frontend" },
    annotations = { ["prometheus.io/scrape"] = "true" },
    image = "shop:1.4.2",
    pull_policy = "IfNotPresent",
    args = { "--port", "8080" },
    replicas = 3,
    strategy = { max_surge = 1, max_unavailable = 0 },
    revision_history = 3,
    ports = { http = 8080, metrics = "9100/TCP" },
    env_from = { shop_config, bk.existing_config "optional":optional():prefix "OPT_" },
    env = {
        { HOST = "shop.example.com" },
        { DATABASE_URL = "mysql://user:$(PASSWORD)@db:3306/shop" },
        { PASSWORD = shop_secret:key "password" },
        { POD_IP = bk.field "status.podIP" },
        { MEMORY = bk.resource("limits.memory", { container = "shop", divisor = "1Mi" }) },
    },
    volumes = { ["/etc/nginx/nginx.conf"] = bk.mount "config":sub "nginx.conf", ["/tmp"] = "tmp" },
    claims = {
        uploads = {
            labels = bk.replace {},
            size = "5Gi",
            class = "fast",
            modes = { "ReadWriteOnce" },
            path = "/uploads",
        },
    },
    resources = { cpu = "100m..1", memory = "128Mi..512Mi" },
    startup = bk.http { path = "/up", period = "10s", failure = 30 },
    liveness = bk.tcp { port = 8080, period = "20s" },
    readiness = bk.http { path = "/ready", headers = { Host = "shop.example.com" }, initial_delay = "5s" },
    pre_stop = { "sleep", "5" },
    security = { capabilities = { drop = { "ALL" } }, readOnlyRootFilesystem = true },
    init = {
        { name = "migrate", image = "shop:1.4.2", command = { "manage.py", "migrate" }, env_from = { shop_secret } },
        { name = "log", image = "fluent-bit:3", restart = "Always" },
    },
    containers = { { name = "exporter", image = "exporter:2", ports = { 9113 }, liveness = bk.exec { "true" } } },
    pod_volumes = { { config = shop_config }, { tmp = bk.empty_dir { size = "1Gi" } }, "uploads" },
    service_account = "default",
    pull_secrets = { "registry" },
    pod_security = { fsGroup = 1000, runAsNonRoot = true },
    grace_period = "90s",
    apart = "kubernetes.io/hostname",
    spread = "topology.kubernetes.io/zone",
    service = { ports = { http = 80, metrics = "9100/TCP" } },
    ingress = {
        annotations = { ["cert-manager.io/cluster-issuer"] = "letsencrypt" },
        class = "nginx",
        hosts = { "shop.example.com", "www.shop.example.com" },
        paths = { ["/"] = "http", ["/metrics"] = { port = 9100, path_type = "Exact" } },
        path_type = "Prefix",
        tls = "shop-tls",
    },
    disruption = { max_unavailable = 1 },
    network = {
        name = "shop-from",
        labels = bk.replace {},
        ingress = {
            {
                ports = { { port = 8080, protocol = "TCP" } },
                from = {
                    { namespaceSelector = { matchLabels = { ["kubernetes.io/metadata.name"] = "ingress-nginx" } } },
                },
            },
        },
    },
    patch = { deployment = { metadata = { annotations = { ["example.com/team"] = "red" } } } },
}

local default_deny = bk.network_policy "default-deny" { types = { "Ingress", "Egress" } }

return bk.profile "in" {
    bare = true,
    namespace = "shop",
    components = { shop_namespace, registry, shop_config, shop_secret, shop, default_deny },
}
