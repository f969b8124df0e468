-- Health scripts in Argo CD's form: those below tests/health with their own tests, and what the sandbox does to bad ones.
local cjson = require "cjson"
local native = require "native"
local support = require "support"

local states = { Healthy = "Current", Progressing = "InProgress", Degraded = "Failed", Suspended = "InProgress",
    Missing = "NotFound", Unknown = "Unknown" }

--- The objects of a file (a path, or what is to be in one) as `status -f` tells them.
local function told(input, folder, ...)
    if not input:find "^tests/" then
        input = support.folder { ["objects.yaml"] = input } .. "/objects.yaml"
    end
    local run = support.run("status", "-f", input, "--health-dir", folder, "-o", "json", ...)
    assert.is_true(run.code == 0 or run.code == 1, run.err)
    return cjson.decode(run.out), run
end

local thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: one}\n"

--- What the script of Thing in a folder of its own makes of an object; and that folder.
local function script(text, object, ...)
    local folder = support.folder { ["example.com/Thing/health.lua"] = text }
    local rows, run = told(object or thing, folder, ...)
    return rows[1], folder, run
end

describe("the health scripts of tests/health", function()
    local count = 0
    for path in io.popen("find tests/health -name health_test.yaml | LC_ALL=C sort"):lines() do
        count = count + 1
        local folder = path:match "^(.*)/"
        local tests = cjson.decode((assert(native.yaml_parse(support.read(path))))).tests
        it(("judge as %s says"):format(path), function()
            assert.is_true(#tests > 0)
            for _, test in ipairs(tests) do
                local wanted = test.healthStatus
                local found = told(folder .. "/" .. test.inputPath, "tests/health")[1]
                assert.same({ test.inputPath, states[wanted.status], wanted.status, wanted.message },
                    { test.inputPath, found.status, found.reason, found.message })
            end
        end)
    end

    it("are many", function()
        assert.is_true(count >= 20)
    end)

    it("leave kinds and objects to their own rules that they have nothing on", function()
        assert.equal("Current", told("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "tests/health")[1].status)
        local found = told("apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: a}\nstatus: "
            .. "{conditions: [{type: Ready, status: 'False', reason: Busy, message: at work}]}\n", "tests/health")[1]
        assert.same({ "InProgress", "Busy", "at work" }, { found.status, found.reason, found.message })
    end)

    it("are not asked of what is being deleted, or of another generation", function()
        local application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a, generation: 3%s}\n"
            .. "status: {observedGeneration: %d, health: {status: Degraded, message: broken}}\n"
        assert.equal("InProgress", told(application:format("", 2), "tests/health")[1].status)
        assert.equal("Failed", told(application:format("", 3), "tests/health")[1].status)
        assert.equal("Terminating", told(application:format(", deletionTimestamp: '2026-01-01T00:00:00Z'", 3),
            "tests/health")[1].status)
    end)
end)

describe("the choice of a health script", function()
    local folder = support.folder {
        ["a.example.com/Thing/health.lua"] = "return { status = 'Healthy', message = 'exact' }",
        ["_.example.com/Thing/health.lua"] = "return { status = 'Healthy', message = 'group' }",
        ["_.example.com/_/health.lua"] = "return { status = 'Healthy', message = 'both' }",
        ["a.example.com/_Set/health.lua"] = "return { status = 'Healthy', message = 'part of a kind' }",
        ["Thing/health.lua"] = "return { status = 'Healthy', message = 'core' }",
        ["other.com/Thing/health_test.yaml"] = "tests: []",
        [".git/Thing/health.lua"] = "error 'hidden'",
    }

    local function chosen(api_version, kind)
        return told(("apiVersion: %s\nkind: %s\nmetadata: {name: a}\n"):format(api_version, kind), folder)[1].message
    end

    it("takes names before patterns, and of those the one that says most", function()
        assert.equal("exact", chosen("a.example.com/v1", "Thing"))
        assert.equal("group", chosen("b.example.com/v1", "Thing"))
        assert.equal("group", chosen("b.c.example.com/v1", "Thing"))
        assert.equal("both", chosen("b.example.com/v1", "Other"))
        assert.equal("part of a kind", chosen("a.example.com/v1", "ThingSet"))
        assert.equal("core", chosen("v1", "Thing"))
        assert.equal("", chosen("example.com/v1", "Thing"))
        assert.equal("", chosen("other.com/v1", "Thing"))
    end)
end)

describe("a health script", function()
    it("finds numbers as JSON has them", function()
        local found = script([[
            local s = obj.spec
            return { status = "Healthy", message = s.whole .. " " .. s.big .. " " .. tostring(s.real) .. " "
                .. tostring(10 / 2) .. " " .. string.format("%d %s %d%% %.2f", 7 / 2, 6 / 2, 50.0, 0.5) .. " " .. #s.list }
        ]], thing .. "spec: {whole: 3, big: 9007199254740993, real: 2.5, list: []}\n")
        assert.equal("3 9007199254740993 2.5 5 3 3 50% 0.50 0", found.message)
    end)

    it("finds no nulls", function()
        local found = script([[
            return { status = obj.spec.gone == nil and #obj.spec.list == 2 and "Healthy" or "Degraded",
                message = type(obj.status) }
        ]], thing .. "spec: {gone: null, list: [1, 2]}\nstatus: null\n")
        assert.same({ "Current", "nil" }, { found.status, found.message })
    end)

    it("has the names of Lua 5.1", function()
        local found = script([[
            local list = { 4, 5 }
            local a, b = unpack(list)
            local words = {}
            table.foreachi(list, function(i, value) words[i] = value * 2 end)
            for word in string.gfind("x y", "%a") do words[#words + 1] = word end
            return { status = "Healthy", message = table.getn(list) .. a + b .. math.pow(2, 3) .. math.mod(7, 4)
                .. loadstring("return 6")() .. table.maxn(list) .. table.concat(words, ",") }
        ]])
        assert.equal("2983628,10,x,y", found.message)
    end)

    it("may ask for the time, and for nothing else of the machine", function()
        local found = script([[
            local year = os.date("!%Y", os.time({ year = 2020, month = 6, day = 1, hour = 0 }))
            return { status = "Healthy", message = table.concat({ year, tostring(io), tostring(require),
                tostring(os.execute), tostring(os.getenv), tostring(os.remove), tostring(debug), tostring(package),
                tostring(dofile), tostring(loadfile), tostring(string.dump), tostring(collectgarbage) }, " ") }
        ]])
        assert.equal("2020" .. (" nil"):rep(11), found.message)
    end)

    it("leaves nothing to the next object", function()
        local folder = support.folder { ["example.com/Thing/health.lua"] = [[
            count = (count or 0) + 1
            string.seen = (string.seen or 0) + 1
            return { status = "Healthy", message = count .. string.seen }
        ]] }
        for _, row in ipairs(told(thing .. "---\n" .. thing, folder)) do
            assert.equal("11", row.message)
        end
    end)

    local bad = {
        { "raises", "local x = obj.status\nreturn x.phase.name", ":2: attempt to index a nil value (local 'x')" },
        { "raises with a message of its own", "\nerror('no such phase')", ":2: no such phase" },
        { "raises a table", "error({})", ": an error that is not a string" },
        { "raises in a function that it calls", "local function f()\n  error('deep')\nend\nf()\nreturn 1", ":2: deep" },
        { "has a mistake in it", "return {\n  status = = 1 }", ":2: unexpected symbol near '='" },
        { "goes on without end", "local i = 0\nwhile true do\n  i = i + 1\nend",
            ": the health script does not end within 10 million instructions" },
        { "goes on without end inside a pcall", "while true do pcall(function() while true do end end) end",
            ": the health script does not end within 10 million instructions" },
        { "takes memory without end", "local s = 'x'\nwhile true do\n  s = s .. s\nend",
            ": the health script needs more than 32 MiB of memory" },
        { "takes memory in one call", "local x = 1\nx = x + 1\nlocal s = string.rep('x', 1e9)\nreturn s",
            ": the health script needs more than 32 MiB of memory" },
        { "takes memory in tables", "local t = {}\nwhile true do\n  t[#t + 1] = {}\nend",
            ": the health script needs more than 32 MiB of memory" },
        { "recurses without end", "local function f()\n  return 1 + f()\nend\nf()", ":2: the health script needs more than" },
        { "returns no table", "return 'Healthy'", ": returned a string, not a table { status, message }" },
        { "returns no status", "return {}", ": returned the status nil; wants Healthy," },
        { "returns another status", "return { status = 'Fine' }", ": returned the status Fine; wants Healthy," },
        { "wants a module", "local x = require('json')", ":1: attempt to call a nil value (global 'require')" },
        { "is bytecode", string.dump(load "return { status = 'Healthy' }"), "attempt to load a binary chunk" },
    }
    for _, row in ipairs(bad) do
        it(("that %s counts as Unknown, with its place"):format(row[1]), function()
            local found, folder = script(row[2])
            assert.equal("Unknown", found.status)
            assert.equal(folder .. "/example.com/Thing/health.lua", found.message:sub(1, #folder + 29))
            assert.is_truthy(found.message:find(row[3], 1, true), found.message)
        end)
    end

    it("that goes on without end tells a line of the loop", function()
        assert.is_truthy(script("local i = 0\nwhile true do\n  i = i + 1\nend").message:find "lua:[23]: ")
        assert.is_truthy(script("local s = 'x'\nwhile true do\n  s = s .. s\nend").message:find "lua:[23]: ")
    end)

    it("may say what is no text", function()
        local found = script("return { status = 'Degraded', message = 'a\\255b\\0c\\n' }")
        assert.same({ "Failed", "a?b" }, { found.status, found.message })
    end)

    it("may be given other limits", function()
        assert.is_truthy(script("while true do end", nil, "--instruction-limit", "1").message:find "1 million")
        local big = "return { status = 'Healthy', message = tostring(#('x'):rep(50 * 1024 * 1024)) }"
        assert.equal("Unknown", script(big).status)
        assert.equal("52428800", script(big, nil, "--memory-limit", "200").message)
    end)

    it("of another object still runs after a bad one", function()
        local folder = support.folder { ["example.com/Thing/health.lua"] = "error 'no'",
            ["example.com/Other/health.lua"] = "return { status = 'Degraded', message = 'broken' }" }
        local rows = told(thing .. "---\n" .. thing:gsub("Thing", "Other"), folder)
        assert.same({ "Unknown", "Failed" }, { rows[1].status, rows[2].status })
    end)
end)

describe("--health-dir", function()
    it("wants a folder with scripts", function()
        local run = support.run("status", "-f", "tests/unit/status", "--health-dir", "none/such")
        assert.same({ 2, "bkdeploy: --health-dir none/such: No such file or directory\n" }, { run.code, run.err })
        local empty = support.folder { ["a/b/c.lua"] = "" }
        run = support.run("status", "-f", "tests/unit/status", "--health-dir", empty)
        assert.same({ 2, ("bkdeploy: --health-dir %s: has no <group>/<Kind>/health.lua\n"):format(empty) },
            { run.code, run.err })
    end)
end)
