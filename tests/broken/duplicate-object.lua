local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
}

local again = bk.raw "again" { {
    apiVersion = "v1", kind = "Service",
    metadata = {
        name = "web", -- <- duplicate-object metadata.name
    },
    spec = {
        selector = { ["app.kubernetes.io/name"] = "web" },
        ports = { { name = "http", port = 80, targetPort = "http" } },
    },
} }

return bk.profile "shop" { components = { web, again } }
