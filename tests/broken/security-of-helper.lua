local bk = require "bk"

local function locked(user)
    return {
        runAsUser = user, -- <- wrong-type spec.template.spec.containers[0].securityContext.runAsUser
        allowPrivilegeEscalation = false,
    }
end

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    security = locked "1000",
}

return bk.profile "shop" { components = { web } }
