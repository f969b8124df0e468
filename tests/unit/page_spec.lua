local cjson = require "cjson"
local native = require "native"
local browse = require "browser"
local support = require "support"

cjson.encode_sparse_array(true)

local evil = "</title></style></svg><script>alert(1)</script><img src=x onerror='a()'>\" ' & &lt; \27[31m\27]8;;x\7 "
    .. "\226\128\174 \0301\r\n\127\194\155"
-- What of it a reader sees.
local seen = "</title></style></svg><script>alert(1)</script><img src=x onerror='a()'>\" ' & &lt; \\x1B[31m\\x1B]8;;x\\x07 "
    .. "\\u202E \\x1E1\\r\\n\\x7F\\x9B"
local escaped = seen:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"):gsub("'", "&#39;")

local tags = {}
for tag in ("html head meta link title style body main header section footer nav div span p h1 h2 h3 a b i br dl dt dd code "
    .. "pre ins del details summary table tr th td svg defs pattern rect line circle path g text"):gmatch "%w+" do
    tags[tag] = true
end
local void = { meta = true, link = true, br = true }

local entities = { ["&amp;"] = "&", ["&lt;"] = "<", ["&gt;"] = ">", ["&quot;"] = '"', ["&#39;"] = "'" }

--- Plain, as a page has many thousands of what is asked for.
local function check(holds, words)
    if not holds then
        error(words, 0)
    end
end

--- Holds a page against the grammar that it is written in: known elements that close each other, attributes in double
--- quotes, and nothing that runs or loads. Returns its text.
local function read_html(html)
    local words, open = {}, {}
    local at = assert(html:match "^<!DOCTYPE html>\n()")
    local function read_attribute(key, value)
        check(not key:match "^on" and key ~= "src" and key ~= "xlink:href", key)
        check(key ~= "href" or value:match "^#%w+$" or value == "data:,", value)
        return ""
    end
    while at <= #html do
        local start = html:find("<", at, true) or #html + 1
        local text = html:sub(at, start - 1)
        check(not text:find "[%z\1-\8\11-\31\127]", "a control character")
        if open[#open] ~= "style" then
            words[#words + 1] = text:gsub("&[^;]*;?", function(entity)
                check(entities[entity], entity)
                return entities[entity]
            end)
        end
        if start > #html then
            break
        end
        local close, name, attributes, next = html:match("^<(/?)(%w+)([^<>]*)>()", start)
        check(name and tags[name], html:sub(start, start + 60))
        if close == "/" then
            check(name == table.remove(open), html:sub(start - 60, start + 20))
        else
            local rest = attributes:gsub(' ([%w%-:]+)="([^"]*)"', read_attribute):gsub("/$", ""):gsub(" open$", "")
            check(rest == "", html:sub(start, next - 1))
            if not void[name] and not attributes:find "/$" then
                open[#open + 1] = name
            end
        end
        at = next
    end
    assert.same({}, open)
    return table.concat(words)
end

local function page(value)
    local html = assert(native.page(cjson.encode(value)))
    return html, read_html(html)
end

--- A page's values with a text in every place that there is for one.
local function everything(text)
    local function of(keys, more)
        local made = more or {}
        for key in keys:gmatch "%S+" do
            made[key] = text
        end
        return made
    end
    local value = of("command version release environment namespace cluster path by commit message started")
    value.outcome = of("word error", { tone = "bad", exit = 4 })
    value.rolled_back = { revision = 3, error = text }
    value.seconds, value.revision, value.ready, value.done = 3.25, 7, 1, { created = 1, deleted = 2 }
    value.before_ms, value.rollout_ms, value.after_ms = 120, 3000, 130
    value.topology = {
        nodes = {
            of("name label", { id = "Component/a", kind = "Component", origin = text }),
            { id = "Component/b", kind = "Component", name = "b", label = "b", origin = "p:2" },
            of("label name namespace", { id = "Pod/a", kind = text, component = text }),
        },
        edges = { { from = "Component/b", to = "Component/a", why = "needs" }, { from = "Pod/a", to = "Component/b", why = text } },
    }
    value.timeline = {
        { { ms = 0, state = "waiting", words = text }, { ms = 100, state = "applying", words = text },
            { ms = 200, state = "rolling", words = text }, { ms = 900, state = "failed", words = text } },
        { { ms = 0, state = "waiting", words = text } },
    }
    value.changes = { of("component origin object sign text", { action = "change", notes = { text } }),
        of("object", { action = "delete", sign = "-", text = "- " .. text .. "\n+ a: b   ◂ " .. text .. "\n" }) }
    value.refusals = { text }
    value.report = {
        root = of("component origin object reason since try", { readers = { text }, blocks = { { text }, { text, text } } }),
        components = { of("component origin object pod container cause reason since try", {
            events = { of("object reason message last", { count = 3 }) },
            log = of("container", { previous = true, lines = { text, text } }),
            changed = { of("object action", { changes = { { path = { text }, before = text, after = { [text] = text } } } }) },
        }) },
        notes = { text },
    }
    value.doctor = { sections = { of("name note", { state = "findings", findings = {
        of("component message evidence remedy origin", { severity = "error",
            object = of "apiVersion kind namespace name" }) } }), { name = "Logs", state = "clean" } } }
    return value
end

describe("the page of a report", function()
    it("shows every text as a text", function()
        local html, text = page(everything(evil))
        assert.is_falsy(html:find("<script", 1, true))
        assert.is_falsy(html:find("<img", 1, true))
        assert.is_falsy(text:find("<br>", 1, true) or text:find("<span", 1, true), "markup as text")
        local _, count = text:gsub(seen:gsub("%p", "%%%0"), "")
        assert.is_true(count > 60, "shown " .. count .. " times")
    end)

    it("escapes by default, in elements and attributes, bytes that are no UTF-8 too", function()
        assert.equal('<p title="' .. escaped .. '">' .. escaped .. " -1% 1099511627776 7 1.00</p>",
            (native.html(evil):gsub("1%.01</p>", "1.00</p>")))
        assert.matches('<p title="\\xFF\\xC0\\xAF">\\xFF\\xC0\\xAF', native.html "\255\192\175", 1, true)
    end)

    it("has a viewport, both colours, print, and no way to load or run anything", function()
        local html = page(everything "x")
        for _, text in ipairs { '<meta name="viewport" content="width=device-width', "prefers-color-scheme:dark", "@media print",
            "default-src 'none'" } do
            assert.is_truthy(html:find(text, 1, true), text)
        end
        assert.is_falsy(html:find "https?:" or html:find "@import")
    end)

    it("cuts a log line of a megabyte, and says so", function()
        local value = everything "x"
        value.report.components[1].log.lines = { ("\27"):rep(1 << 20), ("y"):rep(1 << 20) .. "the end" }
        value.report.components[1].events[1].message = ("z"):rep(1 << 20)
        local html, text = page(value)
        assert.is_true(#html < 60000, #html)
        assert.matches("y… %(1047583 more bytes%)", text)
        assert.matches("z… %(1044576 more bytes%)", text)
        assert.is_falsy(text:find "the end")
    end)

    it("cuts between characters", function()
        local value = everything "x"
        value.report.components[1].log.lines = { ("日志"):rep(1000) }
        local _, text = page(value)
        assert.is_truthy(utf8.len(text))
        assert.matches("志日… %(5001 more bytes%)", text)
    end)

    local states = { "waiting", "applying", "rolling" }

    --- A release of `count` components of which all have failed, each with events, a log of so many lines, and changes.
    local function large(count, length)
        local value = everything "x"
        local topology = { nodes = {}, edges = {} }
        value.topology, value.timeline, value.changes = topology, {}, {}
        value.report.components, value.refusals = {}, {}
        for i = 1, count do
            local name = ("component-number-%03d"):format(i)
            topology.nodes[i] = { id = "Component/" .. name, kind = "Component", name = name, label = name, origin = "p:" .. i }
            for k = 1, i > 10 and 4 or 0 do
                topology.edges[#topology.edges + 1] = { from = "Component/" .. name, why = "needs",
                    to = ("Component/component-number-%03d"):format((i * 7 + k * 13) % (i - i % 10) + 1) }
            end
            local row = {}
            for k = 1, 60 do
                row[k] = { ms = 100 * i + k * 1000, state = states[math.min(k, 3)], words = ("words "):rep(40) .. k }
            end
            row[61] = { ms = 70000 + 100 * i, state = "failed", words = "failed" }
            value.timeline[i] = row
            local lines, events = {}, {}
            for k = 1, length do
                lines[k], events[k] = ("a line of the log "):rep(100), { object = "Pod a", reason = "Failed",
                    message = ("message "):rep(100), count = k, last = "2026-11-25T04:00:00Z" }
            end
            value.report.components[i] = { component = name, object = "Deployment a/" .. name, reason = ("why "):rep(50),
                events = events, log = { container = "a", lines = lines } }
            for k = 1, 3 do
                value.changes[#value.changes + 1] = { component = name, object = "Deployment a/" .. name .. k, action = "create",
                    sign = "+", text = ("+ field: value  ◂ profile.lua:1\n"):rep(20 * length) }
            end
        end
        for i = 1, count do
            local name = ("component-number-%03d"):format(i)
            topology.nodes[count + i] = { id = "Deployment/" .. name, kind = "Deployment", name = name, label = name, component = name }
        end
        return value
    end

    it("stays below 2 MB for 200 components that have all failed, and names each", function()
        local html, text = page(large(200, 20))
        assert.is_true(#html < 2000000, #html)
        local counts = {}
        for name in text:gmatch "component%-number%-%d+" do
            counts[name] = (counts[name] or 0) + 1
        end
        for i = 1, 200 do
            assert.is_true(counts[("component-number-%03d"):format(i)] >= 4, i)
        end
        assert.matches("for want of room", text)
    end)

    it("is legible and scrolls in a browser with 200 components", function()
        local value = large(200, 2)
        value.report, value.rolled_back = nil, nil
        local folder = support.folder { ["large.html"] = native.page(cjson.encode(value)) }
        local told = browse(folder .. "/large.html", "large")
        assert.same({ 200, 200, 200 }, { told.names, told.parts, told.failed })
        assert.is_true(told.bars >= 400 and told.lines > 190)
    end)

    it("is made in no time, also of 1000 components", function()
        local value = cjson.encode(large(1000, 2))
        local began = os.clock()
        local html = native.page(value)
        assert.is_true(os.clock() - began < 10, os.clock() - began)
        assert.is_true(#html < 6000000)
    end)

    it("shows what there is, and no more", function()
        local html, text = page { command = "apply", path = "shop", outcome = { word = "no access", tone = "bad", exit = 8,
            error = "cannot reach" } }
        assert.is_falsy(html:find "<section")
        assert.is_truthy(text:find("apply shop", 1, true) and text:find("cannot reach", 1, true))
        page {}
        page(cjson.decode '{"timeline":[[]],"topology":{"nodes":[],"edges":[]},"changes":[],"report":{},"doctor":{"sections":[]}}')
    end)

    it("shows the sections of the doctor", function()
        local _, text = page { command = "doctor", release = "shop", outcome = { word = "findings", tone = "warn" },
            doctor = { sections = {
                { name = "Configuration", state = "clean" }, { name = "Logs", state = "left out", note = "logs may not be read" },
                { name = "Network", state = "findings", findings = { { severity = "warning", component = "web",
                    message = "Service web has no endpoint", evidence = "0 of 2 pods", remedy = "fix the selector",
                    origin = "profile.lua:7", object = { kind = "Service", namespace = "shop", name = "web" } } } },
            } } }
        for _, one in ipairs { "Configuration", "clean", "logs may not be read", "Service shop/web", "0 of 2 pods",
            "fix the selector", "profile.lua:7" } do
            assert.is_truthy(text:find(one, 1, true), one)
        end
    end)

    --- The boxes of a topology by the names in them: { x, y } of the left upper corner.
    local function boxes(html)
        local found = {}
        for x, y, name in html:gmatch '<rect x="([%d.%-]+)" y="([%d.%-]+)"[^>]*/><rect class="bar"[^>]*/><text class="name"[^>]*>([^<]*)' do
            found[name] = { tonumber(x), tonumber(y) }
        end
        return found
    end

    it("puts each part right of what it needs, and none upon another", function()
        local nodes, edges = {}, {}
        for i = 1, 60 do
            nodes[i] = { id = "c" .. i, kind = "Component", name = "c" .. i, label = "c" .. i, origin = "p:1" }
            for k = 1, i > 5 and i % 4 or 0 do
                edges[#edges + 1] = { from = "c" .. i, to = "c" .. (i * 31 + k * 17) % (i - 1) + 1, why = "needs" }
            end
        end
        local found = boxes((page { topology = { nodes = nodes, edges = edges } }))
        for _, edge in ipairs(edges) do
            assert.is_true(found[edge.from][1] > found[edge.to][1], edge.from .. " " .. edge.to)
        end
        for a, one in pairs(found) do
            for b, other in pairs(found) do
                assert.is_true(a == b or math.abs(one[1] - other[1]) >= 188 or math.abs(one[2] - other[2]) >= 42, a .. " " .. b)
            end
        end
        assert.equal(60, (function() local n = 0 for _ in pairs(found) do n = n + 1 end return n end)())
    end)

    it("lays a long chain out in no time, with ways past it", function()
        local nodes, edges = {}, {}
        for i = 1, 600 do
            nodes[i] = { id = "c" .. i, kind = "Component", name = "c" .. i, label = "c" .. i, origin = "p:1" }
            edges[#edges + 1] = i > 1 and { from = "c" .. i, to = "c" .. i - 1, why = "needs" } or nil
            edges[#edges + 1] = i > 2 and { from = "c" .. i, to = "c" .. (i * 7) % (i - 2) + 1, why = "needs" } or nil
        end
        local value = cjson.encode { topology = { nodes = nodes, edges = edges } }
        local began = os.clock()
        local found = boxes(native.page(value))
        assert.is_true(os.clock() - began < 10, os.clock() - began)
        assert.is_true(found.c600[1] > 599 * 188)
    end)

    it("draws the bars where their time is", function()
        local nodes = {}
        for i, name in ipairs { "a", "b" } do
            nodes[i] = { id = name, kind = "Component", name = name, label = name, origin = "p:1" }
        end
        local html, text = page { before_ms = 1000, rollout_ms = 10000, topology = { nodes = nodes,
            edges = { { from = "b", to = "a", why = "needs" } } }, timeline = {
            { { ms = 1000, state = "applying", words = "" }, { ms = 2000, state = "rolling", words = "" },
                { ms = 6000, state = "ready", words = "" } },
            { { ms = 1000, state = "waiting", words = "needs a" }, { ms = 6000, state = "applying", words = "" },
                { ms = 7000, state = "rolling", words = "slow" } },
        } }
        local bars = {}
        for state, x, y, width in html:gmatch '<rect class="(%a+)" x="([%d.]+)%%" y="(%d+)" width="([%d.]+)%%"' do
            bars[#bars + 1] = ("%s %s+%s %s"):format(state, tonumber(x), tonumber(width), tonumber(y) < 26 and "a" or "b")
        end
        assert.same({ "applying 0.0+10.0 a", "rolling 10.0+40.0 a", "waiting 0.0+50.0 b", "applying 50.0+10.0 b",
            "rolling 60.0+40.0 b" }, bars)
        assert.matches('<line class="then" x1="50.00%%" x2="50.00%%"', html)
        assert.matches("Critical path:%s+a%s*5.0 s%s*→%s*b%s*5.0 s", text)
    end)
end)
