local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "policy/v1beta1", -- <- removed-version apiVersion
        kind = "PodSecurityPolicy",
        metadata = { name = "extra" },
        spec = { privileged = false },
    },
}

return bk.profile "shop" { components = { extra } }
