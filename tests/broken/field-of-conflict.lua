local bk = require "bk"

return bk.profile "shop" {
    conflicts = {
        {
            path = "spec.replicas", -- <- unknown-field path
            action = "yield",
        },
    },
    components = {},
}
