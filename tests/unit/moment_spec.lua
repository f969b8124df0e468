local native = require "native"

describe("a point in time", function()
    --- Rows: seconds ago, the words.
    local rows = { { -5, "now" }, { 0, "now" }, { 40, "4%d s ago" }, { 185, "3 min ago" }, { 3599, "59 min ago|60 min ago|1 h ago" },
        { 7300, "2 h ago" }, { 47 * 3600, "47 h ago" }, { 3 * 86400 + 5, "3 days ago" } }
    for _, row in ipairs(rows) do
        it(("%d seconds back is told so"):format(row[1]), function()
            local text = native.moment_ago(os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - row[1]))
            local fits = false
            for words in row[2]:gmatch("[^|]+") do
                fits = fits or text:find("^" .. words .. "$") ~= nil
            end
            assert.is_true(fits, text)
        end)
    end

    it("may have a fraction, as that of a Lease", function()
        assert.equal("3 min ago", native.moment_ago(os.date("!%Y-%m-%dT%H:%M:%S.123456Z", os.time() - 185)))
    end)

    it("that is none stays as it is", function()
        for _, text in ipairs { "", "yesterday", "2026-11-24", "2026-11-24T08:00:00+02:00" } do
            assert.equal(text, native.moment_ago(text))
        end
    end)
end)

describe("who runs the program", function()
    local names = { "CI_JOB_URL", "BUILD_URL", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID" }
    after_each(function()
        for _, name in ipairs(names) do
            native.setenv(name)
        end
    end)

    it("is user and host", function()
        for _, name in ipairs(names) do
            native.setenv(name)
        end
        assert.matches("^[%w_.-]+@[%w_.-]+$", native.who_am_i())
    end)

    it("is also the CI job, on one line", function()
        native.setenv("GITHUB_SERVER_URL", "https://github.example")
        native.setenv("GITHUB_REPOSITORY", "shop/deploy")
        native.setenv("GITHUB_RUN_ID", "7")
        assert.matches("@[^ ]+ https://github.example/shop/deploy/actions/runs/7$", native.who_am_i())
        native.setenv("CI_JOB_URL", "https://git.example/1\nroot@x")
        assert.matches(" https://git.example/1%?root@x$", native.who_am_i())
    end)
end)

describe("moment_parse", function()
    it("reads times with any offset and fraction", function()
        local second = 1795485600 * 1000000000 -- 2026-11-24T02:00:00Z
        for text, wanted in pairs {
            ["2026-11-24T02:00:00Z"] = { second, 20 },
            ["2026-11-24T02:00:00.5Z and more"] = { second + 500000000, 22 },
            ["2026-11-24T10:00:00.123456789+08:00 x"] = { second + 123456789, 35 },
            ["2026-11-23T20:30:00-05:30"] = { second, 25 },
            ["2026-11-24T02:00:00.0000000019Z"] = { second + 1, 31 },
        } do
            assert.same(wanted, { native.moment_parse(text) }, text)
        end
        for _, text in ipairs { "", "failed to open", "2026-11-24", "2026-11-24T02:00:00", "2026-11-24T02:00:00+8" } do
            assert.equal(-1, (native.moment_parse(text)), text)
        end
    end)
end)
