local bk = require "bk"

local lease = bk.raw "lease" {
    { apiVersion = "coordination.k8s.io/v1", kind = "Lease", metadata = { name = "a" } },
    keep = 1, -- <- invalid keep
}

return bk.profile "shop" { components = { lease } }
