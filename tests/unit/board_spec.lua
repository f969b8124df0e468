local cjson = require "cjson"
local native = require "native"
local support = require "support"

local states = { waiting = 0, applying = 1, rolling = 2, missing = 3, ready = 4, failed = 5, blocked = 6 }

--- Rows as the board takes them: { name, state, words, elapsed = ms, ready =, wanted =, finished = }.
local function board(rows, columns, height, colour)
    local list = {}
    for i, row in ipairs(rows) do
        list[i] = { name = row[1], state = states[row[2]], words = row[3] or "", elapsed = row.elapsed or -1,
            ready = row.ready or 0, wanted = row.wanted or 0, finished = row.finished or 0 }
    end
    local shown, leaving, plain = native.board(cjson.encode(list), columns, height or 50, colour)
    local lines = {}
    for line in shown:gmatch "[^\n]+" do
        lines[#lines + 1] = line
    end
    return lines, leaving, plain
end

--- Columns of texts by Unicode's own properties, as Python knows them.
local function widths(lines)
    local folder = support.folder {
        ["lines"] = table.concat(lines, "\n"),
        ["widths.py"] = [[
import sys, unicodedata as u
for line in open(sys.argv[1], encoding="utf-8").read().split("\n"):
    print(sum(0 if u.category(c) in ("Mn", "Me", "Cf") or "\u1160" <= c <= "\u11ff"
              else 2 if u.east_asian_width(c) in "WF" else 1 for c in line))
]],
    }
    local found = {}
    for number in support.shell(("python3 %s/widths.py %s/lines"):format(folder, folder)).out:gmatch "%d+" do
        found[#found + 1] = tonumber(number)
    end
    assert.equal(#lines, #found)
    return found
end

local typical = {
    { "mysql", "ready", "2 objects", elapsed = 12345, ready = 1, wanted = 1, finished = 1 },
    { "elasticsearch-coordinating", "rolling", "StatefulSet elasticsearch-coordinating: 0 of 3 ready", elapsed = 65000,
        ready = 0, wanted = 3 },
    { "web", "waiting", "needs mysql, elasticsearch-coordinating" },
    { "api", "failed", "Deployment api: pod api-1: container api: no image", elapsed = 3723000 },
    { "beat", "blocked", "by api, which failed" },
}

describe("the lines of components", function()
    it("have state, name, time, count and words where there is room", function()
        assert.same({
            "ready     mysql                         12.3s  1/1  2 objects",
            "rolling   elasticsearch-coordinating    1m05s  0/3  StatefulSet elasticsearch-coordinating: 0 of 3 ready",
            "waiting   web                                       needs mysql, elasticsearch-coordinating",
            "failed    api                           1h02m       Deployment api: pod api-1: container api: no image",
            "blocked   beat                                      by api, which failed",
        }, (board(typical, 120)))
    end)

    it("give up words, counts and times, and then cut names, in a narrower window", function()
        assert.same({
            "rolling   elasticsearch-coordinating    1m05s  0/3  StatefulSet elasticsearch-…",
            "rolling   elasticsearch-coordinating    1m05s  0/3",
            "rolling   elasticsearch-coordinating",
            "rolling   elasticse…",
            "~ elasticsear…",
            "~ elastic…",
        }, { board(typical, 80)[2], board(typical, 54)[2], board(typical, 40)[2], board(typical, 21)[2],
            board(typical, 16)[2], board(typical, 12)[2] })
    end)

    local texts = {
        { "plain", "web", "Deployment web: 1 of 3 available, and much more of what is said of it" },
        { "wide", "数据库-データベース", "等待控制器看到变化，等待控制器看到变化，等待控制器看到变化，等待控制器看到变化" },
        { "combining", "e\u{301}e\u{301}e\u{301}a\u{308}\u{301}x", ("n\u{303}o\u{302}\u{301}"):rep(40) },
        { "emoji", "🚀-🇩🇪-👩‍💻", ("🚀✅👩‍💻"):rep(20) },
        { "jamo", "\u{1112}\u{1161}\u{11AB}", ("\u{1112}\u{1161}\u{11AB} "):rep(30) },
    }
    for _, text in ipairs(texts) do
        it("never reach the edge of a window of any width: " .. text[1], function()
            local all, limits = {}, {}
            for columns = 10, 200, text[1] == "plain" and 1 or 3 do
                local rows = { { text[2], "rolling", text[3], elapsed = 1000, ready = 1, wanted = 12 },
                    { "other", "waiting", "needs " .. text[2] } }
                for _, line in ipairs((board(rows, columns))) do
                    all[#all + 1], limits[#limits + 1] = line, columns - 1
                end
            end
            for i, width in ipairs(widths(all)) do
                assert(width <= limits[i], ("%d columns of %d: %s"):format(width, limits[i], all[i]))
                assert(utf8.len(all[i]), all[i])
            end
        end)
    end

    it("align behind wide names and never cut through a character", function()
        local lines = board({ { "数据库", "rolling", "x", elapsed = 0 }, { "web", "rolling", "y", elapsed = 0 } }, 80)
        assert.same({ "rolling   数据库       0s  x", "rolling   web          0s  y" }, lines)
        assert.equal("~ e\u{301}\u{302}e\u{301}…", board({ { ("e\u{301}\u{302}e\u{301}"):rep(9), "rolling" } }, 7)[1])
    end)

    it("show what a terminal would obey as text", function()
        local lines, _, plain = board({ { "a\27[2J\nb", "failed", "\27]0;t\7 \u{202E}x\r\ty" } }, 80)
        assert.equal("failed    a\\x1B[2J\\nb           \\x1B]0;t\\x07 \\u202Ex\\r y", lines[1])
        assert.not_matches("[%c\u{202E}]", (lines[1]:gsub("\u{202E}", "\0")))
        assert.not_matches("\27", plain)
    end)

    it("are coloured by their state alone", function()
        assert.equal("\27[32mready   \27[0m  a", board({ { "a", "ready", finished = 1 } }, 80, 10, true)[1])
    end)

    describe("of more components than the window has lines", function()
        local rows = {}
        for i = 1, 20 do
            local state = i <= 8 and "ready" or i <= 12 and "rolling" or "waiting"
            rows[i] = { ("c%02d"):format(i), state, finished = state == "ready" and 9 - i or 0 }
        end

        local function names(lines)
            local found = {}
            for i, line in ipairs(lines) do
                found[i] = line:match "^%l+ +(%w+)" or line
            end
            return table.concat(found, " ")
        end

        it("let the finished leave, the first to finish first, and only as many as have to", function()
            local shown, leaving = board(rows, 80, 16)
            assert.equal("c01 c02 c03 c09 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19 c20", names(shown))
            assert.equal("c08 c07 c06 c05 c04", (leaving:gsub("ready +(%w+)[^\n]*\n", "%1 "):gsub(" $", "")))
        end)

        it("keep those that move, and tell how many more there are", function()
            assert.equal("c09 c10 c11 c12 c13 … and 7 more: 7 waiting", names((board(rows, 80, 7))))
            assert.equal("c09 c10 … and 10 more: 8 waiting 2 rolling", names((board(rows, 80, 4))))
            assert.equal("… and 12 more: 8 waiting 4 rolling", names((board(rows, 80, 1))))
        end)
    end)

    it("are plain in a file, with the words up to some hundred columns", function()
        local _, _, plain = board({ { "web", "rolling", ("x"):rep(1000), elapsed = 1234 },
            { "mysql", "ready", "1 object", elapsed = 50 } }, 20)
        assert.matches("^rolling   web       1%.2s  x+…\nready     mysql     0%.1s  1 object\n$", plain)
        assert.equal(299, select(2, plain:gsub("x", "")))
    end)
end)
