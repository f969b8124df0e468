local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2, -- <- singleton-strategy spec.replicas
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    command = { "celery", "-A", "shop", "beat" },
    strategy = "Recreate",
}

return bk.profile "shop" { components = { web } }
