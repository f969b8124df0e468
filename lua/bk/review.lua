-- What `bkdeploy check` finds in a profile, and what `bkdeploy explain` tells of it. Called by the program.

local check = require "bk.check"
local origin = require "bk.origin"
local profile = require "bk.profile"
local release = require "bk.release"
local rule = require "bk.rule"

local review = {}

local own_rules = {}
for _, name in ipairs { "pods", "references", "traffic", "whole" } do
    for _, one in ipairs(require("bk.rules." .. name)) do
        own_rules[#own_rules + 1] = one
    end
end
review.rules = own_rules

local kept -- what the profile made

--- From now on mistakes are collected, those of the language's words too.
function review.collect()
    check.collect()
    local bk = require "bk"
    for name, word in pairs(bk) do
        if type(word) == "function" and name ~= "fail" then
            bk[name] = check.lenient(word)
        end
    end
end

function review.compile(self, ...)
    if check.kind(self) == "broken" then
        check.again()
    end
    kept = profile.compile(self, ...)
    return kept
end

local List = { __name = "bk.array" }

--- The names of a profile's environments; none when it has none.
function review.environments(self)
    local names = setmetatable({}, List)
    if check.kind(self) == "profile" then
        for name in pairs(self.spec.environments or {}) do
            names[#names + 1] = name
        end
    end
    return names
end

--- The lines that led to what lies at `path` of an object, which is given by its numbers.
function review.origin(component_index, object_index, path)
    local component = kept.components[component_index]
    return setmetatable(origin.chain(profile.part_of(component), component.objects[object_index], path), List)
end

-- The line of a finding: that of its field, or the nearest around it.
local function where_of(component, object, path)
    local lines = origin.chain(profile.part_of(component), object, path)
    return lines[#lines] or component.origin
end

local function add_problems(findings, problems)
    local broken = {}
    for _, problem in ipairs(problems) do
        local component = kept.components[problem.component + 1]
        local object = component.objects[problem.object + 1]
        broken[object] = broken[object] or problem.severity == "error"
        local message = problem.message
        if problem.other then
            message = ("%s, at %s"):format(message, where_of(component, object, problem.other))
        end
        findings[#findings + 1] = { severity = problem.severity, rule = problem.rule, message = message,
            component = component.name, object = { kind = object.kind, name = (object.metadata or {}).name },
            path = setmetatable(problem.path, List), where = where_of(component, object, problem.path) }
    end
    return broken
end

local function run_rules(findings, broken, is_whole)
    local view = release.new(kept, function(object)
        return broken[object]
    end)
    local function run(one)
        local function found(entry, path, message)
            local object = entry.object
            findings[#findings + 1] = { severity = one.severity, rule = one.name, message = message,
                component = entry.component.name,
                object = object.kind and { kind = object.kind, name = (object.metadata or {}).name } or nil,
                path = setmetatable(path, List), where = where_of(entry.component, object, path) }
        end
        rule.run(one, view, found)
    end
    for _, one in ipairs(own_rules) do
        if is_whole or not one.whole then
            run(one)
        end
    end
    local function guarded(call, ...)
        local good, result = pcall(call, ...)
        if not good then
            check.record(result, "rule-failed")
        end
        return good and result or {}
    end
    -- They may look at anything, so they see a release only that is one.
    if is_whole and next(broken) == nil then
        for _, one in ipairs(guarded(profile.rules_of, kept)) do
            guarded(run, one)
        end
    end
end

local function file_and_line(where)
    local file, line = where:match "^(.-):(%d+)"
    return file or where, math.tointeger(line) or 0
end

local function before(a, b)
    local file, line = file_and_line(a.where)
    local other_file, other_line = file_and_line(b.where)
    if file ~= other_file then
        return file < other_file
    elseif line ~= other_line then
        return line < other_line
    end
    return a.index < b.index
end

--- All findings: those that were collected, the schema's `problems`, those of the rules; without what is allowed.
--- `failure` is the message of what ended the evaluation.
function review.findings(problems, failure)
    local findings = check.collected()
    if failure then
        check.record(failure, "error")
    end
    if kept then
        local is_whole = #findings == 0
        run_rules(findings, add_problems(findings, problems), is_whole)
    end
    local left = setmetatable({}, List)
    for i, finding in ipairs(findings) do
        if not (kept and profile.allows(kept, finding.component, finding.rule)) then
            finding.index = i
            left[#left + 1] = finding
        end
    end
    table.sort(left, before)
    for _, finding in ipairs(left) do
        finding.index = nil
    end
    return left
end

return review
