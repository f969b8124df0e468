local native = require "native"
local support = require "support"

local base = support.folder {}

local function write(name, text)
    local path = base .. "/" .. name
    local file <close> = assert(io.open(path, "wb"))
    file:write(text)
    return path
end

local function list(command)
    local found = {}
    for line in support.shell(command).out:gmatch "[^\n]+" do
        found[#found + 1] = line
    end
    return found
end

--- Imports a file and renders what came out. Returns the profile's text; `pairs_list` gets the two files to compare.
local function round_trip(path, pairs_list, folder)
    local name = path:match "([^/]+)$"
    local profile = base .. "/" .. name .. (folder and ".d" or ".lua")
    local run = support.run("import", path, table.unpack(folder and { "-o", profile } or {}))
    assert.equal("", run.err)
    assert.equal(0, run.code)
    if not folder then
        write(name .. ".lua", run.out)
    end
    local made = support.run("render", profile, "-o", "json", "--show-secrets")
    assert.equal("", made.err, path)
    pairs_list[#pairs_list + 1] = write(name .. (folder and ".folder" or "") .. ".in", assert(native.yaml_parse_stream(
        support.read(path))))
    pairs_list[#pairs_list + 1] = write(name .. (folder and ".folder" or "") .. ".out", made.out)
    return run.out, profile
end

local function assert_same(pairs_list)
    assert.same({}, list("python3 tests/same_objects.py '" .. table.concat(pairs_list, "' '") .. "'"))
end

local testdata = list("cd tests/cluster && go list -m -f '{{.Dir}}' k8s.io/api")[1]
local kinds = list(("ls %s/testdata/HEAD/*.yaml"):format(testdata))
local structural = { ["unknown-field"] = true, ["wrong-type"] = true }

describe("import, then render, gives the same objects", function()
    it("of every kind with every field set, and check finds their form right", function()
        assert.is_true(#kinds > 150, #kinds)
        local compared, refused = {}, 0
        for _, path in ipairs(kinds) do
            local run = support.run("import", path)
            if run.code == 0 then
                local _, profile = round_trip(path, compared)
                for rule in support.run("check", profile).out:gmatch "%[([%w-]+)%]\n" do
                    assert.is_nil(structural[rule], path .. ": " .. rule)
                end
            else -- what is sent with requests, and has no name
                refused = refused + 1
                assert.matches("%.yaml:%d+: document 1: this object has no ", run.err)
            end
        end
        assert_same(compared)
        assert.is_true(refused < 25, refused)
    end)

    for _, path in ipairs(list "ls tests/unit/import/*.yaml") do
        it("of " .. path .. ", in the words of the language", function()
            local compared = {}
            local text = round_trip(path, compared)
            round_trip(path, compared, true)
            assert_same(compared)
            assert.is_nil(text:find("bk.raw", 1, true))
        end)
    end

    -- Of the kinds in them the language has no word for these.
    local without_word = { ["metrics-server"] = { "APIService" }, kwok = { "FlowSchema" },
        ["ingress-nginx"] = { "IngressClass", "ValidatingWebhookConfiguration" } }
    for name, raw in pairs(without_word) do
        it("of the chart " .. name .. " as helm prints it", function()
            local compared, found = {}, {}
            local text = round_trip(("build/charts/%s.yaml"):format(name), compared)
            round_trip(("build/charts/%s.yaml"):format(name), compared, true)
            assert_same(compared)
            for kind in text:gmatch "apiVersion = [^\n]+\n%s+kind = \"(%u%w+)\"" do
                found[#found + 1] = kind
            end
            table.sort(found)
            assert.same(raw, found)
        end)
    end

    it("of texts that try to leave their quotes", function()
        local compared = {}
        local nasty = write("nasty.yaml", [==[
apiVersion: v1
kind: ConfigMap
metadata: {name: nasty, annotations: {"a]]b": "]] .. os.exit(1) --[["}}
data:
  one: "]]..error('x')--[[\n]=]\n\t\\\" "
  two: "\nbegins with a line end\r\nand 'quotes' \"both\" \u0007 \u00e9"
  end: "local function end"
  "--": "]]]]]]]"
]==])
        round_trip(nasty, compared)
        round_trip(nasty, compared, true)
        assert_same(compared)
    end)

    it("of standard input and of a folder, in the order of its names", function()
        local compared = {}
        support.shell(("mkdir -p %s/many && cp tests/unit/import/*.yaml %s/many/ && echo no > %s/many/README"):format(base,
            base, base))
        local run = support.run("import", base .. "/many")
        assert.equal("", run.err)
        write("many.lua", run.out)
        assert.equal(0, support.run("render", base .. "/many.lua").code)
        local piped = support.shell(("%s import - < tests/unit/import/web.yaml"):format(os.getenv "BKDEPLOY"
            or "build/bkdeploy"))
        assert.equal(0, piped.code)
        assert.matches('bk.profile "imported"', piped.out)
        assert_same(compared)
    end)
end)

describe("import refuses", function()
    local good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    local cases = {
        { "a tab that indents", good .. "---\na:\n\tb: 1\n", ":6: document 2: .*tab" },
        { "a key that stands twice", good .. "data: {a: x, a: y}\n", ":4: document 1: .*twice" },
        { "an unknown tag", good .. "data: {a: !python x}\n", ":4: document 1: .*tag" },
        { "an alias of itself", "a: &x [*x]\n", ":1: document 1: .*" },
        { "bad UTF-8", good .. "data: {a: \"\xff\"}\n", "document 1: " },
        { "a document that is cut off", good .. "data: {a: \"x\n", "document 1: " },
        { "a document that is no object", good .. "---\n- 1\n", ":5: document 2: " },
        { "an object without a kind", "apiVersion: v1\nmetadata: {name: a}\n", "document 1: .*kind" },
        { "two objects of one name", good .. "---\n" .. good, "document 2: .*" },
        { "nothing", "# nothing\n", "no objects" },
    }
    for _, case in ipairs(cases) do
        it(case[1], function()
            local run = support.run("import", write("bad.yaml", case[2]))
            assert.equal("", run.out)
            assert.matches("^bkdeploy: " .. base:gsub("%p", "%%%0") .. "/bad.yaml.*" .. case[3], run.err)
            assert.equal(2, run.code)
            assert.is_nil(run.err:find "\n.")
        end)
    end

    it("aliases that explode", function()
        local text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for i = 1, 9 do
            text = text .. ("a%d: &a%d [%s]\n"):format(i, i, (("*a%d, "):format(i - 1)):rep(10):sub(1, -3))
        end
        local run = support.run("import", write("bomb.yaml", text))
        assert.equal(2, run.code)
        assert.matches("bomb.yaml:%d+: document 1: ", run.err)
    end)

    it("a file that is not there, and one to write that is", function()
        assert.matches("No such file", support.run("import", base .. "/nowhere.yaml").err)
        local folder = support.folder { ["profile.lua"] = "-- mine\n" }
        local run = support.run("import", "tests/unit/import/web.yaml", "-o", folder)
        assert.equal(2, run.code)
        assert.matches("profile.lua: is there already", run.err)
        assert.equal("-- mine\n", support.read(folder .. "/profile.lua"))
        assert.same({ "profile.lua" }, list("ls " .. folder))
    end)
end)
