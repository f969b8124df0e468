local bk = require "bk"

local settings = bk.config "settings" { level = "info" }

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    files = { ["/etc/shop"] = settings },
    volumes = {
        ["/etc/shop/"] = bk.empty_dir(), -- <- mounts-collide volumeMounts[1].mountPath
    },
}

return bk.profile "shop" { components = { web } }
