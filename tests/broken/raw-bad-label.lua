local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "LimitRange",
        metadata = {
            name = "extra",
            labels = {
                tier = "front",
                owner = "shop team", -- <- bad-label metadata.labels.owner
            },
        },
        spec = { limits = { { type = "Container", default = { cpu = "1" } } } },
    },
}

return bk.profile "shop" { components = { extra } }
