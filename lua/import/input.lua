-- The input: its objects one by one, each with the place that it has there.

local json = require "import.json"

local input = {}

--- "file:12: document 3", as the reader of YAML says it.
local function show(options, place)
    local where = place.file or options.source or "input"
    return (place.line and ("%s:%d"):format(where, place.line) or where)
        .. (place.document and (": document %d"):format(place.document) or "")
end

local function fail(options, place, format, ...)
    error(("%s: %s"):format(show(options, place), format:format(...)), 0)
end

--- The objects of the input, Lists taken apart: { { object, place }, ... }.
function input.flatten(objects, options)
    local flat = {}
    local function add(object, place)
        if not json.is_map(object) then
            fail(options, place, "not an object of Kubernetes, but %s", json.is_list(object) and "a list"
                or object == json.null and "nothing" or "a " .. type(object))
        elseif type(object.kind) == "string" and object.kind:find "List$" and json.is_list(object.items) then
            for _, item in ipairs(object.items) do
                add(item, place)
            end
            return
        end
        local metadata = object.metadata
        for field, value in pairs { apiVersion = object.apiVersion or false, kind = object.kind or false,
            ["metadata.name"] = json.is_map(metadata) and metadata.name or false } do
            if type(value) ~= "string" or value == "" then
                fail(options, place, "this object has no %s", field)
            end
        end
        if type(metadata.namespace or "") ~= "string" and metadata.namespace ~= json.null then
            fail(options, place, "the namespace of %s %s is no string", object.kind, metadata.name)
        end
        flat[#flat + 1] = { object = object, place = place }
    end
    for i, object in ipairs(objects) do
        add(object, (options.places or {})[i] or { document = i })
    end
    return flat
end

--- Ends with an error where two objects are the same one.
function input.check_twice(flat, options)
    local seen = {}
    for _, entry in ipairs(flat) do
        local object = entry.object
        local group = object.apiVersion:match "^(.-)/" or ""
        local metadata = object.metadata
        local key = ("%s|%s|%s|%s"):format(group, object.kind, tostring(metadata.namespace), metadata.name)
        if seen[key] then
            local other = seen[key]
            fail(options, entry.place, "%s %s stands twice, also in %s", object.kind, object.metadata.name,
                show(options, other))
        end
        seen[key] = entry.place
    end
end

return input
