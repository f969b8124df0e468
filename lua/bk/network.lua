-- Who may talk to a component, and to whom it may talk: its NetworkPolicy.
-- kubernetes.io/docs/concepts/services-networking/network-policies/

local check = require "bk.check"
local component = require "bk.component"
local ordered = require "bk.ordered"
local port = require "bk.port"
local tables = require "bk.tables"

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

local peer_rules = { from = check.list(peer_rule), to = check.list(peer_rule), types = check.list(
    check.one_of("Ingress", "Egress")), ingress = check.list(check.map), egress = check.list(check.map) }
local rules = tables.with(component.own_rules, peer_rules)

local function check_peers(where, what, wanted)
    for own, other in pairs { from = "ingress", to = "egress" } do
        if wanted[own] and wanted[other] then
            check.fail(where, "%s: has %s beside %s; write one or the other", what, own, other)
        end
    end
end

--- Checks network = { from = { peers }, to = { peers } }, or { ingress, egress, types } in Kubernetes' own words.
function network.check(where, what, spec)
    if spec.network then
        check.fields(where, what .. ": network", spec.network, rules)
        check_peers(where, what .. ": network", spec.network)
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

--- The spec of a NetworkPolicy. Nobody of an empty list may; names can be looked up always.
function network.spec(wanted, component_ports, selector, release)
    local types, ingress, egress, ports = {}, wanted.ingress, wanted.egress, nil
    for _, entry in ipairs(ordered.entries(component_ports)) do
        ports = ports or {}
        ports[#ports + 1] = { port = port.parse(entry.value), protocol = port.shown_protocol(entry.value, release) }
    end
    if ingress then
        types[#types + 1] = "Ingress"
    end
    if wanted.from then
        types[#types + 1] = "Ingress"
        ingress = wanted.from[1] and { { from = peers(wanted.from, release), ports = ports } } or nil
    end
    if egress then
        types[#types + 1] = "Egress"
    end
    if wanted.to then
        types[#types + 1] = "Egress"
        egress = { { ports = { { port = 53, protocol = "UDP" }, { port = 53, protocol = "TCP" } } } }
        if wanted.to[1] then
            egress[2] = { to = peers(wanted.to, release) }
        end
    end
    return { podSelector = selector, policyTypes = wanted.types or types, ingress = ingress, egress = egress }
end

--- The NetworkPolicy of a component.
function network.build(self, release)
    return {
        apiVersion = "networking.k8s.io/v1", kind = "NetworkPolicy",
        metadata = release.metadata(self, component.object_name(self), self.spec.network),
        spec = network.spec(self.spec.network, self.spec.ports, { matchLabels = release.selector(self) }, release),
    }
end

--- bk.network_policy "name" { selector = { app = "web" }, from, to, ingress, egress, types }: one for pods by their
--- labels, all of the namespace without a selector; with the fields of a component's `network`.
network.network_policy = component.define("network policy", tables.with(peer_rules, { selector = check.map }), {},
    function(self, release)
        local selector = self.spec.selector
        check_peers(self.where, ("network policy '%s'"):format(self.name), self.spec)
        return { {
            apiVersion = "networking.k8s.io/v1", kind = "NetworkPolicy",
            metadata = release.metadata(self, component.object_name(self)),
            spec = network.spec(self.spec, nil, selector and { matchLabels = selector }
                or setmetatable({}, { __name = "bk.object" }), release),
        } }
    end)

return network
