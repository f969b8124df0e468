local bk = require "bk"

return bk.extend "base" {
    override = {
        web = {
            security = {
                runAsUsr = 1000, -- <- unknown-field securityContext.runAsUsr
            },
        },
    },
}
