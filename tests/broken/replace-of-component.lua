local bk = require "bk"

local fast = bk.storage_class "fast" {
    provisioner = "csi.example.com",
    replace = "always", -- <- wrong-type replace
}

return bk.profile "shop" { components = { fast } }
