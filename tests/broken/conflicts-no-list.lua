local bk = require "bk"

return bk.profile "shop" {
    conflicts = { field = "spec.replicas", action = "yield" }, -- <- wrong-type conflicts
    components = {},
}
