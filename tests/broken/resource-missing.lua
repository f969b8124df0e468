local bk = require "bk"

local lamps = bk.crd "lamps.example.com" {
    kind = "Lamp",
    versions = { v1 = { type = "object", properties = {
        spec = { type = "object", required = { "colour" }, properties = {
            colour = { type = "string", enum = { "red", "green" } },
            watts = { type = "integer", minimum = 1 },
        } },
    } } },
}

local lamp = lamps:resource "kitchen" {
    spec = { -- <- missing-field spec
        watts = 40,
    },
}

return bk.profile "house" { components = { lamps, lamp } }
