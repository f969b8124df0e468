-- What a hook is given: how things stand, and what it can do. Called by the program; all that leaves Lua goes through
-- the one function `ask(what, request)` of src/script/hook.c.

local check = require "bk.check"
local host = require "bk.host"
local profile = require "bk.profile"
local quantity = require "bk.quantity"
local tables = require "bk.tables"

local context = {}

local List = { __name = "bk.array" }

local hooks, environment

--- The hooks of what the profile made, which are kept for context.of(): { { name, component, timeout } }.
function context.list(made)
    local list = setmetatable({}, List)
    hooks, environment = profile.hooks_of(made)
    for i, one in ipairs(hooks) do
        list[i] = { name = one.name, component = one.component, timeout = one.timeout }
    end
    return list
end

local function is_name(value)
    return (type(value) ~= "string" or value == "") and "a text" or nil
end

local labels = check.either("a text as \"app=web\", or a table { app = \"web\" }", check.text, check.map)

local kind = { apiVersion = is_name, kind = is_name, namespace = is_name }

local function of_kind(more)
    for name, rule in pairs(kind) do
        more[name] = rule
    end
    return more
end

local function is_table(value)
    return type(value) ~= "table" and "a table" or nil
end

-- The fields of each request to the API server, and those that must be given.
local kube_rules = {
    get = of_kind { name = is_name },
    list = of_kind { labels = labels },
    patch = of_kind { name = is_name, patch = is_table, type = check.one_of("merge", "strategic", "json") },
    delete = of_kind { name = is_name },
    logs = { pod = is_name, container = is_name, namespace = is_name, tail = check.whole(1), previous = check.flag },
}
local kube_required = {
    get = { "apiVersion", "kind", "name" }, list = { "apiVersion", "kind" },
    patch = { "apiVersion", "kind", "name", "patch" }, delete = { "apiVersion", "kind", "name" }, logs = { "pod" },
}

local function check_request(what, spec, rules, required)
    local where = host.where()
    check.fields(where, what, spec, rules)
    for _, field in ipairs(required) do
        if spec[field] == nil then
            check.fail(where, "%s: no '%s'", what, field)
        end
    end
end

-- A label selector as a text.
local function selector(given)
    if type(given) ~= "table" then
        return given
    end
    local all = {}
    for name, value in pairs(given) do
        all[#all + 1] = ("%s=%s"):format(name, value)
    end
    return table.concat(all, ",")
end

local function kube(ask)
    local made = {}
    for verb, rules in pairs(kube_rules) do
        made[verb] = function(spec)
            check_request("ctx.kube." .. verb, spec, rules, kube_required[verb])
            return ask("kube." .. verb, tables.with(spec, { labels = selector(spec.labels) }))
        end
    end
    return made
end

local function is_timeout(value)
    return (not quantity.seconds(value) or quantity.seconds(value) < 1) and "a duration such as 10s or 1m" or nil
end

local http_rules = {
    url = is_name, method = check.one_of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), headers = check.map,
    body = check.text, json = check.any, timeout = is_timeout, ca = check.text,
}

local function http(ask)
    local made = {}
    function made.request(spec)
        check_request("ctx.http", spec, http_rules, { "url" })
        if spec.body and spec.json ~= nil then
            check.fail(nil, "ctx.http: 'body' or 'json', not both")
        end
        local headers = {}
        for name, value in pairs(spec.headers or {}) do
            if type(name) ~= "string" or name:find "[^%w!#$%%&'*+.^_`|~-]" or check.scalar(value)
                or tostring(value):find "%c" then
                check.fail(nil, "ctx.http: headers: %s is no header of one line", check.show(name))
            end
            headers[name] = tostring(value)
        end
        return ask("http", { url = spec.url, method = spec.method, headers = headers, body = spec.body,
            json = spec.json, timeout = spec.timeout and quantity.seconds(spec.timeout), ca = spec.ca })
    end
    local function shorthand(method)
        return function(spec)
            local request = { method = method }
            for name, value in pairs(type(spec) == "table" and spec or { url = spec }) do
                request[name] = value
            end
            return made.request(request)
        end
    end
    made.get, made.post = shorthand "GET", shorthand "POST"
    return made
end

-- Text as values can hold it, whatever it was.
local function readable(text)
    return check.is_text(text) and text or text:gsub("[\0\x80-\xff]", "?")
end

local function is_words(value)
    return (check.list(check.text)(value) or not value[1]) and "a list of texts { \"program\", \"argument\" }" or nil
end

-- What may be asked for though a hook does not have it.
local optional = { component = true, error = true, plan = true, results = true, revision = true }

local Context = { __index = function(self, key)
    if not optional[key] then
        check.fail(nil, "ctx has no '%s'%s", tostring(key), check.suggest(tostring(key), self))
    end
end }

--- The function of a hook, by its number from 0, and the context that it is to have: `given` is how things stand.
function context.of(number, given, ask)
    given.environment = environment
    given.kube, given.http = kube(ask), http(ask)
    function given.log(format, ...)
        if type(format) ~= "string" then
            check.fail(nil, "ctx.log wants a text, not %s", check.show(format))
        end
        local good, text = pcall(string.format, format, ...)
        if not good and select("#", ...) > 0 then
            check.fail(nil, "ctx.log: %s", (text:gsub("^bad argument (#%d+) to '.-' ", "argument %1 ")))
        end
        ask("log", { text = readable(select("#", ...) > 0 and text or format) })
    end
    function given.sleep(duration)
        local seconds = type(duration) == "number" and duration or quantity.seconds(duration)
        if not seconds or not (seconds >= 0 and seconds <= 86400) then
            check.fail(nil, "ctx.sleep wants a duration such as 2s or 1m, not %s", check.show(duration))
        end
        ask("sleep", { seconds = seconds })
    end
    function given.run(words)
        if is_words(words) then
            check.fail(nil, "ctx.run wants %s, not %s", is_words(words), check.show(words))
        end
        return ask("run", { words = words })
    end
    return hooks[number + 1].run, setmetatable(given, Context)
end

return context
