local support = require "support"

--- The annotations: functions with their examples, and the fields of classes, inherited ones included.
local function read_annotations()
    local functions, classes, example = {}, {}, nil
    local class
    for line in io.lines "lua/bk.meta.lua" do
        local text = line:match "^%-%-%- ?(.*)"
        local name, parent = line:match "^%-%-%-@class bk%.(%w+):? ?b?k?%.?(%w*)"
        local field = line:match "^%-%-%-@field ([%w_]+)"
        local made = line:match "^function bk%.([%w_]+)" or line:match "^bk%.([%w_]+) ="
        if name then
            class = { parent = parent, fields = {} }
            classes[name] = class
        elseif field then
            class.fields[field] = true
        elseif text == "```lua" then
            example = {}
        elseif text and text ~= "```" and example and not example.closed then
            example[#example + 1] = text
        elseif text == "```" then
            example.closed = true
        elseif made then
            functions[made] = example or false
            example = nil
        end
    end
    local function all(name)
        local found = {}
        while name ~= "" do
            for one in pairs(classes[name].fields) do
                found[one] = true
            end
            name = classes[name].parent
        end
        return found
    end
    return functions, all
end

-- What the example of bk.extend extends.
local base = [[
local bk = require "bk"
return bk.profile "shop" { environments = { prod = { replicas = 3 } }, components = function(env)
    return { bk.deployment "web" { image = "hub.example.com/shop:1", replicas = env.replicas, ports = { http = 80 },
        ingress = { host = "shop.example.com" } } }
end }]]

local functions, fields_of = read_annotations()

--- What a profile finds that has these other files: `code` is an expression of a text.
local function found_by_profile(code, files)
    files = files or {}
    files["profile.lua"] = "local bk = require 'bk' print(" .. code .. ") return bk.profile 'x' { components = {} }"
    return support.run("render", support.folder(files)).err
end

--- The words that a profile finds: `code` is an expression of a table.
local function keys(code)
    local text = found_by_profile(("(function() local all = {} for k in pairs(%s) do all[#all + 1] = k end "
        .. "return table.concat(all, ' ') end)()"):format(code))
    local found = {}
    for word in text:gmatch "%S+" do
        found[word] = true
    end
    return found
end

describe("the reference of the language", function()
    it("is what the annotations say", function()
        assert.equal(support.shell("lua5.4 docs/reference.lua").out, support.read "docs/profile.md")
    end)

    it("has every function of bk, and no other", function()
        local real, written = keys "require 'bk'", {}
        real.compile = nil -- the program's own
        for name in pairs(functions) do
            written[name] = true
        end
        assert.same(real, written)
    end)

    local kinds = {
        { "require('bk.profile').rules", "ProfileFields" }, { "require('bk.site').rules", "ExtendFields" },
        { "require('bk.input').rules", "InputFields" }, { "require('bk.conflict').rules", "ConflictFields" },
        { "require('bk.rule').rules", "RuleFields" }, { "require('bk.hook').rules", "HookFields" },
        { "require('bk.workload').kinds.Deployment", "DeploymentFields" },
        { "require('bk.workload').kinds.StatefulSet", "StatefulsetFields" },
        { "require('bk.workload').kinds.DaemonSet", "DaemonsetFields" },
        { "require('bk.workload').kinds.Job", "JobFields" }, { "require('bk.workload').kinds.Task", "TaskFields" },
        { "require('bk.workload').kinds.CronJob", "CronjobFields" },
        { "require('bk.component').rules['service account']", "ServiceAccountFields" },
        { "require('bk.component').rules['priority class']", "PriorityClassFields" },
        { "require('bk.component').rules['quota']", "QuotaFields" },
        { "require('bk.component').rules['limits']", "LimitsFields" },
        { "require('bk.component').rules['crd']", "CrdFields" },
        { "require('bk.component').rules['storage class']", "StorageClassFields" },
        { "require('bk.component').rules['persistent volume']", "PersistentVolumeFields" },
        { "require('bk.component').rules['claim']", "ClaimFields" },
        { "require('bk.component').rules['network policy']", "NetworkPolicyFields" },
        { "require('bk.component').rules['role']", "RoleFields" },
        { "require('bk.component').rules['cluster role']", "ClusterRoleFields" },
        { "require('bk.component').rules['role binding']", "RoleBindingFields" },
        { "require('bk.component').rules['cluster role binding']", "ClusterRoleBindingFields" },
        { "require('bk.route').service_rules", "ServicePart" }, { "require('bk.route').ingress_rules", "IngressPart" },
    }
    for _, row in ipairs(kinds) do
        it("has every field of " .. row[2], function()
            local real, written = keys("(require 'bk') and " .. row[1]), fields_of(row[2])
            if row[1]:find "rules%[" then
                real.needs, real.meta, real.patch, real.allow = nil, nil, nil, nil -- of every component
                real.keep, real.replace, real.after, real.grace = nil, nil, nil, nil
            end
            assert.same(real, written)
        end)
    end

    for name, example in pairs(functions) do
        if example then
            it("has an example of bk." .. name .. " that works", function()
                local code = table.concat(example, "\n")
                assert.is_truthy(code:find("bk." .. name, 1, true))
                if not code:find "return bk%." then
                    local names = {}
                    for one in code:gmatch "local ([%w_]+) =" do
                        names[#names + 1] = one
                    end
                    code = code .. ("\nlocal list = {}\nfor _, part in ipairs { %s } do\n"
                        .. "local meta = type(part) == 'table' and getmetatable(part)\n"
                        .. "if meta and part.where and part.name then list[#list + 1] = part end\nend\n"
                        .. "return bk.profile 'example' { components = list }"):format(table.concat(names, ", "))
                end
                local folder = support.folder({
                    ["site/profile.lua"] = "local bk = require 'bk'\n" .. code, ["site/files/my.cnf"] = "[mysqld]\n",
                    ["shop/profile.lua"] = base,
                })
                local run = support.run("render", folder .. "/site")
                assert.equal("", run.err)
                assert.matches("kind: %w+", run.out)
            end)
        end
    end

    it("has an example for every function", function()
        for name, example in pairs(functions) do
            assert.is_truthy(example, name)
        end
    end)
end)

--- The rules of a module as a profile finds them: a row of a table each.
local function rows_of(rules, files)
    local rows = {}
    for row in found_by_profile(([[(function()
        local rows = {}
        for _, rule in ipairs(%s) do
            rows[#rows + 1] = ("| `%%s` | %%s | %%s |\n"):format(rule.name, rule.severity, rule.doc)
        end
        return table.concat(rows)
    end)()]]):format(rules), files):gmatch "[^\n]+" do
        rows[#rows + 1] = row
    end
    return rows
end

describe("the list of rules", function()
    local page = support.read "docs/check.md"

    it("has those of check, with their severity, and no other", function()
        -- What is not a rule of lua/bk/rules: of the language, of an object's form, of the program.
        local real = { invalid = "error", error = "error", ["unknown-field"] = "error", ["wrong-type"] = "error",
            ["rule-failed"] = "error", ["bad-crd"] = "error" }
        for name in support.read("src/object/validate.h"):gmatch '#define VALIDATE_[A-Z0-9_]+ +"([^"]+)"' do
            real[name] = (name == "deprecated-version" or name == "null-value") and "warning" or "error"
        end
        for _, row in ipairs(rows_of "require('bk.review').rules") do
            local name, severity = row:match "^| `([^`]+)` | (%w+) |"
            real[name] = severity
        end
        local written = {}
        for names, severities in page:match("## Rules\n(.-)\n## "):gmatch "\n| (`[^|]+) | ([^|]+) |" do
            local each = severities:gmatch "%w+"
            local severity = each()
            for name in names:gmatch "`([^`]+)`" do
                assert.is_nil(written[name], name)
                written[name] = severity
                severity = each() or severity
            end
        end
        assert.same(real, written)
    end)

    it("has those of bklog as they are there", function()
        local written = {}
        for row in page:gmatch "\n(| `bklog%-[^\n]+)" do
            written[#written + 1] = row
        end
        assert.same(rows_of("require 'parts.rules'", {
            ["parts/rules.lua"] = support.read "profiles/bklog/parts/rules.lua",
        }), written)
    end)
end)
