local bk = require "bk"

return bk.extend "base" {
    override = {
        web = {
            replicas = "4", -- <- wrong-type replicas
        },
    },
}
