local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", -- <- deprecated-version
        kind = "ComponentStatus",
        metadata = { name = "extra" },
    },
}

return bk.profile "shop" { components = { extra } }
