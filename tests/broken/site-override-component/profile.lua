local bk = require "bk"

return bk.extend "base" {
    override = {
        wbe = { replicas = 3 }, -- <- invalid wbe
    },
}
