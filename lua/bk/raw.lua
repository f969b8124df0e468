-- API objects as they are, for what has no word of its own.

local check = require "bk.check"
local component = require "bk.component"
local host = require "bk.host"

local raw = {}

--- bk.raw "name" { object, ... , needs = { ... }, keep, replace, ready = function(obj) end }: a component of these
--- objects. Without a namespace they go to the profile's; its labels they get.
function raw.raw(name)
    local where = host.where()
    check.name(where, "component", name)
    return function(objects)
        local what = ("component '%s'"):format(name)
        if type(objects) ~= "table" then
            check.fail(where, "%s: wants a list of objects, not %s", what, check.show(objects))
        elseif objects.needs and component.needs_rule(objects.needs) then
            check.fail_at(where, objects, "needs", "%s: 'needs' should be %s", what,
                component.needs_rule(objects.needs))
        elseif objects.ready ~= nil and component.ready_rule(objects.ready) then
            check.fail_at(where, objects, "ready", "%s: 'ready' should be %s, not %s", what,
                component.ready_rule(objects.ready), check.show(objects.ready))
        end
        for _, field in ipairs { "keep", "replace" } do
            local wanted = objects[field] ~= nil and check.flag(objects[field])
            if wanted then
                check.fail_at(where, objects, field, "%s: '%s' should be %s, not %s", what, field, wanted,
                    check.show(objects[field]))
            end
        end
        for i, object in ipairs(objects) do
            local meta = type(object) == "table" and object.metadata
            if type(meta) ~= "table" or not meta.name or not object.kind or not object.apiVersion then
                check.fail_at(where, objects, i, "%s: object %d lacks apiVersion, kind or metadata.name", what, i)
            end
        end
        return component.new { name = name, word = "raw", where = where, spec = { needs = objects.needs,
            keep = objects.keep, replace = objects.replace, ready = objects.ready },
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
