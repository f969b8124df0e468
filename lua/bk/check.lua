-- What a field may hold, and the one line that a mistake gets: where, what, and what would be right.

local host = require "bk.host"
local origin = require "bk.origin"

local check = {}

-- While mistakes are collected: those that there are. Else the first one ends the evaluation.
local found
local last -- the mistake that was raised last; the program may have made it a text since

local Mistake = { __tostring = function(mistake)
    return mistake.where .. ": " .. mistake.message
end }

--- From now on mistakes are collected: what can go on without the field or component in error does.
function check.collect()
    found = {}
end

--- Those collected, as { severity, rule, where, message, component, path }; nil when they are not.
function check.collected()
    return found
end

local function note(mistake)
    for _, other in ipairs(found) do
        if other.where == mistake.where and other.message == mistake.message then
            return
        end
    end
    mistake.severity = "error"
    found[#found + 1] = mistake
end

-- Fields that were given but are in error: { [table] = { name = true } }.
local refused = setmetatable({}, { __mode = "k" })

--- Whether nobody gave a field; one that is in error was given.
function check.missing(map, key)
    return map[key] == nil and not (refused[map] and refused[map][key])
end

-- What stands in the place of a value whose making failed: anything may be asked of it, and it is left out.
local broken
broken = setmetatable({}, { kind = "broken", what = "a value in error", __index = function()
    return broken
end, __call = function()
    return broken
end, __concat = function()
    return broken
end })

--- Takes values in error out of what a component is given. Whether there were any.
function check.strip(value, depth)
    local any = false
    depth = depth or 0
    if not found or type(value) ~= "table" or getmetatable(value) or depth > 8 then
        return false
    end
    for key, item in pairs(value) do
        if item == broken then
            value[key], any = nil, true
        elseif check.strip(item, depth + 1) then
            any = true
        end
    end
    return any
end

--- How many mistakes were collected so far.
function check.count()
    return found and #found or 0
end

--- Collects what error() raised, of the language or of the profile's own code.
function check.record(raised, rule)
    if getmetatable(raised) == Mistake then
        note(raised)
        return
    elseif last and type(raised) == "string" and raised:find(tostring(last), 1, true) then
        note(last)
        return
    end
    local first = tostring(raised):match "^[^\n]*"
    local where, message = first:match "^(.-:%d+): (.*)$"
    if not where then
        where, message = first:match "^([^ ]+%.lua): (.*)$"
        where = where and where .. ":1"
    end
    if not where and first:find "^%-%-" then
        where, message = first:match "^(%-%-%S+ [^:]*): (.*)$"
    end
    note { rule = rule or "error", where = where or "profile", message = message or first }
end

--- Calls a function; while mistakes are collected, one that it raises is, and the answer is false.
function check.guard(call, ...)
    if not found then
        call(...)
        return true
    end
    local good, raised = pcall(call, ...)
    if not good then
        check.record(raised)
    end
    return good
end

--- Ends the evaluation, of which nothing is left after the mistakes that were collected.
function check.again()
    last = found[1]
    error(tostring(setmetatable(last, Mistake)), 0)
end

--- The same function, which collects what it raises and answers with a value in error then; so do the functions that
--- it returns.
function check.lenient(call)
    return function(...)
        local results = table.pack(pcall(call, ...))
        if not results[1] then
            check.record(results[2])
            return broken
        elseif type(results[2]) == "function" then
            return check.lenient(results[2])
        end
        return table.unpack(results, 2, results.n)
    end
end

local function raise(where, field, rule, format, ...)
    local message = format:format(...)
    if found then
        last = setmetatable({ where = where, message = message, rule = rule, field = field }, Mistake)
        error(last, 0)
    end
    error(where .. ": " .. message, 0)
end

--- Ends the evaluation with one line. `where` is "file:line" (nil: the profile's line that runs now).
function check.fail(where, format, ...)
    raise(where or host.where() or "profile", nil, "invalid", format, ...)
end

--- The same for what is wrong with the field `key` of a table: at its own line where that is known, else at `where`.
function check.fail_at(where, map, key, format, ...)
    raise(origin.line(map, key) or where or host.where() or "profile", type(key) == "string" and key or nil, "invalid",
        format, ...)
end

--- The same for an entry of bk.ordered: at its own line.
function check.fail_entry(where, entry, format, ...)
    raise(origin.line(entry, "value") or where or host.where() or "profile",
        type(entry.name) == "string" and entry.name or nil, "invalid", format, ...)
end

--- Tells that a field is wrong; it is taken out of its table where mistakes are collected, so that the rest can be
--- looked at. `meant` is the name that was meant, if another one.
local function refuse(where, map, key, meant, rule, format, ...)
    local mistake = { where = origin.line(map, key) or where or host.where() or "profile", rule = rule,
        field = type(key) == "string" and key or nil, message = format:format(...) }
    if not found then
        error(mistake.where .. ": " .. mistake.message, 0)
    end
    note(mistake)
    map[key] = nil
    refused[map] = refused[map] or {}
    refused[map][meant or key] = true
end

-- Edits from one to the other, two letters that changed places being one.
local function distance(a, b)
    local before, above = nil, {}
    for j = 0, #b do
        above[j] = j
    end
    for i = 1, #a do
        local row = { [0] = i }
        for j = 1, #b do
            local cost = a:byte(i) == b:byte(j) and 0 or 1
            row[j] = math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + cost)
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
                row[j] = math.min(row[j], before[j - 2] + 1)
            end
        end
        before, above = above, row
    end
    return above[#b]
end

-- The name that is near enough to be meant, or nil.
local function nearest(name, names)
    local best, least
    for known in pairs(names) do
        local d = distance(tostring(name), tostring(known))
        if not least or d < least then
            best, least = known, d
        end
    end
    return best and least <= math.max(2, #tostring(name) // 3) and best or nil
end

--- "; did you mean 'replicas'?" where a name is near, else the names there are.
function check.suggest(name, names)
    local best = nearest(name, names)
    if best then
        return ("; did you mean '%s'?"):format(best)
    end
    local all = {}
    for known in pairs(names) do
        all[#all + 1] = tostring(known)
    end
    return #all > 0 and "; there is: " .. table.concat(all, ", ") or ""
end

--- Checks a table of named fields against rules: { name = rule }. A rule is a function that returns
--- nil, or what the value should be ("a whole number from 0 on").
function check.fields(where, what, value, rules)
    if type(value) ~= "table" then
        check.fail(where, "%s: wants a table { ... }, not %s", what, check.show(value))
    end
    for name, field in pairs(value) do
        local rule = rules[name]
        local wanted = rule and rule(field)
        if not rule then
            refuse(where, value, name, nearest(name, rules), "unknown-field", "%s: no field '%s'%s", what, name,
                check.suggest(name, rules))
        elseif wanted then
            refuse(where, value, name, nil, "wrong-type", "%s: '%s' should be %s, not %s", what, name, wanted,
                check.show(field))
        end
    end
end

--- Whether a string is text: UTF-8 without NUL, as all text of API objects is.
function check.is_text(value)
    return utf8.len(value) ~= nil and not value:find "\0"
end

--- A value for a message: short, and nothing of a table's content.
function check.show(value)
    if type(value) == "string" then
        return (#value > 60 or not check.is_text(value)) and "a string" or ("'%s'"):format((value:gsub("\n", "\\n")))
    elseif type(value) == "number" or type(value) == "boolean" then
        return tostring(value)
    end
    local meta = getmetatable(value)
    return type(meta) == "table" and meta.what or "a " .. type(value)
end

--- What kind of the language's own values this is: "component", "secret", ... or nil.
function check.kind(value)
    local meta = type(value) == "table" and getmetatable(value)
    return meta and meta.kind
end

-- Rules.

function check.any() end

function check.text(value)
    return type(value) ~= "string" and "a string" or nil
end

function check.flag(value)
    return type(value) ~= "boolean" and "true or false" or nil
end

function check.map(value)
    return (type(value) ~= "table" or value[1] ~= nil) and "a table { name = value }" or nil
end

--- Text, number or boolean: what can be written as the text of a variable or a key.
function check.scalar(value)
    local t = type(value)
    return t ~= "string" and t ~= "number" and t ~= "boolean" and "a string, number or boolean" or nil
end

function check.whole(least, most)
    local wanted = most and ("a whole number from %d to %d"):format(least, most)
        or ("a whole number from %d on"):format(least)
    return function(value)
        return (math.type(value) ~= "integer" or value < least or most and value > most) and wanted or nil
    end
end

function check.one_of(...)
    local allowed = { ... }
    return function(value)
        for _, one in ipairs(allowed) do
            if value == one then
                return nil
            end
        end
        return "one of " .. table.concat(allowed, ", ")
    end
end

--- A list whose every item passes the rule.
function check.list(rule)
    return function(value)
        if type(value) ~= "table" or next(value) ~= nil and #value == 0 or check.kind(value) then
            return "a list { ... }"
        end
        for _, item in ipairs(value) do
            local wanted = rule(item)
            if wanted then
                return "a list, each " .. wanted
            end
        end
    end
end

--- A value of the language of one of these kinds, as "a bk.config or bk.secret".
function check.is(wanted, ...)
    local kinds = {}
    for _, kind in ipairs { ... } do
        kinds[kind] = true
    end
    return function(value)
        return not kinds[check.kind(value)] and wanted or nil
    end
end

--- One rule or another.
function check.either(wanted, ...)
    local rules = { ... }
    return function(value)
        for _, rule in ipairs(rules) do
            if not rule(value) then
                return nil
            end
        end
        return wanted
    end
end

--- A DNS label (RFC 1123), as names of most objects: kubernetes.io/docs/concepts/overview/working-with-objects/names
function check.name(where, what, name)
    local good = type(name) == "string" and #name <= 63
        and (name:find "^[a-z0-9]$" or name:find "^[a-z0-9][-a-z0-9]*[a-z0-9]$")
    if not good then
        check.fail(where, "%s name %s: wants at most 63 of a-z, 0-9 and '-', no '-' at either end",
            what, check.show(name))
    end
end

return check
