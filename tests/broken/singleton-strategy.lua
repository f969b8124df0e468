local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    command = { "celery", "-A", "shop", "beat" },
    strategy = "RollingUpdate", -- <- singleton-strategy spec.strategy
}

return bk.profile "shop" { components = { web } }
