local bk = require "bk"

local web = bk.cronjob "web" {
    image = "hub.example.com/shop/web:2.4.1",
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    schedule = "0 25 * * *", -- <- bad-schedule spec.schedule
}

return bk.profile "shop" { components = { web } }
