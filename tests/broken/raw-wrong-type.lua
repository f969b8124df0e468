local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "ResourceQuota", metadata = { name = "extra" },
        spec = {
            hard = { pods = "10" },
            scopes = "Terminating", -- <- wrong-type spec.scopes
        },
    },
}

return bk.profile "shop" { components = { extra } }
