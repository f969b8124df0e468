local bk = require "bk"

local db = bk.statefulset "db" {
    image = "mysql:8.0.39",
    ports = { mysql = 3306 },
    readiness = bk.tcp "mysql",
    resources = { cpu = "500m..2", memory = "1Gi..2Gi" },
    claims = {
        data = { path = "/var/lib/mysql" }, -- <- invalid size
    },
}

return bk.profile "shop" { components = { db } }
