local bk = require "bk"

return bk.profile "shop" {
    default = "prod",
    environments = {
        dev = { replicas = 1, host = "shop.dev.example.com" },
        prod = { replicas = "3", host = "shop.example.com" },
    },
    components = function(env)
        local web = bk.deployment "web" {
            image = "hub.example.com/shop/web:2.4.1",
            replicas = env.replicas, -- <- wrong-type replicas
            ports = { http = 8080 },
            readiness = bk.http "/healthz",
            resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
            ingress = { host = env.host },
        }
        return { web }
    end,
}
