local bk = require "bk"

local web = bk.statefulset "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    claims = {
        data = {
            path = "/var/lib/shop",
            size = "10Gi",
            storage_class = "fast", -- <- unknown-field storage_class
        },
    },
}

return bk.profile "shop" { components = { web } }
