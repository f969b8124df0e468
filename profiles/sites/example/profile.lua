-- A site: BK LOG as it runs in one data centre, with what is different there.
--
--   bkdeploy apply profiles/sites/example
--
-- `bklog` is the profile beside the folder `sites`. Its secrets are in the namespace already, as bklog-site.
local bk = require "bk"

-- A pin keeps an environment to its cluster: bk.cluster { server = "https://k8s.dc1.example.net:6443" }.
return bk.extend "bklog" {
    default = "dc1",
    environments = {
        dc1 = {
            base = "prod", namespace = "bklog-dc1", host = "logs.dc1.example.net",
            paas_url = "https://paas.dc1.example.net", api_url = "https://bkapi.dc1.example.net",
            mysql_host = "mysql.dc1.example.net", secret = "bklog-site", servers = 2,
        },
    },
    images = {
        ["hub.bktencent.com/"] = "registry.dc1.example.net/",
        ["docker.io/"] = "registry.dc1.example.net/docker/",
    },
    remove = { "grafana" },
    override = {
        ["web-worker"] = { scale = { min = 2, max = 6, cpu = "70%" }, replicas = bk.remove },
        web = { env = { BKAPP_ESQUERY_WHITE_LIST = "bk_dataview" }, ingress = { class = "dc1" } },
    },
    add = function()
        return { bk.cronjob "clear-sessions" {
            image = "hub.bktencent.com/blueking/bk-log-search:4.5.1-alpha.401",
            schedule = "30 3 * * *", concurrency = "Forbid", time_zone = "Asia/Shanghai",
            command = { "/app/venv/bin/python", "manage.py", "clearsessions" },
            -- A process of BK LOG like the others: without its passwords and its database it does not start.
            env = { DB_NAME = "bk_log_search", DB_USERNAME = "root", DB_HOST = "mysql", DB_PORT = 3306 },
            env_from = { bk.existing_config "bklog-env", bk.existing_secret "bklog-site" },
            resources = { cpu = "100m..500m", memory = "256Mi..512Mi" },
        } }
    end,
    -- Runs for every object before it leaves the profile.
    transform = function(object)
        object.metadata.labels = object.metadata.labels or {}
        object.metadata.labels["example.net/data-centre"] = "dc1"
    end,
    hooks = require "chat",
}
