local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "agent" },
        spec = {
            selector = { matchLabels = { app = "agent" } }, -- <- selector-mismatch spec.selector
            template = {
                metadata = { labels = { app = "agnet" } },
                spec = {
                    containers = { {
                        name = "agent", image = "hub.example.com/agent:1.0.2",
                        resources = { requests = { cpu = "50m", memory = "64Mi" }, limits = { memory = "64Mi" } },
                    } },
                },
            },
        },
    },
}

return bk.profile "shop" { components = { extra } }
