local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "Service", metadata = { name = "extra" },
        spec = {
            ports = {
                { name = "http", port = 80, targetPort = 8080 },
                { name = "https", port = 443, targetPort = 8443 },
                { name = "web", port = 80, targetPort = 8081 }, -- <- duplicate-item spec.ports[2]
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
