-- Inputs: values that a site gives when it runs, and that a profile only declares.

local check = require "bk.check"
local host = require "bk.host"

local input = {}

local Sealed = { kind = "sealed", what = "a secret value" }
local declared = {}

local function seal(text)
    return setmetatable({ text = text }, Sealed)
end

function Sealed.__concat(a, b)
    local function text(part)
        return check.kind(part) == "sealed" and part.text or tostring(part)
    end
    return seal(text(a) .. text(b))
end

function Sealed.__tostring()
    return "(secret)"
end

local types = {
    string = function(text)
        return text
    end,
    integer = math.tointeger,
    number = tonumber,
    boolean = function(text)
        local known = { ["true"] = true, ["false"] = false }
        return known[text]
    end,
}

local stand_ins = { string = "input", integer = 1, number = 1.0, boolean = false }

local rules = {
    secret = check.flag, optional = check.flag, env = check.text, default = check.scalar, doc = check.text,
    file = check.text,
    type = check.one_of("string", "integer", "number", "boolean"), command = check.list(check.text),
}

input.rules = rules

--- The text of a file by one of the host's readers; told at the input when it can't be read.
local function text_of_file(where, name, reader, path)
    local good, text = pcall(reader, path)
    if not good then
        check.fail(where, "input '%s': %s", name, text)
    end
    return (text:gsub("\r?\n$", ""))
end

--- The text of --input, and where it came from; later ones win.
local function from_command_line(where, name, spec)
    local found
    for _, given in ipairs(host.inputs) do
        if given.path == name then
            found = given.text
        end
    end
    if not found then
        return nil
    elseif found:sub(1, 1) == "@" then
        return text_of_file(where, name, host.operator_file, found:sub(2))
    elseif spec.secret then
        check.fail(where, "input '%s' is secret, and others can see a command line; give --input %s=@FILE%s", name,
            name, spec.env and " or set " .. spec.env or "")
    end
    return found
end

local function text_of(where, name, spec)
    local text = from_command_line(where, name, spec)
    if not text and spec.env then
        text = host.variable(spec.env)
        text = text ~= "" and text or nil -- as most programs: an empty variable is not set
    end
    if not text and spec.file then
        text = text_of_file(where, name, host.read, spec.file)
    end
    if not text and spec.command then
        local problem
        text, problem = host.command(spec.command)
        if not text and spec.default == nil then
            check.fail(where, "input '%s': %s", name, problem)
        end
        text = text and text:gsub("\r?\n$", "")
    end
    return text
end

--- bk.input "name" { type = "string", default, doc, secret = true, env = "VARIABLE", file = "path",
--- command = { "pass", "show", "x" } }: the value of --input name=value, else of the variable, else of the file
--- below the profile's folder, else what the command prints (with --allow-exec), else the default. A secret one
--- can only go into a bk.secret; an optional one (optional = true) is nil when nobody gives it.
function input.input(name)
    local where = host.where()
    if type(name) ~= "string" or not name:find "^[%a_][%w_.-]*$" then
        check.fail(where, "%s is no name of an input", check.show(name))
    end
    return function(spec)
        check.fields(where, ("input '%s'"):format(name), spec, rules)
        declared[name] = true
        local convert = types[spec.type or "string"]
        local text = text_of(where, name, spec)
        local value = spec.default
        if text == "" and spec.secret then
            check.fail(where, "input '%s' is secret, and what was given is empty", name)
        elseif text then
            value = convert(text)
        end
        if value == nil and text then
            check.fail(where, "input '%s' should be %s, not %s", name, spec.type == "boolean" and "true or false"
                or "a " .. spec.type, spec.secret and "what was given" or check.show(text))
        elseif value == nil and spec.optional then
            return nil
        elseif value == nil and check.collected() then
            value = stand_ins[spec.type or "string"] -- whether the profile is right does not hang on it
        elseif value == nil then
            check.fail(where, "input '%s' has no value%s; give --input %s=%s%s", name,
                spec.doc and (" (%s)"):format(spec.doc) or "", name, spec.secret and "@FILE" or "VALUE",
                spec.env and " or set " .. spec.env or "")
        end
        return spec.secret and seal(tostring(value)) or value
    end
end

--- Ends the evaluation when --input names one that the profile did not ask for.
function input.check_all()
    for _, given in ipairs(host.inputs) do
        if not declared[given.path] then
            error(("--input %s: the profile asks for no such input%s"):format(given.path,
                check.suggest(given.path, declared)), 0)
        end
    end
end

return input
