local bk = require "bk"

local settings = bk.config "settings" { level = "info" }

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
                        env = {
                            { name = "LEVEL", valueFrom = { configMapKeyRef = {
                                name = "settings",
                                key = "levl", -- <- missing-reference env[0].valueFrom.configMapKeyRef.key
                            } } },
                        },
                    } },
                },
            },
        },
    },
}

return bk.profile "shop" { components = { settings, extra } }
