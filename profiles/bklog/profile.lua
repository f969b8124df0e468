-- BlueKing Log Platform (BK LOG): its own processes, the backends that they keep state in, and the collector.
--
--   bkdeploy apply profiles/bklog -e dev
--   bkdeploy apply profiles/bklog -e prod --set kafka=true --set collector=true
--
-- Passwords are generated at the first apply. What the platform gives is an input: app_secret and gateway_token.
local bk = require "bk"
local app = require "parts.app"
local backends = require "parts.backends"
local collector = require "parts.collector"
local env_files = require "parts.env_files"

local common = {
    tag = "4.5.1-alpha.401", collector_tag = "7.3.1-rc136", log_level = "INFO", tls = "", ingress_class = "nginx",
    servers = 1, workers = 1, -- of web, api and web-worker; of the other workers
    mysql_size = "50Gi", es = { master = 1, data = 1, coordinating = 1, size = "40Gi" }, es_shards = 1, es_replicas = 0,
    kafka_nodes = 1, consul_nodes = 3,
    -- Backends that lie elsewhere, by their host ("": bundled), and the Secret (with the keys of bklog-secrets) that is
    -- there already.
    mysql_host = "", redis_host = "", rabbitmq_host = "", es_host = "", secret = "",
    platform = false, -- the rest of the BlueKing platform is on the same cluster, and its versions are checked
    -- What can be left out.
    grafana = true, sworker = false, tgpa = false, sync_apigw = false, builtin_collect = false,
    kafka = false, consul = false, collector = false, self_log = false,
}

local function environment(name, domain, values)
    values.host, values.paas_url, values.api_url = "bklog." .. domain, "http://" .. domain, "http://bkapi." .. domain
    values.namespace = "bklog-" .. name
    for key, value in pairs(common) do
        if values[key] == nil then
            values[key] = value
        end
    end
    return values
end

local function all_secrets(env)
    if env.secret ~= "" then
        return bk.existing_secret(env.secret)
    end
    local function given(name, variable, doc)
        return bk.input(name) { secret = true, optional = true, env = variable, doc = doc } or bk.generated()
    end
    return bk.secret "bklog-secrets" {
        BKPAAS_APP_SECRET = given("app_secret", "BKLOG_APP_SECRET", "of the app bk_log_search in the PaaS"),
        BKAPP_BCS_API_GATEWAY_TOKEN = given("gateway_token", "BKLOG_GATEWAY_TOKEN", "of the BCS API gateway"),
        DB_PASSWORD = bk.generated(), REDIS_PASSWORD = bk.generated(), ES_PASSWORD = bk.generated(),
        -- Goes into a URL as it is: letters and digits only.
        RABBITMQ_PASSWORD = bk.generated(), RABBITMQ_ERL_COOKIE = bk.generated { length = 32 },
    }
end

return bk.profile "bklog" {
    default = "dev",
    rules = function()
        return require "parts.rules"
    end,
    environments = {
        dev = environment("dev", "dev.example.com", { log_level = "DEBUG", mysql_size = "8Gi", consul_nodes = 1,
            es = { master = 1, data = 1, coordinating = 1, size = "10Gi" } }),
        stag = environment("stag", "stag.example.com", {}),
        prod = environment("prod", "example.com", {
            servers = 3, workers = 2, tls = "bklog-tls", kafka_nodes = 3, es_shards = 3, es_replicas = 1,
            es = { master = 3, data = 3, coordinating = 2, size = "40Gi" },
        }),
    },
    version = function(env)
        return env.tag
    end,
    requires = function(env)
        return env.platform and { "usermgr ^2.5.4", "bkiam ^1.12.0", "bk_iam ^1.10.0",
            "bkpaas ^2.14.0 or bk-apigateway ^1.12.0", "bkmonitorv3 ^3.8.0" } or nil
    end,
    components = function(env)
        local secrets = all_secrets(env)
        local list, stores = backends(env, secrets)
        for _, component in ipairs(app(env, secrets, stores, env_files())) do
            list[#list + 1] = component
        end
        for _, component in ipairs(env.collector and collector(env) or {}) do
            list[#list + 1] = component
        end
        return list
    end,
}
