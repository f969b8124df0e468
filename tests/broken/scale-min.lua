local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    scale = {
        min = 8, -- <- invalid min
        max = 6,
        cpu = "70%",
    },
}

return bk.profile "shop" { components = { web } }
