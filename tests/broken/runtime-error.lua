local bk = require "bk"

local sizes = { small = "128Mi..256Mi" }

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = sizes.large.memory }, -- <- error large
}

return bk.profile "shop" { components = { web } }
