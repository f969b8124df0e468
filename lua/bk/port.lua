-- Ports of a container: { http = 80, dns = "53/UDP" }.

local check = require "bk.check"

local port = {}

local number_rule = check.whole(1, 65535)
local protocols = { TCP = true, UDP = true, SCTP = true }

--- Number and protocol of a port's value, or nil.
function port.parse(value)
    local number, protocol = value, "TCP"
    if type(value) == "string" then
        number, protocol = value:match "^(%d+)/(%u+)$"
        number = math.tointeger(number)
    end
    if not number or number_rule(number) or not protocols[protocol] then
        return nil
    end
    return number, protocol
end

--- Checks ports = { name = number or "number/PROTOCOL" }.
function port.check(where, what, ports)
    for name, value in pairs(ports or {}) do
        if type(name) ~= "string" or #name > 15 or not name:find "^[a-z0-9-]*[a-z][a-z0-9-]*$" then
            check.fail(where, "%s: %s is no port name; at most 15 of a-z, 0-9 and '-', e.g. ports = { http = 8080 }",
                what, check.show(name))
        elseif not port.parse(value) then
            check.fail(where, "%s: port '%s' should be %s, or one with its protocol as \"53/UDP\", not %s", what, name,
                number_rule(0), check.show(value))
        end
    end
end

--- The name of the port that is meant when none is named: "http", or the only one; else nil.
function port.default(ports)
    local first = next(ports or {})
    if (ports or {}).http then
        return "http"
    end
    return first and next(ports, first) == nil and first or nil
end

return port
