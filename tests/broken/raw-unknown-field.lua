local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "LimitRange", metadata = { name = "extra" },
        spec = {
            limits = {
                { type = "Container", default = { cpu = "1" } },
                { type = "Pod", maximum = { cpu = "4" } }, -- <- unknown-field spec.limits[1].maximum
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
