local bk = require "bk"

local function web(image)
    return bk.deployment "web" { -- <- invalid twice
        image = image,
        ports = { http = 8080 },
        readiness = bk.http "/healthz",
        resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    }
end

return bk.profile "shop" { components = { web "hub.example.com/shop/web:2.4.1", web "hub.example.com/shop/web:2.5.0" } }
