-- The description language: local bk = require "bk". See docs/language.md.

local check = require "bk.check"
local config = require "bk.config"
local env = require "bk.env"
local host = require "bk.host"
local probe = require "bk.probe"
local profile = require "bk.profile"
local storage = require "bk.storage"
local workload = require "bk.workload"

local bk = {
    profile = profile.new, compile = profile.compile,
    deployment = workload.deployment, statefulset = workload.statefulset,
    daemonset = workload.daemonset, job = workload.job, raw = workload.raw,
    config = config.config, secret = config.secret, base64 = config.base64,
    existing_config = config.existing_config, existing_secret = config.existing_secret,
    field = env.field, resource = env.resource,
    http = probe.http, tcp = probe.tcp, exec = probe.exec, grpc = probe.grpc,
    host_path = storage.host_path, empty_dir = storage.empty_dir, existing_claim = storage.existing_claim,
}

--- bk.read "files/my.cnf": the text of a file below the profile's folder.
bk.read = host.read

--- bk.array { } and bk.object { }: say what an empty table is.
function bk.array(list)
    return setmetatable(list or {}, { __name = "bk.array" })
end

function bk.object(map)
    return setmetatable(map or {}, { __name = "bk.object" })
end

--- bk.fail("text"): ends the evaluation with the line of the profile.
function bk.fail(format, ...)
    check.fail(nil, format, ...)
end

return setmetatable(bk, { __index = function(_, name)
    check.fail(nil, "bk has no '%s'%s", tostring(name), check.suggest(name, bk))
end })
