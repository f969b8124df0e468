local bk = require "bk"

return bk.profile "base" {
    default = "prod",
    environments = { prod = { replicas = 2 } },
    components = function(env)
        local web = bk.deployment "web" {
            image = "hub.example.com/shop/web:2.4.1",
            replicas = env.replicas,
            ports = { http = 8080 },
            readiness = bk.http "/healthz",
            resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
        }
        return { web }
    end,
}
