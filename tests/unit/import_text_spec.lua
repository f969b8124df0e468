local native = require "native"
local cjson = require "cjson"
local support = require "support"

local function write(path, text)
    local file <close> = assert(io.open(path, "wb"))
    file:write(text)
end

--- Nothing, or how the objects of a profile differ from the documents.
local function differences(folder, profile)
    local run = support.run("render", profile, "-o", "json", "--show-secrets")
    if run.code ~= 0 then
        return run.err
    end
    write(folder .. "/made.json", run.out)
    run = support.shell(("python3 tests/same_objects.py %s/wanted.json %s/made.json"):format(folder, folder))
    return run.out .. run.err
end

--- Imports manifests, as one file and as a folder. Returns the text of the file, the folder, and what differs.
local function import(yaml)
    local folder = support.folder { ["in.yaml"] = yaml }
    local run = support.run("import", folder .. "/in.yaml")
    if run.code ~= 0 then
        return nil, run.err
    end
    write(folder .. "/wanted.json", assert(native.yaml_parse_stream(yaml)))
    write(folder .. "/one.lua", run.out)
    local all = support.run("import", folder .. "/in.yaml", "-o", folder .. "/all")
    local found = all.err .. differences(folder, folder .. "/one.lua")
    return run.out, folder .. "/all", found .. (all.code == 0 and differences(folder, folder .. "/all") or "")
end

--- The text of the profile, which makes the same objects.
local function same(yaml)
    local text, folder, found = import(yaml)
    assert.is_truthy(text, folder)
    assert.equal("", found)
    return text, folder
end

--- Objects of Lua tables as a stream.
local function stream(objects)
    local documents = {}
    for i, object in ipairs(objects) do
        documents[i] = cjson.encode(object)
    end
    return table.concat(documents, "\n---\n")
end

local function count(text, what)
    return select(2, text:gsub(what, ""))
end

describe("the text of imported manifests", function()
    for _, name in ipairs { "web", "stateful", "cluster" } do
        it("reads as a person would write it: " .. name, function()
            local text = same(support.read("tests/unit/import/" .. name .. ".yaml"))
            assert.equal(support.read("tests/unit/import/" .. name .. ".lua"), (text:gsub("from %S+in.yaml", "from in.yaml", 1)))
            end)
    end

    --- Every kind of Kubernetes with a value in every field; `change` changes the text of each.
    local function every_kind(change)
        local folder = support.shell("cd tests/cluster && go list -m -f '{{.Dir}}' k8s.io/api").out:gsub("%s+$", "")
        local documents = {}
        for path in support.shell(("ls %s/testdata/HEAD/*.yaml"):format(folder)).out:gmatch "%S+" do
            local yaml = support.read(path)
            if yaml:find "^apiVersion: " and yaml:find "\nmetadata:\n.-\n  name: " then
                documents[#documents + 1] = change(yaml:gsub("\n  name: nameValue", "\n  name: nameValue" .. #documents, 1))
            end
        end
        assert.is_true(#documents > 150)
        return documents
    end

    it("has room for every kind in a folder", function()
        local yaml = table.concat(every_kind(function(text)
            return text
        end), "\n---\n")
        local folder = support.folder { ["in.yaml"] = yaml, ["wanted.json"] = assert(native.yaml_parse_stream(yaml)) }
        assert.equal("", support.run("import", folder .. "/in.yaml", "-o", folder .. "/all").err)
        assert.equal("", differences(folder, folder .. "/all"))
    end)

    it("says kinds in words, with names and metadata that these can have", function()
        local documents, texts = every_kind(function(yaml)
            yaml = yaml:gsub("(%l%w*)Value", function(word)
                return word:lower() .. "-value"
            end):gsub("\nstatus:\n.*", "\n")
            local metadata = yaml:match "\n  name: [^\n]*"
            return (yaml:gsub("\nmetadata:\n.-\n(%l)", ("\nmetadata:%s\n  namespace: a\n%%1"):format(metadata), 1))
        end), {}
        for i = 1, #documents, 60 do -- a profile's file may be 1 MiB
            texts[#texts + 1] = same(table.concat(documents, "\n---\n", i, math.min(i + 59, #documents)))
        end
        local text = table.concat(texts)
        for _, word in ipairs { "role", "network_policy", "quota", "priority_class" } do
            assert.is_truthy(text:find("bk." .. word .. " ", 1, true), word)
        end
    end)

    it("keeps every string as it is, and runs none", function()
        local strings = { "]]", "]=]", "a\n]]\nb, which is longer than a short one", "]]\n]=]\n]==]\n and so on, on and on and on]",
            "\nleading newline, and some more text after it", "trailing blank \n and more text in a second line",
            "windows\r\nlines\r\nof a text that is longer than others\r\n  indented\r\n", "tab\tand bell\7", "quote \" and \\ and '",
            "\" .. os.exit(9) .. \"", "]] .. os.exit(9) --[[\n and forty more characters in a second line", "${x} %s %d %%", "-- x",
            "\u{202e}turned around\u{202c}, in two\nlines of some length, so that it would be bracketed", "é ü 日志", "nil", "true", "1e3",
            "", " ", "\u{feff}", "\u{2028}", ("long "):rep(60) }
        local data, labels = {}, {}
        for i, text in ipairs(strings) do
            data["key-" .. i] = text
            labels["k" .. i] = text
        end
        for _, word in ipairs { "end", "local", "nil", "goto", "a b", "1", "_", "x-y", "not", "\"]] .. os.exit(9)", "é", "]]", "%s" } do
            labels[word] = word
        end
        same(stream {
            { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "end", annotations = labels }, data = data },
            { apiVersion = "example.com/v1", kind = "Any", metadata = { name = "local" }, spec = { map = labels, list = strings } },
            { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "while" }, spec = {
                selector = { matchLabels = { app = "\"]] os.exit(9)" } },
                template = { metadata = { labels = { app = "\"]] os.exit(9)" } }, spec = { containers = { { name = "bk",
                    image = "i", args = strings, env = { { name = "A", value = strings[4] } } } } } } } },
        })
    end)

    it("keeps numbers, nulls and empty lists and maps", function()
        local text = same [==[
{"apiVersion": "example.com/v1", "kind": "Any", "metadata": {"name": "a", "annotations": null, "labels": {}},
 "spec": {"n": [9007199254740993, -9223372036854775808, 9223372036854775807, 0.1, 1e100, -0.5, 18446744073709551615, 3.0],
  "empty": [[], {}, [[]], {"a": {}, "b": []}], "nothing": null, "flags": [true, false]}}
---
{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "creationTimestamp": null}, "spec": {
  "selector": {"matchLabels": {"app": "web"}}, "strategy": {}, "template": {"metadata": {"creationTimestamp": null,
  "labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "i", "resources": {}, "env": [], "args": []}],
  "volumes": []}}}, "status": {}}
---
{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "nobody", "namespace": null},
 "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}, "subjects": []}
---
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "odd"}, "spec": {"ports": [{"name": true, "port": "x"}]}}]==]
        assert.is_truthy(text:find("math.mininteger", 1, true))
        assert.is_truthy(text:find("9007199254740993", 1, true))
        assert.is_truthy(text:find 'bk.deployment "web"')
    end)

    it("holds Secrets as text, with a warning; others as they are", function()
        local text = same [[
apiVersion: v1
kind: Secret
metadata: {name: text}
data: {password: aHVudGVyMg==}
---
apiVersion: v1
kind: Secret
metadata: {name: plain}
stringData: {password: hunter2}
---
apiVersion: v1
kind: Secret
metadata: {name: bytes}
data: {key: AP8=}
---
apiVersion: v1
kind: Secret
metadata: {name: odd}
data: {key: aHVudGVyMh==}
]]
        assert.is_truthy(text:find('bk.secret "text" { password = "hunter2" }', 1, true))
        assert.is_truthy(text:find('bk.secret "plain" { password = "hunter2" }:plain()', 1, true))
        assert.equal(2, count(text, "bk%.raw"))
        assert.matches("^%-%- [^\n]+\n%-%- It holds values of Secrets as text", text)
    end)

    it("has names of their own where several kinds share one", function()
        local objects = {}
        for _, kind in ipairs { "ConfigMap", "Secret", "ServiceAccount" } do
            objects[#objects + 1] = { apiVersion = "v1", kind = kind, metadata = { name = "web", namespace = "a" } }
        end
        objects[1].data, objects[2].data = { a = "b" }, { a = "Yg==" }
        objects[4] = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web", namespace = "a" }, spec = {
            selector = { matchLabels = { app = "web" } }, template = { metadata = { labels = { app = "web" } }, spec = {
                serviceAccountName = "web", containers = { { name = "web", image = "i",
                    envFrom = { { configMapRef = { name = "web" } } } } } } } } }
        objects[5] = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "web", namespace = "b" }, data = { a = "c" } }
        local text = same(stream(objects))
        assert.is_truthy(text:find('bk.deployment "web"', 1, true))
        assert.is_truthy(text:find('service_account = web_account', 1, true))
        assert.equal(0, count(text, "bk%.raw"))
    end)

    it("is a folder where it is long", function()
        local objects = {}
        for i = 1, 170 do
            objects[i] = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web-" .. i }, spec = {
                selector = { matchLabels = { app = "web-" .. i } }, template = { metadata = { labels = { app = "web-" .. i } },
                    spec = { containers = { { name = "web", image = "i", envFrom = { { configMapRef = {
                        name = i < 3 and "shared-conf" or "conf-" .. i % 3 } } } } } } } } }
        end
        for _, name in ipairs { "shared-conf", "conf-0", "conf-1", "conf-2", "alone" } do
            objects[#objects + 1] = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = name },
                data = { ["a.txt"] = ("line\n"):rep(50), [".."] = ("x\n"):rep(50), short = "a" } }
        end
        local text, folder = same(stream(objects))
        assert.is_truthy(text:find("local all = {}", 1, true))
        assert.equal(("line\n"):rep(50), support.read(folder .. "/files/alone/a.txt"))
        assert.is_truthy(support.read(folder .. "/parts/web-7.lua"):find("shared.conf_1", 1, true))
    end)
end)
