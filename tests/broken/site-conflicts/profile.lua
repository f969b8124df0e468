local bk = require "bk"

return bk.extend "base" {
    conflicts = {
        {
            field = "spec.replicas",
            manager = "", -- <- wrong-type manager
            action = "take",
        },
    },
}
