local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "LimitRange",
        metadata = {
            name = "Extra_1", -- <- bad-name metadata.name
        },
        spec = { limits = { { type = "Container", default = { cpu = "1" } } } },
    },
}

return bk.profile "shop" { components = { extra } }
