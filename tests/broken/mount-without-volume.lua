local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "agent" },
        spec = {
            selector = { matchLabels = { app = "agent" } },
            template = {
                metadata = { labels = { app = "agent" } },
                spec = {
                    containers = { {
                        name = "agent", image = "hub.example.com/agent:1.0.2",
                        resources = { requests = { cpu = "50m", memory = "64Mi" }, limits = { memory = "64Mi" } },
                        volumeMounts = {
                            { name = "cache", mountPath = "/var/cache" },
                            { name = "dta", mountPath = "/data" }, -- <- mount-without-volume volumeMounts[1].name
                        },
                    } },
                    volumes = {
                        { name = "cache", emptyDir = bk.object() },
                        { name = "data", emptyDir = bk.object() },
                    },
                },
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
