local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
}

local scaler = bk.raw "scaler" { {
    apiVersion = "autoscaling/v2", kind = "HorizontalPodAutoscaler", metadata = { name = "web" },
    spec = {
        scaleTargetRef = {
            apiVersion = "apps/v1", kind = "Deployment",
            name = "wbe", -- <- scale-target spec.scaleTargetRef.name
        },
        minReplicas = 2, maxReplicas = 6,
    },
} }

return bk.profile "shop" { components = { web, scaler } }
