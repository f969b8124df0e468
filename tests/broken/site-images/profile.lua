local bk = require "bk"

return bk.extend "base" {
    images = {
        ["hub.example.com/shop/web:2.4.1"] = "registry.dc1.example.net/web:latest", -- <- latest-tag image
    },
}
