local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    labels = { tier = "front" },
    selector = { app = "web" },
}

local canary = bk.deployment "canary" {
    image = "hub.example.com/shop/web:2.5.0",
    replicas = 1,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    service = false,
    labels = { app = "web" },
    selector = { track = "canary" },
}

return bk.profile "shop" { components = { web, canary } }
