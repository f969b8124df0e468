local bk = require "bk"

local extra = bk.raw "extra" {
    {
        apiVersion = "v1", kind = "Secret", metadata = { name = "extra" },
        data = {
            user = "cm9vdA==",
            password = "not base64!", -- <- bad-base64 data.password
        },
    },
}

return bk.profile "shop" { components = { extra } }
