local bk = require "bk"
local cjson = require "cjson"

local settings = bk.raw "settings" { {
    apiVersion = "v1", kind = "ConfigMap",
    metadata = {
        name = "settings",
        annotations = cjson.null, -- <- null-value metadata.annotations
    },
    data = { mode = "fast" },
} }

return bk.profile "shop" { components = { settings } }
