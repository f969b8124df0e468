local bk = require "bk"

local db = bk.statefulset "db" {
    image = "mysql:8.0.39",
    ports = { mysql = 3306 },
    readiness = bk.tcp "mysql",
    resources = { cpu = "500m..2", memory = "1Gi..2Gi" },
}

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    needs = { db }, -- <- invalid db
}

return bk.profile "shop" { components = { web } }
