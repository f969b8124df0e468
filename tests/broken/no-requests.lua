local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { memory = "128Mi..256Mi" }, -- <- no-requests resources
}

return bk.profile "shop" { components = { web } }
