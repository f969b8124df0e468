local bk = require "bk"

local rules = {}
for _, name in ipairs { "redis", "mysql" } do
    rules[#rules + 1] = {
        maxSkew = 1, topologyKey = "example.com/" .. name,
        whenUnsatisfied = "ScheduleAnyway", -- <- unknown-field topologySpreadConstraints[0].whenUnsatisfied
        whenUnsatisfiable = "ScheduleAnyway",
    }
end
rules[2].whenUnsatisfied = nil

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    pod = { topologySpreadConstraints = rules },
}

return bk.profile "shop" { components = { web } }
