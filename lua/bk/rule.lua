-- Rules of `bkdeploy check`: each looks at the release and reports what it finds, with a name by which it can be
-- switched off where there is a reason.

local check = require "bk.check"
local host = require "bk.host"

local rule = {}

local Rule = { kind = "rule", what = "a rule" }

local rules = { severity = check.one_of("error", "warning"), check = function(value)
    return type(value) ~= "function" and "a function of the release and of report" or nil
end, doc = check.text }

rule.rules = rules

--- bk.rule "name" { severity = "warning", doc = "what it is for", check = function(release, report) ... end }: a rule
--- of the profile's own, for its field `rules`.
function rule.rule(name)
    local where = host.where()
    check.name(where, "rule", name)
    return function(spec)
        local what = ("rule '%s'"):format(name)
        check.fields(where, what, spec, rules)
        if not spec.check then
            check.fail(where, "%s: no 'check'", what)
        end
        return setmetatable({ name = name, severity = spec.severity or "error", doc = spec.doc, where = where,
            check = spec.check }, Rule)
    end
end

local is_rule = check.is("a bk.rule", "rule")

--- What `rules` of a profile or site may be: a function is called only when rules are run.
rule.list_or_function = check.either("a list of bk.rule, or a function that returns one", function(value)
    return type(value) ~= "function" or nil
end, check.list(is_rule))

--- All rules of some profiles and sites: { { spec, where }, ... }, those of functions among them.
function rule.all(owners)
    local all = {}
    for _, owner in ipairs(owners) do
        local list = owner.spec.rules or {}
        if type(list) == "function" then
            list = list()
            check.strip(list)
        end
        if type(list) ~= "table" then
            check.fail_at(owner.where, owner.spec, "rules", "the function of 'rules' returns %s, not a list",
                check.show(list))
        end
        for _, one in pairs(list) do
            if is_rule(one) then
                check.fail_at(owner.where, owner.spec, "rules", "'rules' has %s, which is no bk.rule", check.show(one))
            end
            all[#all + 1] = one
        end
    end
    return all
end

--- What `allow` of a component, profile or site may be: a reason by the name of a rule.
function rule.allow(value)
    local wanted = "a table { [\"name-of-rule\"] = \"why it is right here\" }"
    if check.map(value) then
        return wanted
    end
    for name, reason in pairs(value) do
        if type(name) ~= "string" or type(reason) ~= "string" or not reason:find "%S" then
            return wanted
        end
    end
end

local function path_of(path)
    if type(path) ~= "string" then
        return path or {}
    end
    local keys = {}
    for name, rest in path:gmatch "([^.%[%]]+)([^.]*)" do
        keys[#keys + 1] = math.tointeger(name) or name
        for index in rest:gmatch "%[([^%]]+)%]" do
            keys[#keys + 1] = math.tointeger(index) or index
        end
    end
    return keys
end

--- Runs one rule. `found(entry, path, message)` is told of each finding; an error of the rule's own is one, too.
function rule.run(one, release, found)
    local function report(at, path, format, ...)
        local entry, prefix = at, {}
        if type(at) == "table" and at.entry then -- a pod
            entry, prefix = at.entry, type(path) == "string" and at.path or {}
        end
        if type(entry) ~= "table" or type(entry.object) ~= "table" or type(format) ~= "string" then
            error(("rule '%s': report wants an object or a pod of the release, a path and a text"):format(one.name), 2)
        end
        local full = table.move(prefix, 1, #prefix, 1, {})
        for _, key in ipairs(path_of(path)) do
            full[#full + 1] = key
        end
        found(entry, full, select("#", ...) > 0 and format:format(...) or format)
    end
    one.check(release, report)
end

return rule
