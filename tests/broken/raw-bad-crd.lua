local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "apiextensions.k8s.io/v1", kind = "CustomResourceDefinition",
        metadata = { name = "lamps.example.com" },
        spec = {
            group = "example.com", scope = "Namespaced",
            names = { plural = "lamps", singular = "lamp", kind = "Lamp" },
            versions = { -- <- bad-crd spec.versions
                { name = "v1", served = true, storage = true },
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
