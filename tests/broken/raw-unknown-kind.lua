local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "apps/v1",
        kind = "Deploymnet", -- <- unknown-kind kind
        metadata = { name = "extra" },
        spec = { replicas = 1 },
    },
}

return bk.profile "shop" { components = { extra } }
