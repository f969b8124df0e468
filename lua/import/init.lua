-- `bkdeploy import`: objects as they are deployed today, written down as a profile that makes the same. What is
-- written is first built by the language and compared with the input; what the words can't hold is said by a patch, or
-- as it is.

local bk = require "bk"
local input = require "import.input"
local json = require "import.json"
local layout = require "import.layout"
local names = require "import.names"
local parts = require "import.parts"
local profile = require "bk.profile"

local import = {}

-- Compiles the whole as the program will, and compares with the input.
local function is_same(around, objects, options)
    local live = {}
    for i, part in ipairs(around.parts) do
        live[i] = part.live
    end
    local good, made = pcall(function()
        local whole = bk.profile(options.name) { bare = true, namespace = around.namespace,
            labels = around.labels, components = live }
        return profile.compile(whole, nil, {})
    end)
    if not good then
        return false, made
    end
    local wanted, count = {}, 0
    local function key(object)
        return ("%s|%s|%s|%s"):format(object.apiVersion, object.kind, tostring(object.metadata.namespace),
            object.metadata.name)
    end
    for _, object in ipairs(objects) do
        wanted[key(object)] = object
        count = count + 1
    end
    for _, component in ipairs(made.components) do
        for _, object in ipairs(component.objects) do
            count = count - 1
            if not json.same(wanted[key(object)], object) then
                return false, key(object)
            end
        end
    end
    return count == 0, "objects are missing"
end

local function has_secrets(objects)
    for _, object in ipairs(objects) do
        if object.kind == "Secret" and (next(json.map(object.data)) or next(json.map(object.stringData))) then
            return true
        end
    end
    return false
end

--- The profile that makes `objects`, a list of them as Lua tables: empty lists and maps are marked as bk.array and
--- bk.object, null is cjson.null. `options`: name (of the profile), source (what the head comment and errors call the
--- input), places ({ document, line } of each object). Returns the text of one file, and the files of a folder by their
--- names below it, { ["profile.lua"] = text, ... }.
function import.write(objects, options)
    options = { name = names.new(options.name or "imported", "", {}), source = options.source, places = options.places }
    local flat = input.flatten(objects, options)
    input.check_twice(flat, options)
    local good, around, list = pcall(parts.of, flat, options, false)
    if not good or not is_same(around, list, options) then
        -- What is said for all objects can be too much for one of them.
        around, list = parts.of(flat, options, true)
        local is_good, problem = is_same(around, list, options)
        if not is_good then
            error(("%s: can't be written as a profile that makes the same (%s)"):format(options.source or "input",
                tostring(problem)), 0)
        end
    end
    local made = { name = options.name, source = options.source or "manifests", count = #list, parts = around.parts,
        namespace = around.namespace, labels = around.labels, has_secrets = has_secrets(list),
        release = around.release_name }
    return layout.one(made), layout.folder(made)
end

return import
