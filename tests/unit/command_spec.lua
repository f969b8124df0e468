local cjson = require "cjson"
local support = require "support"

describe("the command line", function()
    it("prints help and the version on standard output", function()
        for _, words in ipairs { { "help" }, { "--help" }, { "version" }, { "apply", "--help" }, { "help", "render" } } do
            local run = support.run(table.unpack(words))
            assert.equal(0, run.code)
            assert.equal("", run.err)
            assert.is_true(#run.out > 0)
        end
        assert.matches("Examples:", support.run("apply", "--help").out)
    end)

    --- Rows: the words, the message.
    local wrong = {
        { { "aply" }, "no command 'aply'; see bkdeploy help" },
        { { "render" }, "no profile given: usage: bkdeploy render PROFILE" },
        { { "render", "a", "b" }, "one argument too many" },
        { { "render", "a", "--wait" }, "no option %-%-wait; see bkdeploy render %-%-help" },
        { { "render", "a", "--no-wait" }, "no option %-%-no%-wait" },
        { { "render", "a", "-e" }, "%-e wants a value" },
        { { "render", "a", "-o", "xml" }, "%-%-output of render is yaml or json, not 'xml'" },
        { { "apply", "a", "-o", "yaml" }, "%-%-output of apply is json, not 'yaml'" },
        { { "apply", "a", "--timeout", "10" }, "%-%-timeout wants a duration such as 90s, 10m or 1h, not '10'" },
        { { "apply", "a", "--timeout", "-1s" }, "wants a duration" },
        { { "render", "a", "--color", "blue" }, "%-%-color wants auto, always or never, not 'blue'" },
        { { "render", "a", "--memory-limit", "0" }, "%-%-memory%-limit wants a whole number above 0, not '0'" },
    }
    for _, row in ipairs(wrong) do
        it("refuses: bkdeploy " .. table.concat(row[1], " "), function()
            local run = support.run(table.unpack(row[1]))
            assert.equal(2, run.code)
            assert.equal("", run.out)
            assert.matches("^bkdeploy: [^\n]*" .. row[2] .. "[^\n]*\n$", run.err)
        end)
    end

    it("says so when its output can't be written", function()
        local run = support.shell((os.getenv("BKDEPLOY") or "build/bkdeploy") .. " render profiles/hello >/dev/full")
        assert.equal(1, run.code)
        assert.matches("cannot write to standard output", run.err)
    end)

    it("colours where it is told to", function()
        for when, coloured in pairs { always = true, never = false, auto = false } do
            local run = support.run("check", "tests/broken/no-image.lua", "--color", when)
            assert.equal(coloured, run.out:find("\27[", 1, true) ~= nil, when)
        end
    end)

    it("prints a v1 List as JSON", function()
        local list = cjson.decode(support.run("render", "profiles/hello", "-o", "json").out)
        assert.same({ "v1", "List", 5 }, { list.apiVersion, list.kind, #list.items })
    end)
end)
