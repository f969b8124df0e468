local bk = require "bk"

local function spread(key)
    return { {
        maxSkew = 1, topologyKey = key,
        whenUnsatisfiable = "Never", -- <- not-in-enum topologySpreadConstraints[0].whenUnsatisfiable
        labelSelector = { matchLabels = { app = "web" } },
    } }
end

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    pod = { topologySpreadConstraints = spread "kubernetes.io/hostname" },
}

return bk.profile "shop" { components = { web } }
