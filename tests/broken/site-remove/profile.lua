local bk = require "bk"

return bk.extend "base" {
    remove = {
        "wbe", -- <- invalid wbe
    },
}
