-- Who may talk to a component, and to whom it may talk: its NetworkPolicy.
-- kubernetes.io/docs/concepts/services-networking/network-policies/

local check = require "bk.check"
local port = require "bk.port"

local network = {}

local Block = { kind = "cidr", what = "a bk.cidr" }

--- bk.cidr "10.0.0.0/8" or bk.cidr("10.0.0.0/8", { "10.1.0.0/16" }): addresses, less those excepted.
function network.cidr(block, except)
    if type(block) ~= "string" or not block:find "^[%x:.]+/%d+$" then
        check.fail(nil, "bk.cidr wants addresses such as '10.0.0.0/8', not %s", check.show(block))
    end
    return setmetatable({ cidr = block, except = except }, Block)
end

local peer_rule = check.either("a component, a namespace's name or a bk.cidr", check.text,
    check.is("", "component", "cidr"))

--- Rule of network = { from = { peers }, to = { peers } }.
function network.check(where, what, spec)
    if spec.network then
        check.fields(where, what .. ": network", spec.network,
            { from = check.list(peer_rule), to = check.list(peer_rule) })
    end
end

local function peers(list, release)
    local made
    for i, one in ipairs(list) do
        made = made or {}
        local kind = check.kind(one)
        if kind == "component" then
            made[i] = { podSelector = { matchLabels = release.selector(one) } }
        elseif kind == "cidr" then
            made[i] = { ipBlock = { cidr = one.cidr, except = one.except } }
        else
            made[i] = { namespaceSelector = { matchLabels = { ["kubernetes.io/metadata.name"] = one } } }
        end
    end
    return made
end

--- The NetworkPolicy of a component. Nobody of an empty list may; names can be looked up always.
function network.build(self, release)
    local wanted = self.spec.network
    local types, ingress, egress, ports = {}, nil, nil, nil
    for _, value in pairs(self.spec.ports or {}) do
        ports = ports or {}
        local number, protocol = port.parse(value)
        ports[#ports + 1] = { port = number, protocol = protocol }
    end
    if wanted.from then
        types[#types + 1] = "Ingress"
        ingress = wanted.from[1] and { { from = peers(wanted.from, release), ports = ports } } or nil
    end
    if wanted.to then
        types[#types + 1] = "Egress"
        egress = { { ports = { { port = 53, protocol = "UDP" }, { port = 53, protocol = "TCP" } } } }
        if wanted.to[1] then
            egress[2] = { to = peers(wanted.to, release) }
        end
    end
    return {
        apiVersion = "networking.k8s.io/v1", kind = "NetworkPolicy", metadata = release.metadata(self, self.name),
        spec = { podSelector = { matchLabels = release.selector(self) }, policyTypes = types, ingress = ingress,
            egress = egress },
    }
end

return network
