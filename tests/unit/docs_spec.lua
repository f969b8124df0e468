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

--- The words that a profile finds: `code` is an expression of a table.
local function keys(code)
    local folder = support.folder({ ["profile.lua"] = ("local all = {} for k in pairs(%s) do all[#all + 1] = k end "
        .. "error(table.concat(all, ' '), 0)"):format(code) })
    local found = {}
    for word in support.run("render", folder).err:gsub("^bkdeploy: [^ ]*profile.lua:1: ", ""):gsub("^bkdeploy: ", "")
        :gmatch "%S+" do
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
        { "require('bk.input').rules", "InputFields" },
        { "require('bk.rule').rules", "RuleFields" },
        { "require('bk.workload').kinds.Deployment", "DeploymentFields" },
        { "require('bk.workload').kinds.StatefulSet", "StatefulsetFields" },
        { "require('bk.workload').kinds.DaemonSet", "DaemonsetFields" },
        { "require('bk.workload').kinds.Job", "JobFields" }, { "require('bk.workload').kinds.CronJob", "CronjobFields" },
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
