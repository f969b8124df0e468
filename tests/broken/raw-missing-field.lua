local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "LimitRange", metadata = { name = "extra" },
        spec = {
            limits = {
                { type = "Container", default = { cpu = "1" } },
                { max = { cpu = "4" } }, -- <- missing-field spec.limits[1]
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
