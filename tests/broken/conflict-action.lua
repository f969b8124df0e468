local bk = require "bk"

return bk.profile "shop" {
    conflicts = {
        { field = "spec.replicas", action = "yield" },
        {
            kind = "Deployment",
            action = "force", -- <- wrong-type action
        },
    },
    components = {},
}
