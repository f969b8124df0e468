-- Origins: which lines of the profile made a field. What the profile's code and the language do to tables is recorded
-- by the host (src/script/origin.c, from what src/script/trace.c reads in the text) while a profile is evaluated for
-- it. What can't be read there is linked here: copies, merges, loops over a table's fields. Lines are looked up for
-- the few fields that somebody asks about.

local host = require "bk.host"

local origin = {}

local weak = { __mode = "k" }
local links = setmetatable({}, weak) -- made[key] comes from: { { table, key } or { where = line } , ... }
local lasts = setmetatable({}, weak) -- the same, of what the profile did to the field before
local bases = setmetatable({}, weak) -- made is a copy of
local stacks = setmetatable({}, weak) -- lines through which a component was made

local tracing = host.traced ~= nil and host.tracing()

local function add(map, made, key, link)
    local of = map[made]
    if not of then
        of = {}
        map[made] = of
    end
    local list = of[key]
    if not list then
        of[key] = { link }
    else
        list[#list + 1] = link
    end
end

--- The field made[key] comes from source[source_key].
function origin.from(made, key, source, source_key)
    if tracing and made and source then
        add(links, made, key, { source, source_key })
    end
    return made
end

--- The field made[key] was something else, and is now from source[source_key].
function origin.last(made, key, source, source_key)
    if tracing then
        add(lasts, made, key, { source, source_key })
    end
end

--- `made` is a copy of `base`: its fields come from there where nothing else is said of them.
function origin.copy(made, base)
    if tracing then
        bases[made] = base
    end
    return made
end

--- made[key] was set at a line, or by an option of the command line.
function origin.note(made, key, where)
    if tracing then
        add(lasts, made, key, { where = where })
    end
end

--- Remembers through which lines of the profile `part` is made: those of the helpers that made it, and of who
--- called them.
function origin.mark(part)
    if tracing then
        stacks[part] = host.stack()
    end
    return part
end

local collect

local function follow(steps, list, seen)
    for _, link in ipairs(list or {}) do
        if link.where then
            steps[#steps + 1] = link.where
        else
            collect(steps, link[1], link[2], seen)
        end
    end
end

-- `seen` holds the fields that were looked at: a value may be made from itself (labels = labels or {}).
function collect(steps, made, key, seen)
    local keys = seen[made] or {}
    if keys[key] then
        return
    end
    seen[made], keys[key] = keys, true
    if bases[made] then
        collect(steps, bases[made], key, seen)
    end
    follow(steps, (links[made] or {})[key], seen)
    for _, step in ipairs(host.traced(made, key)) do
        for _, link in ipairs(step.links) do
            collect(steps, link[1], link[2], seen)
        end
        for _, where in ipairs(step.locals) do
            steps[#steps + 1] = where
        end
        steps[#steps + 1] = step.where -- nil for what the language itself did
    end
    follow(steps, (lasts[made] or {})[key], seen)
end

--- The lines that set made[key], the last one last; none when nobody knows.
function origin.steps(made, key)
    local steps = {}
    if tracing and type(made) == "table" then
        collect(steps, made, key, {})
    end
    return steps
end

--- The line that set made[key] last, or nil.
function origin.line(made, key)
    local steps = origin.steps(made, key)
    return steps[#steps]
end

--- All lines that led to what lies at `path` (a list of keys, and indexes from 0) of `object`, the one that set it
--- last, beginning with those that made `part`. A line stands once.
function origin.chain(part, object, path)
    local lines, index = {}, {}
    local function append(where)
        if index[where] then
            table.remove(lines, index[where])
            for i = index[where], #lines do
                index[lines[i]] = i
            end
        end
        lines[#lines + 1] = where
        index[where] = #lines
    end
    for _, where in ipairs(stacks[part] or { part.where }) do
        append(where)
    end
    local at = object
    for _, key in ipairs(path) do
        if type(at) ~= "table" then
            break
        end
        key = math.type(key) == "integer" and key + 1 or key
        for _, where in ipairs(origin.steps(at, key)) do
            append(where)
        end
        at = rawget(at, key)
    end
    return lines
end

return origin
