-- The description language: local bk = require "bk". See docs/profile.md.

local access = require "bk.access"
local check = require "bk.check"
local config = require "bk.config"
local custom = require "bk.custom"
local env = require "bk.env"
local generate = require "bk.generate"
local host = require "bk.host"
local input = require "bk.input"
local mount = require "bk.mount"
local network = require "bk.network"
local patch = require "bk.patch"
local policy = require "bk.policy"
local probe = require "bk.probe"
local profile = require "bk.profile"
local raw = require "bk.raw"
local rule = require "bk.rule"
local route = require "bk.route"
local site = require "bk.site"
local storage = require "bk.storage"
local volume = require "bk.volume"
local workload = require "bk.workload"

local bk = {
    profile = profile.new, compile = profile.compile, rule = rule.rule, extend = site.extend, cluster = site.cluster,
    deployment = workload.deployment, statefulset = workload.statefulset,
    daemonset = workload.daemonset, job = workload.job, cronjob = workload.cronjob, task = workload.task, raw = raw.raw,
    ingress = route.standalone, external = route.external, cidr = network.cidr,
    service_account = access.service_account, priority_class = policy.priority_class, quota = policy.quota,
    limits = policy.limits, namespace = policy.namespace, crd = custom.crd, remove = patch.remove,
    replace = patch.replace, role = access.role, cluster_role = access.cluster_role,
    role_binding = access.role_binding, cluster_role_binding = access.cluster_role_binding,
    service = route.standalone_service, network_policy = network.network_policy, claim = storage.claim,
    storage_class = storage.storage_class, persistent_volume = storage.persistent_volume,
    config = config.config, secret = config.secret, base64 = host.base64, yaml = host.yaml,
    existing_config = config.existing_config, existing_secret = config.existing_secret,
    input = input.input, generated = generate.password, rsa_pair = generate.rsa_pair, tls_pair = generate.tls_pair,
    field = env.field, resource = env.resource,
    http = probe.http, tcp = probe.tcp, exec = probe.exec, grpc = probe.grpc,
    host_path = volume.host_path, empty_dir = volume.empty_dir, existing_claim = volume.existing_claim,
    nfs = volume.nfs, csi = volume.csi, projected = volume.projected, token = volume.token, volume = volume.other,
    mount = mount.by_name, null = host.null,
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
