local bk = require "bk"

local web = require "parts.web"

return bk.profile "shop" { components = { web } }
