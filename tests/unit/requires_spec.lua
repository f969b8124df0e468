local native = require "native"
local support = require "support"

describe("a range of versions", function()
    --- Rows: range, versions within, versions without.
    local rows = {
        { "^1.12.0", { "1.12.0", "1.13.4", "v1.99", "1.12.0-rc1" }, { "1.11.9", "2.0.0", "0.1", "latest" } },
        { "^0.3.1", { "0.3.1", "0.3.9" }, { "0.4.0", "0.3.0", "1.0.0" } },
        { "^0.0.3", { "0.0.3" }, { "0.0.4", "0.1.0" } },
        { "~1.2.3", { "1.2.3", "1.2.9" }, { "1.3.0", "1.2.2" } },
        { ">=1.2", { "1.2.0", "3.0" }, { "1.1.9" } },
        { "1.2", { "1.2.0", "1.2.7" }, { "1.3.0", "1" } },
        { "", { "1", "0.0.1" }, { "none" } },
    }
    for _, row in ipairs(rows) do
        it(("'%s' has those that it should"):format(row[1]), function()
            for _, version in ipairs(row[2]) do
                assert.is_true(native.in_range(version, row[1]), version)
            end
            for _, version in ipairs(row[3]) do
                assert.is_false(native.in_range(version, row[1]), version)
            end
        end)
    end

    it("that is none is told", function()
        local run = support.run("render", support.folder({ ["profile.lua"] = "return require('bk').profile 'a' { requires = "
            .. "{ 'bkiam => 1' }, components = {} }" }))
        assert.equal(2, run.code)
        assert.matches("profile.lua:1: profile 'a': requires: 'bkiam => 1' is not as \"bkiam %^1.12.0\"", run.err)
    end)
end)
