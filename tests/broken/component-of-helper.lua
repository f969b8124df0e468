local bk = require "bk"

local function service(name, replicas)
    return bk.deployment(name) {
        image = "hub.example.com/shop/" .. name .. ":2.4.1",
        replicas = replicas, -- <- wrong-type replicas
        ports = { http = 8080 },
        readiness = bk.http "/healthz",
        resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    }
end

return bk.profile "shop" {
    components = { service("web", 2), service("api", -1) },
}
