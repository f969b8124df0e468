-- BlueKing Log Platform (BK LOG), its own processes and the backends that they keep state in.
--
--   bkdeploy apply profiles/bklog -e dev
--
-- The passwords below are for trying it out. A site gives its own: another bk.secret, or
-- bk.existing_secret "bklog-secrets" for one that something else makes.
local bk = require "bk"
local app = require "parts.app"
local backends = require "parts.backends"

local common = {
    tag = "4.5.1-alpha.401", log_level = "INFO", tls = false, ingress_class = "nginx",
    servers = 1, workers = 1, -- of web, api and web-worker; of the other workers
    mysql_size = "50Gi", es_nodes = 1, es_size = "40Gi", es_shards = 1, es_replicas = 0,
}

local function environment(domain, values)
    values.host, values.paas_url, values.api_url = "bklog." .. domain, "http://" .. domain, "http://bkapi." .. domain
    for name, value in pairs(common) do
        if values[name] == nil then
            values[name] = value
        end
    end
    return values
end

return bk.profile "bklog" {
    default = "dev",
    environments = {
        dev = environment("dev.example.com", { log_level = "DEBUG", mysql_size = "8Gi", es_size = "10Gi" }),
        stag = environment("stag.example.com", {}),
        prod = environment("example.com", {
            servers = 3, workers = 2, tls = "bklog-tls",
            es_nodes = 3, es_shards = 3, es_replicas = 1,
        }),
    },
    components = function(env)
        local secrets = bk.secret "bklog-secrets" {
            BKPAAS_APP_SECRET = "try-it-out-app-" .. env.name,
            BKAPP_BCS_API_GATEWAY_TOKEN = "try-it-out-token-" .. env.name,
            DB_PASSWORD = "try-it-out-mysql-" .. env.name,
            REDIS_PASSWORD = "try-it-out-redis-" .. env.name,
            -- Goes into a URL as it is: letters, digits and '-' only.
            RABBITMQ_PASSWORD = "try-it-out-rabbitmq-" .. env.name,
            RABBITMQ_ERL_COOKIE = "try-it-out-cookie-" .. env.name,
            ES_PASSWORD = "try-it-out-es-" .. env.name,
        }
        local stores = backends(env, secrets)
        local list = { secrets, stores.mysql, stores.redis, stores.rabbitmq, stores.elasticsearch }
        for _, component in ipairs(app(env, secrets, stores)) do
            list[#list + 1] = component
        end
        return list
    end,
}
