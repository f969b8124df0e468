-- API objects as they are, for what has no word of its own.

local check = require "bk.check"
local component = require "bk.component"
local host = require "bk.host"
local tables = require "bk.tables"

local raw = {}

local own_rules = tables.with(component.order_rules, { keep = check.flag, replace = check.flag,
    ready = component.ready_rule })

--- bk.raw "name" { object, ... , needs = { ... }, after, grace, keep, replace, ready = function(obj) end }: a component
--- of these objects. Without a namespace they go to the profile's; its labels they get.
function raw.raw(name)
    local where = host.where()
    check.name(where, "component", name)
    return function(objects)
        local what = ("component '%s'"):format(name)
        if type(objects) ~= "table" then
            check.fail(where, "%s: wants a list of objects, not %s", what, check.show(objects))
        end
        for key in pairs(objects) do
            if math.type(key) ~= "integer" and not own_rules[key] then
                check.fail_at(where, objects, key, "%s: no field '%s'%s", what, tostring(key),
                    check.suggest(tostring(key), own_rules))
            end
        end
        local own = component.take_own(where, what, objects, own_rules)
        for i, object in ipairs(objects) do
            local meta = type(object) == "table" and object.metadata
            if type(meta) ~= "table" or not meta.name or not object.kind or not object.apiVersion then
                check.fail_at(where, objects, i, "%s: object %d lacks apiVersion, kind or metadata.name", what, i)
            end
        end
        return component.new { name = name, word = "raw", where = where, spec = own,
            build = function(_, release)
                local made = {}
                for i, object in ipairs(objects) do
                    made[i] = release.labelled(object)
                end
                return made
            end }
    end
end

return raw
