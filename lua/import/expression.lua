-- Expressions of a profile: what stands for the text bk.http "/ready" and has its value at the same time. A field is
-- built from the input as such an expression; its value is made by calling the language, its text is printed. Nothing
-- of the input is ever run.

local bk = require "bk"

local expression = {}

local Call, Method, Reference = { expression = "call" }, { expression = "method" }, { expression = "reference" }
local Word, Variable = { expression = "word" }, { expression = "variable" }

--- bk.word(...): `arguments` are values or expressions.
function expression.call(word, ...)
    return setmetatable({ word = word, arguments = { ... } }, Call)
end

--- object:name(...)
function expression.method(object, name, ...)
    return setmetatable({ object = object, name = name, arguments = { ... } }, Method)
end

--- A component, config or secret that has a name of its own in the profile: a part (import.part).
function expression.reference(part)
    return setmetatable({ part = part }, Reference)
end

--- bk.remove, bk.null.
expression.remove = setmetatable({ word = "remove" }, Word)
expression.null = setmetatable({ word = "null" }, Word)

--- The kind of an expression, "call", "method", "reference", "word" or "variable"; nil for plain values.
function expression.kind(value)
    local meta = type(value) == "table" and getmetatable(value)
    return meta and meta.expression or nil
end

--- A local variable of the text; it only stands where the text is printed, and has no value here.
function expression.variable(name)
    return setmetatable({ variable = name }, Variable)
end

--- Whether a value has no expressions in it.
function expression.is_plain(value)
    if type(value) ~= "table" then
        return true
    elseif expression.kind(value) then
        return false
    end
    for _, item in next, value do
        if not expression.is_plain(item) then
            return false
        end
    end
    return true
end

--- The value of an expression, or of a table with expressions in it. `on_reference(part)` is told of the parts.
function expression.value(node, on_reference)
    if type(node) ~= "table" then
        return node
    end
    local kind = expression.kind(node)
    if kind == "word" then
        return bk[node.word]
    elseif kind == "reference" then
        if on_reference then
            on_reference(node.part)
        end
        return node.part.live
    elseif not kind then
        local made = {}
        for key, item in next, node do
            -- What the input gives as a name may be anything; what is printed has texts for names.
            assert(type(key) == "string" or math.type(key) == "integer" and key >= 1 and key <= #node, "no name")
            made[key] = expression.value(item, on_reference)
        end
        return setmetatable(made, getmetatable(node))
    end
    local arguments = {}
    for i, argument in ipairs(node.arguments) do
        arguments[i] = expression.value(argument, on_reference)
    end
    if kind == "call" then
        return bk[node.word](table.unpack(arguments))
    end
    local object = expression.value(node.object, on_reference)
    return object[node.name](object, table.unpack(arguments))
end

return expression
