local bk = require "bk"

local extra = bk.raw "extra" { {
    apiVersion = "v1", kind = "Service", metadata = { name = "extra" },
    spec = {
        type = "ExternalName", externalName = "db.example.net",
        externalIPs = {
            "192.0.2.1",
            bk.null, -- <- wrong-type spec.externalIPs[1]
        },
        ports = {
            { name = "http", port = 80 },
            bk.null, -- <- wrong-type spec.ports[1]
        },
    },
} }

return bk.profile "shop" { components = { extra } }
