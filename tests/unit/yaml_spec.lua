local native = require "native"
local cjson = require "cjson"
local support = require "support"

--- What Python's YAML reader (a YAML 1.1 one) makes of `text`, as JSON.
local function python(text)
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write(text)
    file:close()
    local made = support.shell(("python3 -c '%s' %s"):format([[
import json, sys, yaml
print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding="utf-8", newline=""))))]], name))
    os.remove(name)
    assert(made.code == 0, made.err)
    return cjson.decode(made.out)
end

describe("YAML out", function()
    it("quotes what a reader could take for something else", function()
        local texts = { "", "~", "null", "yes", "No", "y", "ON", "off", "true", "0o17", "017",
            "0x1F", "1e3", "12:30", "1_000", "2001-01-01", "-", "- a", "a: b", "a #b", " a", "a ", "*a",
            "&a", "!a", "|", ">", "%a", "@a", "`a", "{a", "[a", "1.5", ".5", ".inf", "=", "<<", "#a",
            "a:", "?", "'a'", '"a"', "\\", "\t", "a\tb", "\r", "é\u{85}", "\u{2028}", "\u{FEFF}x", "0", "-1",
            "+1", "1.", "0b1", "NULL", "Yes", "\u{1F600}", "a\u{7F}" }
        local yaml = assert(native.yaml_emit(cjson.encode(texts)))
        assert.same(texts, cjson.decode(native.yaml_parse(yaml)))
        assert.same(texts, python(yaml))
    end)

    it("leaves plain what is plainly a string", function()
        for _, text in ipairs { "nginx:1.27", "500m", "1.5Gi", "10s", "/readiness/", "app.kubernetes.io/name",
            "ClusterIP", "hello world", "https://example.com/a" } do
            assert.equal(("---\nv: %s\n"):format(text), native.yaml_emit(cjson.encode({ v = text })))
        end
    end)

    it("writes text of several lines as a literal block", function()
        assert.equal("---\nv: |\n  a: 1\n  b\n", native.yaml_emit('{"v":"a: 1\\nb\\n"}'))
    end)

    it("keeps integers and writes reals that every reader takes for reals", function()
        assert.equal("---\na: 9007199254740993\nb: 0.1\nc: 1.0e+20\n",
            native.yaml_emit('{"a":9007199254740993,"b":0.1,"c":1e20}'))
    end)

    it("tells {} from []", function()
        assert.equal("---\na: {}\nb: []\n", native.yaml_emit('{"a":{},"b":[]}'))
    end)

    it("survives random strings in another reader", function()
        math.randomseed(7)
        local alphabet = { "a", "b", " ", "\n", ":", "#", "-", "'", '"', "\\", "\t", "0", "é", "{", "|", "\r" }
        local all = {}
        for i = 1, 300 do
            local parts = {}
            for k = 1, math.random(0, 12) do
                parts[k] = alphabet[math.random(#alphabet)]
            end
            all[i] = table.concat(parts)
        end
        local yaml = native.yaml_emit(cjson.encode(all))
        assert.same(all, python(yaml))
        assert.same(all, cjson.decode(native.yaml_parse(yaml)))
    end)
end)

describe("the order of keys", function()
    it("puts first what people look for first", function()
        local given = '{"spec":1,"metadata":{"labels":1,"namespace":1,"name":1},"data":1,"kind":1,"apiVersion":1}'
        assert.equal('{"apiVersion":1,"kind":1,"metadata":{"name":1,"namespace":1,"labels":1},"data":1,"spec":1}',
            native.keys_ordered(given))
    end)
end)

describe("YAML in", function()
    it("reads values by the core schema", function()
        assert.equal('{"a":true,"b":null,"c":12,"d":1.5,"e":"yes","f":"0x1F","g":"1","h":["x",{"y":"z"}]}',
            native.yaml_parse('a: true\nb:\nc: 12\nd: 1.5\ne: yes\nf: 0x1F\ng: "1"\nh: [x, {y: z}]\n'))
    end)

    it("follows anchors", function()
        assert.equal('{"a":[1,2],"b":[1,2]}', native.yaml_parse("a: &x [1, 2]\nb: *x\n"))
    end)

    local bad = {
        ["a: 1\na: 2\n"] = 'test.yaml:2: the key "a" stands twice',
        ["a: *x\n"] = "test.yaml:1: an alias of no anchor before it",
        ["a: !!python/object x\n"] = "test.yaml:1: an unknown tag",
        ["a: [1, 2\n"] = "test.yaml:2: not YAML",
        ["a:\n\t- b\n"] = "test.yaml:2: not YAML",
        ["a: \xff\n"] = "test.yaml:%d: not YAML",
        ["? [a]\n: b\n"] = "test.yaml:1: a key that is not a string",
    }
    for text, message in pairs(bad) do
        it("names the line: " .. message, function()
            local value, problem = native.yaml_parse(text)
            assert.is_nil(value)
            assert.matches(message, problem)
        end)
    end

    it("refuses aliases that explode", function()
        local lines = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }
        for i = 1, 8 do
            lines[#lines + 1] = ("a%d: &a%d [%s]"):format(i, i, ("*a" .. i - 1 .. ", "):rep(10))
        end
        local value, problem = native.yaml_parse(table.concat(lines, "\n"))
        assert.is_nil(value)
        assert.matches("aliases that explode", problem)
    end)

    it("refuses endless nesting", function()
        assert.matches("nested too deeply", select(2, native.yaml_parse(("["):rep(5000))))
    end)
end)

--- The documents of a stream as { { number, line, value }, ... }; or nil and the message.
local function stream(text, most)
    local made, problem = native.yaml_parse_stream(text, most)
    return made and cjson.decode(made), problem
end

--- What the real kubectl, if it is built, makes of a manifest with `body`.
local kubectl = "build/cluster/bin/kubectl"
local function by_kubectl(body)
    local name = os.tmpname()
    local file <close> = assert(io.open(name, "wb"))
    file:write("apiVersion: v1\nkind: Thing\nmetadata: {name: a}\n", body)
    file:flush()
    -- No sanitizer's library in there, and no cluster behind it.
    local made = support.shell(("env -u LD_PRELOAD KUBECONFIG=/dev/null %s patch --local --type=merge -p '{}' "
        .. "-o json -f %s"):format(kubectl, name))
    os.remove(name)
    assert(made.code == 0, made.err)
    return cjson.decode(made.out)
end

local function kubectl_is_there()
    local file = io.open(kubectl, "rb")
    return file and file:close()
end

describe("manifests in", function()
    -- From kubectl 1.36.3: `kubectl patch --local --type=merge -p '{}' -f FILE -o jsonpath='{.list}'`,
    -- where FILE is an object whose `list` has the texts.
    local scalars = {
        { "y", "true" }, { "Y", "true" }, { "n", "false" }, { "yes", "true" }, { "Yes", "true" },
        { "YES", "true" }, { "yEs", '"yEs"' }, { "no", "false" }, { "on", "true" }, { "On", "true" },
        { "off", "false" }, { "OFF", "false" }, { "true", "true" }, { "True", "true" }, { "tRUE", '"tRUE"' },
        { "false", "false" }, { "~", "null" }, { "null", "null" }, { "Null", "null" }, { "nUll", '"nUll"' },
        { "", "null" }, { "0", "0" }, { "-0", "0" }, { "+1", "1" }, { "12", "12" }, { "0644", "420" },
        { "08", "8" }, { "0_8", "8" }, { "09.5", "9.5" }, { "0o17", "15" }, { "0O17", "15" },
        { "0x1F", "31" }, { "0X1f", "31" }, { "-0x1F", "-31" }, { "0x", '"0x"' }, { "0x_1F", "31" },
        { "0b11", "3" }, { "-0b11", "-3" }, { "0b12", '"0b12"' }, { "1_000", "1000" }, { "1_", "1" },
        { "-_1", "-1" }, { "_1", '"_1"' }, { "1_0.5", "10.5" }, { ".5", "0.5" }, { "+.5", "0.5" },
        { ".5_0", "0.5" }, { "._5", '"._5"' }, { "1.", "1" }, { "1.0", "1" }, { "1.5", "1.5" },
        { "-0.0", "0" }, { "1e3", "1000" }, { "1e", '"1e"' }, { "e3", '"e3"' }, { "1E-2", "0.01" },
        { "1e3_0", "1e+30" }, { "1e18", "1000000000000000000" }, { "1e20", "100000000000000000000" },
        { "1e400", '"1e400"' }, { "1e-400", "0" }, { "0x1.8p3", '"0x1.8p3"' },
        { "9223372036854775807", "9223372036854775807" }, { "9223372036854775808", "9223372036854776000" },
        { "18446744073709551615", "18446744073709552000" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "-9223372036854775809", "-9223372036854776000" },
        { "1234567890123456789.0", "1234567890123456800" },
        { "99999999999999999999", "100000000000000000000" },
        { "0xFFFFFFFFFFFFFFFFFF", '"0xFFFFFFFFFFFFFFFFFF"' },
        { "0777777777777777777777777", "7.777777777777778e+23" }, { "2001-01-01", '"2001-01-01"' },
        { "2001-12-14t21:59:43.10-05:00", '"2001-12-14t21:59:43.10-05:00"' }, { "12:30", '"12:30"' },
        { "1:30:45", '"1:30:45"' }, { "=", '"="' }, { "<<", '"<<"' }, { ".", '"."' }, { "+", '"+"' },
        { "-.inf2", '"-.inf2"' }, { ".Nan", '".Nan"' }, { "'yes'", '"yes"' }, { '"12"', '"12"' },
        { '! "12"', '"12"' }, { "! yes", '"yes"' }, { "!!str 12", '"12"' }, { "!!str yes", '"yes"' },
        { "!!int '12'", "12" }, { "!!int 0x1F", "31" }, { "!!float 1", "1" }, { "!!float .5", "0.5" },
        { "!!bool 'yes'", "true" }, { "!!null ''", "null" }, { "!!binary aGVsbG8=", '"hello"' },
        { "|\n    12", '"12\n"' }, { ">-\n    yes", '"yes"' },
    }

    local function list_of(texts)
        local lines = { "list:" }
        for i, text in ipairs(texts) do
            lines[i + 1] = "- " .. text
        end
        return table.concat(lines, "\n") .. "\n"
    end

    it("reads scalars as kubectl does", function()
        local texts, values = {}, {}
        for i, row in ipairs(scalars) do
            texts[i], values[i] = row[1], cjson.decode("[" .. row[2] .. "]")[1]
        end
        local read = stream(list_of(texts))[1][3].list
        for i, text in ipairs(texts) do
            assert.same({ text, values[i] }, { text, read[i] })
        end
        if kubectl_is_there() then
            assert.same(by_kubectl(list_of(texts)).list, read)
        end
    end)

    it("keeps integers exact and makes integers of reals that are whole", function()
        assert.equal('[[1,1,[9223372036854775807,-9223372036854775808,1,1234567890123456800]]]',
            native.yaml_parse_stream("[9223372036854775807, -9223372036854775808, 1.0, 1234567890123456789.0]"))
    end)

    it("makes text of keys as kubectl does", function()
        local body = "keys: {1: a, 010: b, 1e3: c, 1e6: d, 0.1: e, 1234567.891: f, -0.0: g, yes: h, n: i, .inf: j,"
            .. " 2001-01-01: k, 1e-5: l, 9.007199254740993e15: m, \"2\": q, 0x10: o, 1_1: p, 123.456: q}\n"
        local keys = stream(body)[1][3].keys
        assert.same({ ["1"] = "a", ["8"] = "b", ["1000"] = "c", ["1e+06"] = "d", ["0.1"] = "e",
            ["1.2345679e+06"] = "f", ["-0"] = "g", ["true"] = "h", ["false"] = "i", [".inf"] = "j",
            ["2001-01-01"] = "k", ["1e-05"] = "l", ["9.007199e+15"] = "m", ["2"] = "q", ["16"] = "o", ["11"] = "p",
            ["123.456"] = "q" }, keys)
        if kubectl_is_there() then
            assert.same(by_kubectl(body).keys, keys)
        end
    end)

    it("reads random texts as kubectl does", function()
        assert.is_truthy(kubectl_is_there(), "kubectl is not built: tests/cluster/cluster build")
        math.randomseed(11)
        local alphabet, texts, keys = "0011223456789.._+-eExXoObBnfaTNyY~", {}, { "keys:" }
        while #texts < 3000 do
            local parts = {}
            for i = 1, math.random(1, 7) do
                local at = math.random(#alphabet)
                parts[i] = alphabet:sub(at, at)
            end
            local text = table.concat(parts)
            if text ~= "-" and not text:lower():find("nan") then
                texts[#texts + 1] = text
                keys[#keys + 1] = text ~= "~" and ("- {%s: 1}"):format(text) or nil
            end
        end
        local body = list_of(texts) .. table.concat(keys, "\n") .. "\n"
        local read, expected = stream(body)[1][3], by_kubectl(body)
        for i, text in ipairs(texts) do
            assert.same({ text, expected.list[i] }, { text, read.list[i] })
        end
        assert.same(expected.keys, read.keys)
    end)

    it("merges with <<", function()
        local body = "x: &x {a: 2, b: 3}\nz: &z {a: 4, c: 5}\n"
            .. "one: {<<: *x, a: 1}\nmany: {<<: [*x, *z, {d: 6}]}\nsame: {a: 2, <<: *x}\nword: {\"<<\": 1}\n"
        local read = stream(body)[1][3]
        assert.same({ a = 1, b = 3 }, read.one)
        assert.same({ a = 2, b = 3, c = 5, d = 6 }, read.many)
        assert.same({ a = 2, b = 3 }, read.same)
        assert.same({ ["<<"] = 1 }, read.word)
        if kubectl_is_there() then
            local expected = by_kubectl(body)
            for _, name in ipairs { "one", "many", "same", "word" } do
                assert.same(expected[name], read[name])
            end
        end
    end)

    local documents = {
        { "numbers documents and gives their lines", "---\n---\n# x\n---\n~\n---\n\n\na: 1\n--- # c\nb: 1\n---",
            { { 1, 9, { a = 1 } }, { 2, 11, { b = 1 } } } },
        { "finds none in nothing", "", {} },
        { "finds none in comments", "# a\n---\n# b\n", {} },
        { "accepts a BOM and Windows line ends", "\u{FEFF}a: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: d\r\n",
            { { 1, 1, { a = 1, b = "x\ny\n" } }, { 2, 6, { c = "d" } } } },
        { "ends the last line", "a: |\n  x", { { 1, 1, { a = "x\n" } } } },
        { "reads JSON, with its escapes and tabs", '{"a":\n\t1e3, "b": "\\ud83d\\ude00\\/"}\n',
            { { 1, 1, { a = 1000, b = "\u{1F600}/" } } } },
        { "reads JSON objects one after the other", '{"a": 1}{"b": 2}\n\n{"c": 3}\n',
            { { 1, 1, { a = 1 } }, { 2, 1, { b = 2 } }, { 3, 3, { c = 3 } } } },
        { "goes on with YAML after JSON", '{"a": 1}\n---\nb: yes\n---\n{\n\t"c": 1}\n',
            { { 1, 1, { a = 1 } }, { 2, 3, { b = true } }, { 3, 5, { c = 1 } } } },
        { "takes braces without quotes for YAML", "{a: 1, b: off}", { { 1, 1, { a = 1, b = false } } } },
        { "follows anchors, also in keys", "&k key: *k\nb: {*k : &v [1]}\nc: *v\n",
            { { 1, 1, { key = "key", b = { key = { 1 } }, c = { 1 } } } } },
        { "lets tags say what is there anyway", "!!map {a: !!seq [!!str x]}", { { 1, 1, { a = { "x" } } } } },
        { "keeps a separator within an indented text", "a: |\n  ---\n  b\n", { { 1, 1, { a = "---\nb\n" } } } },
    }
    for _, row in ipairs(documents) do
        it(row[1], function()
            assert.same({ row[3] }, { stream(row[2]) })
        end)
    end

    it("stops where the reader wants to", function()
        assert.same({ { 1, 1, { a = 1 } }, { 2, 3, { b = 1 } } }, stream("a: 1\n---\nb: 1\n---\nc: [\n", 2))
        assert.same({ { 1, 1, { a = 1 } } }, stream('{"a": 1}{"b": 1}', 1))
        assert.equal("refused", select(2, stream("refuse me\n---\nb: [\n")))
    end)

    local bad = {
        { "a:\n\t- b\n", "2: document 1: not YAML: a tab can't indent; use spaces" },
        { "a:\n  - b\n\t- c\n", "3: document 1: not YAML: a tab can't indent; use spaces" },
        { "a: |\n\tx\n", "2: document 1: not YAML: a tab can't indent; use spaces" },
        { "a: 1\n---\nb: 1\nc: 2\nb: 2\n", '5: document 2: the key "b" stands twice, first in line 3' },
        { "1: a\n\"1\": b\n", '2: document 1: the key "1" stands twice, first in line 1' },
        { '{"b": 1}\n{"b": 1,\n"b": 2}', '3: document 2: the key "b" stands twice, first in line 2' },
        { "a: !foo 1\n", "1: document 1: an unknown tag" },
        { "a: !!set {a}\n", "1: document 1: an unknown tag" },
        { "a: !!int x\n", "1: document 1: !!int before something else" },
        { "a: !!binary a\n", "1: document 1: !!binary before something that is not base64" },
        { "a: !!binary /w==\n", "1: document 1: !!binary that holds no text, which JSON can't keep" },
        { "a: *x\n", "1: document 1: an alias of no anchor before it" },
        { "a: &x 1\n---\nb: *x\n", "3: document 2: an alias of no anchor before it" },
        { "a: &x [*x]\n", "1: document 1: an alias within the value that it stands for" },
        { "<<: 1\n", "1: document 1: a << with something else than mappings" },
        { "a: &a [{b: 1}]\nc: {<<: *a}\n", "2: document 1: a << with something else than mappings" },
        { "x: &x {a: 2}\nd:\n  a: 1\n  <<: *x\n", '4: document 1: a << changes the key "a" of line 3 to kubectl, '
            .. "but not to other readers; write the << first" },
        { "x: 1\n---\n\na: \xff\n", "4: document 2: not YAML: the text is not UTF-8" },
        { "x: 1\n---\na: 1\nb: \0\n", "4: document 2: not YAML: the control character U+0000" },
        { 'a: "\\0"\n', "1: document 1: a NUL character in a value" },
        { '"\\0": 1\n', "1: document 1: a NUL character in a key" },
        { "a: 'x\n\n", "3: document 1: not YAML: a quoted text is never closed (it begins in line 1)" },
        { "a: \"x\n---\nb: 1\n", "2: document 1: not YAML: a quoted text is never closed (it begins in line 1)" },
        { "a: [1,\n  2\n", "3: document 1: not YAML: a [ is never closed, or a ',' is missing in it "
            .. "(it begins in line 1)" },
        { '{"a": 1', "2: document 1: not YAML: a { is never closed, or a ',' is missing in it "
            .. "(it begins in line 1)" },
        { "a: [\n", "2: document 1: not YAML: a value is missing" },
        { "a: 1\nfoo\n", "3: document 1: not YAML: a key has no ':' (it begins in line 2)" },
        { "a: 1\n b: 2\n", "2: document 1: not YAML: a ':' can't stand here; check the indentation, "
            .. "or quote the text" },
        { "a:\n  b: 1\n c: 2\n", "3: document 1: not YAML: a line doesn't fit the mapping that it stands in; "
            .. "check the indentation (it begins in line 1)" },
        { "a: @x\n", "1: document 1: not YAML: a value can't start with '@'; quote it" },
        { "? [a]\n: b\n", "1: document 1: a key that is not a string" },
        { "~: 1\n", "1: document 1: a key that is null; quote it" },
        { "18446744073709551615: 1\n", "1: document 1: a key that is too large an integer; quote it" },
        { "a: 1\nb: -.inf\n", "2: document 1: a number that JSON doesn't know" },
        { "a: 1\n--- b\n", "2: document 2: kubectl allows nothing but a comment after '---'" },
        { "a: 1\n---- b\n", "2: document 2: kubectl allows nothing but a comment after '---'" },
        { "%YAML 1.1\n---\na: 1\n", "1: document 1: not YAML: kubectl reads no % directives" },
        { "a: 1\n...\nb: 2\n", "2: document 1: kubectl skips what follows a '...'; write '---' instead" },
        { ("["):rep(66) .. ("]"):rep(66), "1: document 1: nested too deeply" },
        { ('{"a":'):rep(66) .. "1" .. ("}"):rep(66), "1: document 1: nested too deeply" },
    }
    for _, row in ipairs(bad) do
        it("names document and line: " .. row[2], function()
            assert.same({ nil, "test.yaml:" .. row[2] }, { stream(row[1]) })
        end)
    end

    it("bounds what comes of aliases and how much it reads", function()
        local wide = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }
        local deep = { "a0: &a0 [x]" }
        for i = 1, 70 do
            wide[#wide + 1] = ("a%d: &a%d [%s]"):format(i, i, ("*a" .. i - 1 .. ", "):rep(10))
            deep[#deep + 1] = ("a%d: &a%d [*a%d]"):format(i, i, i - 1)
        end
        local long = "a: &a " .. ("x"):rep(1 << 20) .. "\nb: [" .. ("*a, "):rep(20) .. "]\n"
        assert.matches("^test.yaml:%d: document 1: aliases that explode$", select(2, stream(table.concat(wide, "\n"))))
        assert.matches("^test.yaml:2: document 1: aliases that explode$", select(2, stream(long)))
        assert.matches("^test.yaml:64: document 1: nested too deeply$", select(2, stream(table.concat(deep, "\n"))))
        assert.equal("test.yaml: larger than 16 MiB", select(2, stream("#" .. ("x"):rep(16 << 20))))
    end)
end)
