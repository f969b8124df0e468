local support = require "support"

--- Renders a profile whose components are `body`; `environment` is put before the command.
local function run(body, words, environment)
    local folder = support.folder({
        ["profile.lua"] = "local bk = require 'bk'\nreturn bk.profile 'shop' { components = { " .. body .. " } }",
        ["files/value.txt"] = "from a file\n", ["outside.txt"] = "of the operator\n",
    })
    return support.shell(("%s %s render %s %s"):format(environment or "", os.getenv("BKDEPLOY") or "build/bkdeploy",
        folder, (words or ""):gsub("FOLDER", folder))), folder
end

local function gives(value, ...)
    local made = run(...)
    assert.equal("", made.err)
    assert.matches("value: " .. value .. "\n", made.out)
end

local function fails(pattern, ...)
    local made = run(...)
    assert.equal(2, made.code)
    assert.equal("", made.out)
    assert.matches("^bkdeploy: [^\n]*" .. pattern, made.err)
    return made
end

local function config(fields)
    return ("bk.config 'c' { value = bk.input 'size' { %s } }"):format(fields)
end

describe("an input", function()
    it("comes from the command line, a variable, a file, a command, or its default, in this order", function()
        local all = config "env = 'SHOP_SIZE', file = 'files/value.txt', default = 'by default'"
        gives("given", all, "--input size=given", "SHOP_SIZE=variable")
        gives("of the operator", all, "--input size=@FOLDER/outside.txt")
        gives("variable", all, "", "SHOP_SIZE=variable")
        gives("from a file", all)
        gives("by default", config "env = 'SHOP_SIZE', default = 'by default'")
        gives("printed", config "command = { 'echo', 'printed' }", "--allow-exec")
        gives("by default", config "command = { 'echo', 'printed' }, default = 'by default'")
    end)

    it("has a type", function()
        local made = run("bk.deployment 'web' { image = 'i', replicas = bk.input 'size' { type = 'integer' } }",
            "--input size=4")
        assert.matches("replicas: 4\n", made.out)
        fails("profile.lua:2: input 'size' should be a integer, not 'many'", config "type = 'integer'", "--input size=many")
        gives('"false"', config "type = 'boolean'", "--input size=false")
    end)

    it("that is missing or not asked for is told", function()
        fails("profile.lua:2: input 'size' has no value %(how large%); give %-%-input size=VALUE or set SHOP_SIZE",
            config "doc = 'how large', env = 'SHOP_SIZE'")
        fails("%-%-input sise: the profile asks for no such input; did you mean 'size'%?", config "default = 1",
            "--input sise=1")
        fails("commands are run with %-%-allow%-exec only", config "command = { 'echo' }")
        fails("input 'size': false: ended with 1", config "command = { 'false' }", "--allow-exec")
        fails("input 'size': no%-such%-program: No such file", config "command = { 'no-such-program' }", "--allow-exec")
        fails("profile.lua:2: input 'size': /nowhere: No such file", config "default = 1", "--input size=@/nowhere")
        fails("profile.lua:2: input 'size': no file 'files/gone' below", config "file = 'files/gone'")
        gives("by default", config "env = 'SHOP_SIZE', default = 'by default'", "", "SHOP_SIZE=")
        fails("input 'size' is secret, and what was given is empty",
            "bk.secret 's' { a = bk.input 'size' { secret = true } }", "--input size=@/dev/null")
        fails("lies outside the profile's folder", config "file = '../../../Makefile'")
    end)

    it("that is secret goes into Secrets only, and is not shown", function()
        local secret = "bk.secret 's' { url = 'amqp://u:' .. bk.input 'pass' { secret = true, env = 'SHOP_PASS' } .. '@h' }"
        local made = run(secret, "--show-secrets", "SHOP_PASS=hunter2")
        assert.matches("url: YW1xcDovL3U6aHVudGVyMkBo\n", made.out)
        assert.matches("url: KioqKioq\n", run(secret, "", "SHOP_PASS=hunter2").out)
        fails("belongs into a bk.secret", "bk.config 'c' { a = bk.input 'pass' { secret = true, env = 'SHOP_PASS' } }", "",
            "SHOP_PASS=hunter2")
        made = fails("env A should be", "bk.deployment 'w' { image = 'i', env = { A = bk.input 'pass' { secret = true, "
            .. "env = 'SHOP_PASS' } } }", "", "SHOP_PASS=hunter2")
        assert.is_nil(made.err:find("hunter2"))
        fails("input 'pass' is secret, and others can see a command line; give %-%-input pass=@FILE or set SHOP_PASS",
            secret, "--input pass=hunter2")
    end)
end)

describe("a generated value", function()
    it("goes into Secrets only", function()
        fails("belongs into a bk.secret", "bk.config 'c' { a = bk.generated() }")
        fails("bk.generated: 'length' should be a whole number from 1", "bk.secret 's' { a = bk.generated { length = 0 } }")
        fails("bk.tls_pair: no 'names'", "bk.secret 's' (bk.tls_pair {})")
        fails("so its name can't follow its content", "bk.secret 's' { a = bk.generated() }:hashed()")
    end)

    it("is not there before the apply", function()
        local made = run("bk.secret 's' { a = bk.generated() }")
        assert.matches("a: KioqKioq\n", made.out)
    end)
end)
