local bk = require "bk"

local needs = {}

local web = bk.deployment "web" { -- <- dependency-cycle
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    needs = needs,
}

local migrate = bk.job "migrate" {
    image = "hub.example.com/shop/web:2.4.1",
    command = { "manage.py", "migrate" },
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    needs = { web },
}
needs[1] = migrate

return bk.profile "shop" { components = { web, migrate } }
