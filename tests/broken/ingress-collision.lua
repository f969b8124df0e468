local bk = require "bk"

local web = bk.deployment "web" {
    image = "hub.example.com/shop/web:2.4.1",
    replicas = 2,
    ports = { http = 8080 },
    readiness = bk.http "/healthz",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
}

local front = bk.ingress "front" {
    host = "shop.example.com",
    paths = {
        ["/"] = web,
        ["/cart"] = web,
    },
}

local cart = bk.ingress "cart" {
    host = "shop.example.com",
    paths = {
        ["/cart"] = web, -- <- ingress-collision spec.rules[0].http.paths[0].path
    },
}

return bk.profile "shop" { components = { web, front, cart } }
