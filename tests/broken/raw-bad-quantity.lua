local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "ResourceQuota", metadata = { name = "extra" },
        spec = {
            hard = {
                ["requests.cpu"] = "10",
                ["requests.memory"] = "10GB", -- <- bad-quantity requests.memory
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
