local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "Service", metadata = { name = "extra" },
        spec = {
            ports = {
                { name = "http", port = 80 },
                { name = "https", port = 443000 }, -- <- bad-port spec.ports[1].port
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
