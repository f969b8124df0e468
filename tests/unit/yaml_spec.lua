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
