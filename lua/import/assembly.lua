-- Parts of a profile: what is said of some objects of the input, built by the language itself and compared with them.

local bk = require "bk"
local config = require "bk.config"
local difference = require "import.difference"
local expression = require "import.expression"
local json = require "import.json"

local assembly = {}

local FEW_WORDS = 12

local function nothing() end

-- The component, config or secret that a part stands for.
local function construct(part, fields, on_reference)
    local values = expression.value(fields, on_reference)
    local live
    if part.of then
        live = part.of.live:resource(part.name)(values)
    else
        live = bk[part.word](part.name)(values)
    end
    for _, one in ipairs(part.methods or {}) do
        live = live[one.name](live, expression.value(one.argument, on_reference))
    end
    return live
end

local function build(part, live, release)
    if part.word == "config" or part.word == "secret" then
        return { config.build(live, release) }
    end
    return live:build(release, nothing)
end

local function identity(object)
    return object.kind .. "/" .. object.metadata.name
end

--- What the built objects lack of the wanted ones, as a patch; nil where nothing. An error where they are others.
local function patch_of(built, wanted)
    local by_identity, kinds, made, count = {}, {}, {}, 0
    for _, object in ipairs(wanted) do
        by_identity[identity(object)] = object
        count = count + 1
    end
    for _, object in ipairs(built) do
        kinds[object.kind] = (kinds[object.kind] or 0) + 1
        count = count - 1
    end
    assert(count == 0, "other objects")
    for _, object in ipairs(built) do
        local target = assert(by_identity[identity(object)], "another object")
        local changes = difference.between(object, target)
        local kind = object.kind:lower()
        local key = kinds[object.kind] == 1 and kind or kind .. "/" .. object.metadata.name
        assert(not changes or not expression.kind(changes), "no object")
        made[key] = changes
    end
    return next(made) and made or nil
end

local function with(fields, name, value)
    local made = {}
    for key, item in next, fields do
        made[key] = item
    end
    made[name] = value
    return setmetatable(made, getmetatable(fields))
end

--- Tries fields for a part. Returns { live, fields, references, patch, size }, `size` being that of the patch that it
--- needs; or nil and what the language says.
function assembly.attempt(part, fields, wanted, release)
    local references = {}
    local function note(one)
        references[one] = true
    end
    local good, result = pcall(function()
        local live = construct(part, fields, note)
        local patch = patch_of(build(part, live, release), wanted)
        if not patch then
            return { live = live, fields = fields, references = references, size = 0 }
        end
        local patched = with(fields, "patch", patch)
        live = construct(part, patched, note)
        assert(not patch_of(build(part, live, release), wanted), "still another object")
        return { live = live, fields = patched, references = references, size = json.size(patch), patch = patch }
    end)

    return good and result or nil, not good and result or nil
end

-- Fields that the words can't do without.
local needed = { "image", "schedule", "size", "source", "kind", "versions", "storage", "hard", "value", "to", "role",
    "cluster_role", "meta", "selector", "service", "services", "ingress", "scale", "disruption", "network", "claims",
    "ports" }

--- The same, leaving out the fields that the language refuses, for which the patch stands then: the one, else all those
--- that are not accepted one after the other.
function assembly.attempt_reduced(part, fields, wanted, release)
    for name in pairs(fields) do
        local result = assembly.attempt(part, with(fields, name, nil), wanted, release)
        if result then
            return result
        end
    end
    local kept = {}
    for _, name in ipairs(needed) do
        kept[name] = fields[name]
    end
    local best = assembly.attempt(part, kept, wanted, release)
    if not best then
        return nil
    end
    for name, value in pairs(fields) do
        if kept[name] == nil then
            local result = assembly.attempt(part, with(kept, name, value), wanted, release)
            if result and result.size <= best.size then
                best, kept[name] = result, value
            end
        end
    end
    return best
end

--- The best of several candidates, or nil.
function assembly.best(part, candidates, wanted, release)
    local best, problem
    for _, fields in ipairs(candidates) do
        local result, message = assembly.attempt(part, fields, wanted, release)
        problem = problem or message
        if result and (not best or result.size < best.size) then
            best = result
        end
        if best and not best.patch then
            return best
        end
    end
    return best or assembly.attempt_reduced(part, candidates[#candidates], wanted, release), problem
end

--- Whether a patch says about as much as the objects say themselves, and more than a few words.
function assembly.is_poor(patch, wanted)
    local size = patch and json.size(patch) or 0
    return size > FEW_WORDS and size * 2 > json.size(wanted)
end

function assembly.take(part, result)
    part.live, part.fields, part.references, part.patch = result.live, result.fields, result.references, result.patch
    return part
end

return assembly
