local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "ConfigMap", metadata = { name = "extra" },
        data = {
            level = "info",
            ["conf/level"] = "info", -- <- bad-key data
        },
    },
}

return bk.profile "shop" { components = { extra } }
