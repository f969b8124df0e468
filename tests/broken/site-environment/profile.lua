local bk = require "bk"

return bk.extend "base" {
    environments = {
        prod = {
            replicas = 3,
            host = "shop.dc1.example.net", -- <- invalid host
        },
    },
}
