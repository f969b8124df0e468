-- Ports of a container: { http = 80, dns = "53/UDP" }; a list for an order, where a port may have no name: { 80 }.

local check = require "bk.check"
local ordered = require "bk.ordered"

local port = {}

local number_rule = check.whole(1, 65535)
local protocols = { TCP = true, UDP = true, SCTP = true }

port.rule = ordered.rule_unnamed

--- Number and protocol of a port's value, or nil; and whether the protocol is written in it.
function port.parse(value)
    local number, protocol = value, "TCP"
    if type(value) == "string" then
        number, protocol = value:match "^(%d+)/(%u+)$"
        number = math.tointeger(number)
    end
    if not number or number_rule(number) or not protocols[protocol] then
        return nil
    end
    return number, protocol, type(value) == "string"
end

--- The protocol that an object shows: in a bare profile one that is written, or another than TCP.
function port.shown_protocol(value, release)
    local _, protocol, is_written = port.parse(value)
    return (is_written or not release.bare) and protocol or nil
end

--- Checks ports = { name = number or "number/PROTOCOL" }.
function port.check(where, what, ports)
    for i, entry in ipairs(ordered.entries(ports)) do
        local name = entry.name
        if name and (#name > 15 or not name:find "^[a-z0-9-]*[a-z][a-z0-9-]*$") then
            check.fail_entry(where, entry, "%s: %s is no port name; at most 15 of a-z, 0-9 and '-', e.g. "
                .. "ports = { http = 8080 }", what, check.show(name))
        elseif not port.parse(entry.value) then
            check.fail_entry(where, entry, "%s: port '%s' should be %s, or one with its protocol as \"53/UDP\", not %s",
                what, name or tostring(i), number_rule(0), check.show(entry.value))
        end
    end
end

--- The port that is meant when none is named: "http", or the only one, by its number when it has no name; else nil.
function port.default(ports)
    local entries = ordered.entries(ports)
    if ordered.named(ports).http then
        return "http"
    elseif #entries == 1 then
        local value = entries[1].value
        return entries[1].name or port.parse(type(value) == "table" and value[1] or value)
    end
end

return port
