-- `ready` functions: what a profile says itself of when its objects are ready. Called by the program.

local profile = require "bk.profile"

local ready = {}

local List = { __name = "bk.array" }

local words = { raw = true, resource = true } -- elsewhere `ready` is a probe

local kept -- what the profile made

function ready.compile(self, ...)
    kept = profile.compile(self, ...)
    return kept
end

-- That of a bk.crd is for all objects of its kind.
local function by_kind()
    local found = {}
    for _, component in ipairs(kept.components) do
        local part = profile.part_of(component)
        if part.word == "crd" and part.spec.ready then
            found[part.name:match "^[^.]+%.(.+)$" .. "/" .. part.spec.kind] = part.spec.ready
        end
    end
    return found
end

local functions

--- Which objects have one: a list of { component, object }, numbers from 0.
function ready.list()
    local list, kinds = setmetatable({}, List), by_kind()
    functions = {}
    for i, component in ipairs(kept.components) do
        local part = profile.part_of(component)
        functions[i] = {}
        for k, object in ipairs(component.objects) do
            local group = tostring(object.apiVersion):match "^(.*)/" or ""
            local own = words[part.word] and part.spec.ready
                or kinds[group .. "/" .. tostring(object.kind)]
            functions[i][k] = own or nil
            list[#list + 1] = own and { i - 1, k - 1 } or nil
        end
    end
    return list
end

--- That of an object, by its numbers from 0.
function ready.of(component, object)
    return functions[component + 1][object + 1]
end

return ready
