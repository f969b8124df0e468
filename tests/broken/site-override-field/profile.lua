local bk = require "bk"

return bk.extend "base" {
    override = {
        web = {
            pull_policy = "Always",
            replica = 4, -- <- unknown-field replica
        },
    },
}
