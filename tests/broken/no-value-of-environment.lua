local bk = require "bk"

return bk.profile "shop" {
    environments = { default = { host = "shop.example.com" } },
    default = "default",
    components = function(env)
        local web = bk.deployment "web" {
            image = "hub.example.com/shop/web:2.4.1",
            ports = { http = 8080 },
            readiness = bk.http "/healthz",
            resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
            ingress = { host = env.hots }, -- <- invalid hots
        }
        return { web }
    end,
}
