-- What a field may hold, and the one line that a mistake gets: where, what, and what would be right.

local host = require "bk.host"

local check = {}

--- Ends the evaluation with one line. `where` is "file:line" (nil: the profile's line that runs now).
function check.fail(where, format, ...)
    error(("%s: %s"):format(where or host.where() or "profile", format:format(...)), 0)
end

-- Edits from one to the other, two letters that changed places being one.
local function distance(a, b)
    local before, last = nil, {}
    for j = 0, #b do
        last[j] = j
    end
    for i = 1, #a do
        local row = { [0] = i }
        for j = 1, #b do
            local cost = a:byte(i) == b:byte(j) and 0 or 1
            row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
            if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
                row[j] = math.min(row[j], before[j - 2] + 1)
            end
        end
        before, last = last, row
    end
    return last[#b]
end

--- "; did you mean 'replicas'?" where a name is near, else the names there are.
function check.suggest(name, names)
    local best, least
    for known in pairs(names) do
        local d = distance(tostring(name), tostring(known))
        if not least or d < least then
            best, least = known, d
        end
    end
    if best and least <= math.max(2, #tostring(name) // 3) then
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
        if not rule then
            check.fail(where, "%s: no field '%s'%s", what, name, check.suggest(name, rules))
        end
        local wanted = rule(field)
        if wanted then
            check.fail(where, "%s: '%s' should be %s, not %s", what, name, wanted, check.show(field))
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
