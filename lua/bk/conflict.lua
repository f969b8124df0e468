-- Whose a field is to be that somebody else has set on the cluster; src/release/conflict.h has what goes without.

local check = require "bk.check"

local conflict = {}

local function pattern(value)
    return (type(value) ~= "string" or value == "") and "a text, * standing for any part of it" or nil
end

local rules = { kind = pattern, field = pattern, manager = pattern, action = check.one_of("take", "yield", "stop") }

conflict.rules = rules
conflict.rule = check.list(check.map)

--- Checks conflicts = { { kind = "Deployment", field = "spec.replicas", manager = "kube*", action = "yield" } } and
--- returns them as the program takes them.
function conflict.read(where, what, list)
    local made = {}
    for i, entry in ipairs(list or {}) do
        check.guard(function()
            local of = ("%s: conflicts[%d]"):format(what, i)
            check.fields(where, of, entry, rules)
            if check.missing(entry, "action") then
                check.fail_at(where, list, i, "%s: no 'action', which is one of take, yield, stop", of)
            end
            made[#made + 1] = { kind = entry.kind, field = entry.field and entry.field:gsub("^%.", "") or nil,
                manager = entry.manager, action = entry.action, origin = where }
        end)
    end
    return made
end

return conflict
