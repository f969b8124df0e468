local support = require "support"

--- A profile's folder, of files by path.
local function run(command, files, folder, ...)
    for path, text in pairs(files) do
        files[path] = "local bk = require 'bk'\n" .. text
    end
    return support.run(command, support.folder(files) .. "/" .. (folder or ""), ...)
end

local function with(list, more)
    return (more or "") .. "\nreturn bk.profile 'shop' { components = { " .. list .. " } }"
end

describe("a cycle", function()
    --- Rows: the components (from line 2 on), the list, what is said.
    local rows = {
        { "local db = bk.job 'db' { image = 'i:1', after = { 'web' } }\n"
            .. "local web = bk.job 'web' { image = 'i:1', needs = { db } }", "web, db",
            "web (F:3) needs db (F:2), which comes after web: a cycle" },
        { "local a = bk.raw 'a' { after = { 'c' } }\nlocal b = bk.raw 'b' { needs = { a } }\n"
            .. "local c = bk.service_account 'c' { after = { b }, needs = { b } }\nlocal d = bk.job 'd' { image = 'i', needs = { b } }",
            "d, a, b, c", "b (F:3) needs a (F:2), which comes after c (F:4), which needs b: a cycle" },
        { "local a = bk.role 'a' { after = { 'a' } }", "a", "a (F:2) comes after a: a cycle" },
    }
    for _, row in ipairs(rows) do
        it("is told with its edges, by every command: " .. row[3], function()
            for _, command in ipairs { "render", "check", "apply", "diff" } do
                local words = { command, { ["profile.lua"] = with(row[2], row[1]) } }
                if command == "apply" or command == "diff" then
                    words[4], words[5] = "--kubeconfig", "/dev/null"
                end
                local made = run(words[1], words[2], "", words[4], words[5])
                assert.equal(2, made.code, command .. made.err)
                local said = (made.out .. made.err):gsub("build/tmp/%w+/+profile.lua", "F")
                assert.is_truthy(said:find(row[3], 1, true), said)
            end
        end)
    end

    it("is none where two come after one", function()
        local made = run("render", { ["profile.lua"] = with("a, b, c", "local a = bk.raw 'a' { after = { 'b', 'c' } }\n"
            .. "local c = bk.raw 'c' {}\nlocal b = bk.raw 'b' { after = { c }, needs = { c } }") })
        assert.same({ 0, "" }, { made.code, made.err })
    end)
end)

describe("`after`", function()
    local rows = {
        { with "bk.raw 'web' {\nafter = { 'wbe' } }", 4,
            "component 'web' comes after 'wbe', which is no component of the profile; did you mean 'web'?" },
        { with("bk.raw 'web' { after = { db } }", "local db = bk.raw 'db' {}"), 3,
            "component 'web' comes after 'db' (F:2), which the profile does not list" },
        { with "bk.raw 'web' { after = 'db' }", 3, "component 'web': 'after' should be a list { ... }, not 'db'" },
        { with "bk.job 'web' { image = 'i', after = { 1 } }", 3,
            "component 'web': 'after' should be a list, each a component of the profile or the name of one, not a table" },
        { with "bk.raw 'web' { afte = {} }", 3, "component 'web': no field 'afte'; did you mean 'after'?" },
        { with "bk.raw 'web' { grace = '3 minutes' }", 3,
            "component 'web': 'grace' should be a duration such as 10s, 5m or 1h, not '3 minutes'" },
        { with "bk.role 'web' { grace = {} }", 3, "role 'web': 'grace' should be a duration such as 10s, 5m or 1h, not a table" },
    }
    for _, row in ipairs(rows) do
        it("is told at its line: " .. row[3], function()
            for _, command in ipairs { "render", "check" } do
                local made = run(command, { ["profile.lua"] = row[1] })
                local said = (made.out .. made.err):gsub("build/tmp/%w+/+profile.lua", "F")
                assert.equal(2, made.code, said)
                assert.is_truthy(said:find(row[3], 1, true), said)
                assert.is_truthy(said:find("F:" .. row[2] .. ": ", 1, true), said)
            end
        end)
    end

    it("is a word of everything that a profile lists, and `grace` too", function()
        local order = "after = { 'first' }, grace = '30s'"
        local words = { "deployment 'a' { image = 'i', %s }", "raw 'b' { %s }", "service 'c' { ports = { http = 80 }, %s }",
            "external 'd' { host = 'db.example.com', %s }", "network_policy 'e' { from = {}, %s }",
            "ingress 'f' { paths = { ['/'] = web }, %s }", "service_account 'g' { %s }", "claim 'h' { size = '1Gi', %s }",
            "priority_class 'i' { value = 1, %s }" }
        local lines = {}
        for i, word in ipairs(words) do
            lines[i] = "bk." .. word:format(order)
        end
        local list = ("web, bk.raw 'first' {}, lamp, lamp:resource 'hall' { spec = {}, %s }, %s"):format(order,
            table.concat(lines, ",\n"))
        local made = run("render", { ["profile.lua"] = with(list, "local web = bk.deployment 'web' { image = 'i', "
            .. "ports = { http = 80 } }\nlocal lamp = bk.crd 'lamps.example.com' { kind = 'Lamp', " .. order
            .. ", versions = { v1 = { type = 'object' } } }") })
        assert.same({ 0, "" }, { made.code, made.err })
        assert.is_falsy(made.out:find "grace:" or made.out:find "after:")
    end)
end)

describe("the order of a site", function()
    local base = with("web, bk.raw 'db' {}, bk.raw 'cache' {}", "local web = bk.job 'web' { image = 'i:1', after = { 'db' } }")

    --- What is said of a site of the base, with the site's file as S and the base's as F.
    local function said(site)
        local made = run("render", { ["shop/profile.lua"] = base, ["here/profile.lua"] = "return bk.extend 'shop' " .. site },
            "here")
        return (made.err:gsub("build/tmp/%w+/shop/profile.lua", "F"):gsub("build/tmp/%w+/here/profile.lua", "S"))
    end

    it("is the base's, where it says nothing else", function()
        assert.equal("", said "{}")
        assert.equal("bkdeploy: F:2: web (F:2) comes after db (S:2), which comes after web: a cycle\n",
            said "{ replace = { db = bk.raw 'db' { after = { 'web' } } } }")
        assert.equal("bkdeploy: F:2: web (F:2) comes after db (S:2), which comes after more (S:2), which comes after web: a cycle\n",
            said "{ replace = { db = bk.raw 'db' { after = { 'more' } } }, add = { bk.raw 'more' { after = { 'web' } } } }")
    end)

    it("is overridden", function()
        assert.equal("bkdeploy: F:2: web (F:2) comes after cache (S:2), which comes after web: a cycle\n",
            said "{ override = { web = { after = { 'cache' } } }, replace = { cache = bk.raw 'cache' { after = { 'web' } } } }")
        assert.equal("", said "{ override = { web = { after = { 'cache' } } }, replace = { db = bk.raw 'db' { after = { 'web' } } } }")
        assert.equal("", said "{ override = { web = { after = bk.remove, grace = '5s' } }, remove = { 'db' } }")
        assert.matches("S:2: component 'web' comes after 'gone', which is no component",
            said "{ override = { web = { after = { 'gone' } } } }")
    end)

    it("names no component that the site has removed", function()
        assert.matches("^bkdeploy: F:2: component 'web' comes after 'db', which is no component of the profile",
            said "{ remove = { 'db' } }")
    end)
end)
