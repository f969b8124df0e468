local bk = require "bk"

return bk.profile "shop" {
    conflicts = {
        { field = "spec.replicas", action = "yield" },
        { field = "metadata", manager = "kubectl*" }, -- <- invalid no 'action'
    },
    components = {},
}
