local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    replica = 2, -- <- unknown-field replica
}

return bk.profile "shop" { components = { web } }
