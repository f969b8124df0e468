local bk = require "bk"

return bk.extend "base" {
    environments = {
        prod = {
            replicas = "3", -- <- invalid replicas
        },
    },
}
