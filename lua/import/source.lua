-- Values and expressions as Lua source: what is short on one line, else a field a line.

local expression = require "import.expression"
local json = require "import.json"

local source = {}

local WIDTH = 120
local STEP = "    "

local keywords = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true "
    .. "until while"):gmatch "%S+" do
    keywords[word] = true
end

--- Whether a text can stand as a name.
function source.is_name(text)
    return type(text) == "string" and text:find "^[%a_][%w_]*$" ~= nil and not keywords[text]
end

-- Characters that a reader doesn't see, or that turn the direction of what follows: written by their numbers.
local hidden = { { 0x80, 0x9f }, { 0xad, 0xad }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
    { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f } }

local function is_hidden(code)
    for _, range in ipairs(hidden) do
        if code >= range[1] and code <= range[2] then
            return true
        end
    end
    return false
end

local function has_hidden(text)
    if not text:find "[\x80-\xff]" then
        return false
    end
    for _, code in utf8.codes(text) do
        if is_hidden(code) then
            return true
        end
    end
    return false
end

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

--- A string between double quotes.
function source.quoted(text)
    local made = text:gsub('[%c\\"]', function(c)
        return escapes[c] or ("\\x%02x"):format(c:byte())
    end)
    if not utf8.len(made) then
        made = made:gsub("[\x80-\xff]", function(c)
            return ("\\x%02x"):format(c:byte())
        end)
    elseif has_hidden(made) then
        local parts = {}
        for _, code in utf8.codes(made) do
            parts[#parts + 1] = is_hidden(code) and ("\\u{%x}"):format(code) or utf8.char(code)
        end
        made = table.concat(parts)
    end
    return '"' .. made .. '"'
end

--- A text of several lines between long brackets, where these give it back as it is; else nil.
local function bracketed(text)
    if not text:find "\n" or #text < 40 or text:find "[^%g \t\n\x80-\xff]" or not utf8.len(text)
        or has_hidden(text) then
        return nil
    end
    local level = ""
    while (text .. "]"):find("]" .. level .. "]", 1, true) do
        level = level .. "="
    end
    return ("[%s[\n%s]%s]"):format(level, text, level)
end

-- A long text that can't stand between long brackets: a line of it on each line.
local function lines_of(text, indent)
    local lines = {}
    for line in text:gmatch "[^\n]*\n?" do
        if line ~= "" then
            line = source.quoted(line):sub(2, -2)
            lines[#lines + 1] = #lines > 0 and line:gsub("^ ", "\\x20") or line
        end
    end
    return '"' .. table.concat(lines, "\\z\n" .. indent) .. '"'
end

local function number(value)
    if math.type(value) == "integer" then
        return value == math.mininteger and "math.mininteger" or ("%d"):format(value)
    elseif value == math.floor(value) and math.abs(value) < 2 ^ 53 then
        return ("%d"):format(value)
    end
    local text = ("%.17g"):format(value)
    if tonumber(("%.15g"):format(value)) == value then
        text = ("%.15g"):format(value)
    end
    return text:find "[.e]" and text or text .. ".0"
end

local function key_text(key)
    return source.is_name(key) and key or "[" .. source.quoted(key) .. "]"
end

-- Keys that readers look for first.
local ranks = {}
for i, key in ipairs { "apiVersion", "kind", "metadata", "name", "image", "key", "path", "type", "host", "port" } do
    ranks[key] = i - 100
end

-- Fields whose keys are names that somebody gave: in the order of the alphabet.
local named_maps = {}
for field in ("ports env files volumes claims resources node_selector nodes prefer_nodes labels annotations "
    .. "pod_volumes host_ports node_ports paths headers tls versions columns hard parameters matchLabels properties "
    .. "requests limits only default request max min ratio"):gmatch "%S+" do
    named_maps[field] = true
end

-- The order of what stands in a field: `{ inner = order }` for a map of names.
local function order_in(field, order)
    return named_maps[field] and { inner = order or {} } or order
end

local function sorted_keys(map, order)
    local keys = {}
    for key in next, map do
        keys[#keys + 1] = type(key) == "string" and key or nil
    end
    local function rank(key)
        if order and order.inner then
            return 0
        end
        return order and order[key] or ranks[key] or math.huge
    end
    table.sort(keys, function(a, b)
        local ra, rb = rank(a), rank(b)
        if ra ~= rb then
            return ra < rb
        end
        return a < b
    end)
    return keys
end

local print_value

-- How a call's argument is written: a string or table alone needs no parentheses.
local function arguments_text(arguments, indent, room, order)
    local first = arguments[1]
    local is_plain = type(first) == "table" and not expression.kind(first)
        and not (json.is_list(first) and #first == 0) -- that is a call: bk.array {}
    if #arguments == 0 then
        return "()"
    elseif #arguments == 1 and (type(first) == "string" or is_plain) then
        return " " .. print_value(first, indent, room, order)
    end
    local texts = {}
    for i, argument in ipairs(arguments) do
        texts[i] = print_value(argument, indent, room, order)
    end
    return "(" .. table.concat(texts, ", ") .. ")"
end

local function table_items(value, indent, room, order)
    local items = {}
    local inner = order and order.inner or order
    for i, item in ipairs(value) do
        items[i] = print_value(item, indent, room, inner)
    end
    for _, key in ipairs(sorted_keys(value, order)) do
        local name = key_text(key)
        items[#items + 1] = name .. " = " .. print_value(value[key], indent, room - #name - 3, order_in(key, inner))
    end
    return items
end

--- A value on one line of at most `room` characters, or nil.
local function on_line(value, room, order, depth)
    if expression.kind(value) or type(value) ~= "table" then
        if type(value) == "string" and #value > room then
            return nil
        end
        local text = print_value(value, "", room, order)
        return #text <= room and not text:find "\n" and text or nil
    elseif next(value) == nil then
        return json.is_list(value) and "bk.array {}" or "{}"
    elseif depth > 4 then
        return nil
    end
    local items, used = {}, 4
    local function add(name, item, item_order)
        local text = used + #name <= room and on_line(item, room - used - #name, item_order, depth + 1)
        if not text then
            return false
        end
        items[#items + 1] = name .. text
        used = used + #name + #text + 2
        return true
    end
    for _, item in ipairs(value) do
        if not add("", item, order and order.inner or order) then
            return nil
        end
    end
    for _, key in ipairs(sorted_keys(value, order)) do
        if not add(key_text(key) .. " = ", value[key], order_in(key, order and order.inner or order)) then
            return nil
        end
    end
    return "{ " .. table.concat(items, ", ") .. " }"
end

--- A table: on one line where that is short, else an item a line; lists of short scalars fill lines.
local function print_table(value, indent, room, order)
    local line = on_line(value, math.min(room, 110), order, 1)
    if line then
        return line
    end
    local inner = indent .. STEP
    local items = table_items(value, inner, WIDTH - #inner - 1, order)
    local are_short = #items > 3
    for _, item in ipairs(items) do
        are_short = are_short and #item <= 32 and not item:find "[{\n]"
    end
    if are_short then
        local lines, current = {}, inner
        for _, item in ipairs(items) do
            if #current + #item + 2 > WIDTH then
                lines[#lines + 1], current = current:gsub(" $", ""), inner
            end
            current = current .. item .. ", "
        end
        lines[#lines + 1] = current:gsub(" $", "")
        return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
    end
    for i, item in ipairs(items) do
        items[i] = inner .. item .. ",\n"
    end
    return "{\n" .. table.concat(items) .. indent .. "}"
end

--- The source of a value at an indent, with `room` characters left on its line.
function print_value(value, indent, room, order)
    local kind = expression.kind(value)
    if kind == "word" then
        return "bk." .. value.word
    elseif kind == "variable" then
        return value.variable
    elseif kind == "reference" then
        return value.part.variable
    elseif kind == "call" then
        return "bk." .. value.word .. arguments_text(value.arguments, indent, room - #value.word - 4, order)
    elseif kind == "method" then
        local object = print_value(value.object, indent, room, order)
        return object .. ":" .. value.name
            .. arguments_text(value.arguments, indent, room - #object - #value.name - 2, order)
    elseif type(value) == "table" then
        return print_table(value, indent, room, order)
    elseif type(value) == "string" then
        local is_long = #value > 80 and value:find "\n."
        return bracketed(value) or is_long and lines_of(value, indent .. STEP) or source.quoted(value)
    elseif type(value) == "number" then
        return number(value)
    elseif value == json.null then
        return "bk.null"
    end
    return tostring(value)
end

--- The source of a value. `order` ranks the fields of the outermost table.
function source.of(value, indent, used, order)
    indent = indent or ""
    return print_value(value, indent, WIDTH - #indent - (used or 0), order)
end

--- A name for a local variable, other than those in `taken`, which it is added to.
function source.variable(text, taken)
    local name = text:gsub("[^%w_]", "_"):gsub("^(%d)", "_%1")
    name = name:find "^[%a_]" and name or "part"
    local plain, count = name, 1
    while keywords[name] or taken[name] do
        count = count + 1
        name = keywords[plain] and count == 2 and plain .. "_" or plain .. "_" .. count
    end
    taken[name] = true
    return name
end

return source
