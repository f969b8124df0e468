local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "networking.k8s.io/v1", kind = "NetworkPolicy", metadata = { name = "extra" },
        spec = {
            podSelector = bk.object(),
            policyTypes = {
                "Ingress",
                "Outgress", -- <- not-in-enum spec.policyTypes[1]
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
