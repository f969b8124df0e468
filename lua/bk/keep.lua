-- Objects that outlive the profile's wish for them: neither prune nor delete takes what has this annotation.
-- A PersistentVolumeClaim is kept without it, unless it says "false".

local check = require "bk.check"
local origin = require "bk.origin"
local tables = require "bk.tables"

local keep = {}

local annotation = "bkdeploy/keep"

keep.rule = check.flag

--- The object with the annotation, which comes from source.keep; one that it has already stays.
function keep.mark(object, value, source)
    local metadata = type(object.metadata) == "table" and object.metadata or {}
    local annotations = type(metadata.annotations) == "table" and metadata.annotations or {}
    if annotations[annotation] ~= nil then
        return object
    end
    annotations = tables.with(annotations, { [annotation] = tostring(value) })
    origin.from(annotations, annotation, source, "keep")
    return tables.with(object, { metadata = tables.with(metadata, { annotations = annotations }) })
end

--- Marks the objects of a component whose `keep` is true, or the claims of one where it is false.
function keep.apply(objects, source)
    local value = source.keep
    if value == nil then
        return objects
    end
    local made = {}
    for i, object in ipairs(objects) do
        made[i] = (value or object.kind == "PersistentVolumeClaim") and keep.mark(object, value, source) or object
    end
    return made
end

return keep
