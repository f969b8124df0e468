local bk = require "bk"

return bk.extend "base" {
    overrides = { -- <- unknown-field overrides
        web = { replicas = 3 },
    },
}
