local bk = require "bk"

local db = bk.statefulset "db" {
    image = "mysql:8.0.39",
    ports = { mysql = 3306 },
    readiness = bk.tcp "mysql",
    resources = { cpu = "500m..2", memory = "1Gi..2Gi" },
    claims = {
        data = {
            size = "10Gi",
            path = "/var/lib/mysql",
            keep = true, -- <- invalid keep_claims
        },
    },
}

return bk.profile "shop" { components = { db } }
