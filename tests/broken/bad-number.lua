local bk = require "bk"

local migrate = bk.job "migrate" {
    image = "hub.example.com/shop/web:2.4.1",
    command = { "manage.py", "migrate" },
    resources = { cpu = "100m..1", memory = "128Mi..256Mi" },
    restart = "Never",
    backoff_limit = 10000000000, -- <- bad-number spec.backoffLimit
}

return bk.profile "shop" { components = { migrate } }
