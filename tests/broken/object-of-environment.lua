local bk = require "bk"

return bk.profile "shop" {
    default = "prod",
    environments = {
        prod = { tier = "front end" },
    },
    components = function(env)
        local web = bk.deployment "web" {
            image = "hub.example.com/shop/web:2.4.1",
            ports = { http = 8080 },
            readiness = bk.http "/healthz",
            resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
            meta = { labels = { tier = env.tier } }, -- <- bad-label metadata.labels.tier
            service = false,
        }
        return { web }
    end,
}
