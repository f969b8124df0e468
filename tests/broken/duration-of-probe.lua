local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http {
        path = "/healthz",
        period = "5 seconds", -- <- wrong-type period
    },
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
}

return bk.profile "shop" { components = { web } }
