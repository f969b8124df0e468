local bk = require "bk"

return bk.extend "base" {
    transform = function(object)
        if object.kind == "Deployment" then
            object.spec.paused = "no" -- <- wrong-type spec.paused
        end
    end,
}
