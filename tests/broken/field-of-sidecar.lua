local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    sidecars = {
        {
            name = "proxy", image = "envoyproxy/envoy:v1.31.0",
            resource = { memory = "64Mi" }, -- <- unknown-field resource
            resources = { cpu = "50m", memory = "64Mi" },
        },
    },
}

return bk.profile "shop" { components = { web } }
