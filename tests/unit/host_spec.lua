local support = require "support"

--- Renders a profile.lua with this text; returns the run and the folder.
local function render(text, ...)
    local folder = support.folder({ ["profile.lua"] = text })
    return support.run("render", folder, ...), folder
end

describe("the Lua host", function()
    local function fails(text, pattern, ...)
        local run = render(text, ...)
        assert.equal(2, run.code)
        assert.equal("", run.out)
        assert.matches(pattern, run.err)
        return run
    end

    it("names file and line of a syntax error", function()
        fails("local x = 1\nlocal y = = 2", "^bkdeploy: build/tmp/%w+/profile%.lua:2: unexpected symbol")
    end)

    it("names a profile that is not there", function()
        local run = support.run("render", "build/tmp/nowhere.lua")
        assert.equal(2, run.code)
        assert.matches("^bkdeploy: build/tmp/nowhere.lua: no such profile", run.err)
    end)

    it("refuses a profile that returns nothing", function()
        fails("local x = 1", "the profile returns nothing")
    end)

    it("ends an endless loop, also one that catches errors", function()
        fails("while true do pcall(function() while true do end end) end",
            "profile%.lua:1: the profile does not end within 10 million instructions",
            "--instruction-limit", "10")
    end)

    it("ends a call that does not end", function()
        fails("local s = ('a'):rep(60)\nreturn s:find(('a-'):rep(30) .. 'b')",
            "profile%.lua[:%d]*: the profile hangs near here in one call")
    end)

    it("ends at Ctrl-C", function()
        local folder = support.folder({ ["profile.lua"] = "while true do pcall(function() end) end" })
        local run = support.shell(("timeout --foreground --preserve-status -s INT 1.5 %s render %s --instruction-limit 100000")
            :format(os.getenv("BKDEPLOY") or "build/bkdeploy", folder))
        assert.equal(130, run.code)
        assert.equal("bkdeploy: interrupted while evaluating the profile\n", run.err)
    end)

    it("ends a table bomb with its line", function()
        fails("local t = {}\nfor i = 1, 1e9 do\n t[i] = {}\nend",
            "profile%.lua:%d: the profile needs more than 16 MiB of memory", "--memory-limit", "16")
    end)

    it("ends a traceback where the user's code ends", function()
        local run = fails("local function f()\n error('no')\nend\nlocal function g()\n f()\n return 1\nend\ng()",
            "^bkdeploy: build/tmp/%w+/profile%.lua:2: no\n  at [^\n]+:2 in 'f'\n  at [^\n]+:5 in 'g'\n  at [^\n]+:8\n$")
        assert.is_nil(run.err:find("%[C%]"))
    end)

    for _, name in ipairs { "io", "debug", "package", "dofile", "loadfile", "collectgarbage",
        "os.execute", "os.getenv", "os.remove", "string.dump" } do
        it("has no " .. name, function()
            fails(("error(tostring(%s), 0)"):format(name), "nil")
        end)
    end

    it("loads text but no bytecode", function()
        fails([[assert(load("return 1")() == 1) ; error(select(2, load("\27Lua")), 0)]],
            "attempt to load a binary chunk")
    end)

    it("keeps from profiles what only the language's own modules may call", function()
        for _, code in ipairs { "require 'bk.host'", "require 'bk'; require 'bk.host'",
            "coroutine.wrap(require)('bk.host')", "load('return require \"bk.host\"', '=[bk.check]')()" } do
            fails(code, "no module 'bk.host'")
        end
        for _, file in ipairs { "bk", "bk.input", "bk.config", "bk.profile" } do
            fails(("local m = require '%s' error(tostring(rawget(m, 'operator_file') or rawget(m, 'host')), 0)"):format(file),
                "nil")
        end
    end)

    it("requires files below the profile's folder and nothing else", function()
        local folder = support.folder({
            ["profile.lua"] = "error(require('parts.web').name, 0)",
            ["parts/web.lua"] = "return { name = 'from parts' }",
        })
        assert.matches("from parts", support.run("render", folder).err)
        fails("require '../secret'", "profile.lua:1: '../secret' is no module name")
        fails("require 'socket'", "profile.lua:1: no module 'socket'")
    end)

    it("refuses a link that leads out of the folder", function()
        local folder = support.folder({ ["profile.lua"] = "require 'out'" })
        os.execute(("ln -s /etc/passwd %s/out.lua"):format(folder))
        local run = support.run("render", folder)
        assert.equal(2, run.code)
        assert.matches("out.lua lies outside the profile's folder", run.err)
        assert.is_nil(run.err:find("root:", 1, true))
    end)

    it("has cjson", function()
        fails("error(require('cjson').encode({ 1, 2 }), 0)", "%[1,2%]")
    end)

    it("iterates tables in the order of their keys", function()
        fails("local s = '' for k in pairs { c = 1, a = 1, b = 1 } do s = s .. k end error(s, 0)", "abc")
    end)
end)
