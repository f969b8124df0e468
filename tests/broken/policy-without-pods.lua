local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
}

local wall = bk.network_policy "wall" {
    selector = { app = "web" }, -- <- policy-without-pods spec.podSelector
    from = {},
}

return bk.profile "shop" { components = { web, wall } }
