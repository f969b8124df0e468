local cjson = require "cjson"
local native = require "native"
local support = require "support"

local function graph(profile, ...)
    local run = support.run("graph", profile, ...)
    assert.equal("", run.err)
    assert.equal(0, run.code)
    return run.out
end

--- The edges of a graph: "from -> to" to why.
local function edges_of(text)
    local edges = {}
    for _, edge in ipairs(cjson.decode(text).edges) do
        edges[edge.from .. " -> " .. edge.to] = edge.why
    end
    return edges
end

local function draw_with_graphviz(text)
    local folder = support.folder { ["graph.dot"] = text }
    local run = support.shell("timeout 60 dot -Tsvg " .. folder .. "/graph.dot")
    assert.equal("", run.err)
    assert.equal(0, run.code)
    return run.out
end

--- The texts of a picture that Graphviz has made, as they are read.
local function texts_of(picture)
    return (picture:gsub("<title>.-</title>", ""):gsub("&quot;", '"'):gsub("&lt;", "<"):gsub("&gt;", ">")
        :gsub("&#(%d+);", function(code) return utf8.char(code) end):gsub("&amp;", "&"):gsub("\194\160", " "))
end

--- Holds a flowchart against the grammar of what is used of it; returns its nodes by their ids.
local function read_mermaid(text)
    local nodes, depth = {}, 0
    local label = '"([%w%-%._/:, #;\128-\255]*)"'
    local forms = { '%[' .. label .. '%]', '%(%[' .. label .. '%]%)', '{{' .. label .. '}}', '%(%(' .. label .. '%)%)',
        '%[/' .. label .. '/%]', '%[%(' .. label .. '%)%]', '%[\\' .. label .. '\\%]' }
    local lines = text:gmatch "([^\n]*)\n"
    assert.equal("flowchart LR", lines())
    local function decode(shown)
        for code in shown:gmatch "#([^;]*);?" do
            assert.matches("^%d+$", code)
        end
        return (shown:gsub("#(%d+);", function(code) return utf8.char(code) end))
    end
    for line in lines do
        local id, title = line:match("^  subgraph (n%d+)%[" .. label .. "%]$")
        if id then
            depth = depth + 1
            nodes[id] = decode(title)
        elseif line == "  end" then
            depth = depth - 1
        elseif line:match "^  n%d+ [=%-]+>" then
            local from, why, to = line:match("^  (n%d+) %-%->|" .. label .. "| (n%d+)$")
            if not from then
                from, to = line:match "^  (n%d+) ==> (n%d+)$"
            end
            assert.is_truthy(from, line)
            assert.is_truthy(nodes[from] and nodes[to], line)
            decode(why or "")
        elseif not line:match "^  class n[n%d,]+ %w+$" and not line:match "^  classDef %w+ fill:#%x+,stroke:#%x+,color:#%x+$" then
            for _, form in ipairs(forms) do
                local found, shown = line:match("^  (n%d+)" .. form .. "$")
                if found then
                    assert.is_nil(id, line)
                    id = found
                    nodes[id] = decode(shown)
                end
            end
            assert.is_truthy(id, line)
        end
        assert.is_true(depth == 0 or depth == 1, line)
    end
    assert.equal(0, depth)
    return nodes
end

describe("bkdeploy graph", function()
    it("tells what leads where", function()
        assert.same({
            ["Component/web -> Component/page"] = "needs",
            ["Service/web -> Deployment/web"] = "selects",
            ["Deployment/web -> ConfigMap/page"] = "volume",
            ["Host/hello.example.com -> Ingress/web"] = "/",
            ["Ingress/web -> Service/web"] = "/",
        }, edges_of(graph("profiles/hello", "-o", "json")))
    end)

    it("knows configuration, Secrets, claims, autoscalers, rights and what is there already", function()
        local folder = support.profile("shop", [[
            local key = bk.existing_secret "given"
            local settings = bk.config "settings" { MODE = "fast" }
            local store = bk.statefulset "store" { image = "store:1", ports = { tcp = 9000 },
                claims = { data = { size = "1Gi", path = "/data" } }, env = { KEY = key:key "KEY", MODE = settings:key "MODE" } }
            local web = bk.deployment "web" { image = "web:1", ports = { http = 80 }, needs = { store },
                env_from = { settings }, files = { ["/etc/web"] = settings }, scale = { min = 1, max = 3, cpu = "70%" },
                resources = { cpu = "1..2", memory = "1Gi..1Gi" } }
            return { settings, store, web }]])
        local text = graph(folder, "-o", "json")
        local edges, external = edges_of(text), {}
        assert.equal("env", edges["StatefulSet/store -> Secret/given"])
        assert.equal("env", edges["StatefulSet/store -> ConfigMap/settings"])
        assert.equal("volume", edges["StatefulSet/store -> PersistentVolumeClaim/data-store-*"])
        assert.same({ "env", "volume" }, (function(why)
            local words = {}
            for word in why:gmatch "%a+" do
                words[#words + 1] = word
            end
            table.sort(words)
            return words
        end)(edges["Deployment/web -> ConfigMap/settings"]))
        assert.equal("scales", edges["HorizontalPodAutoscaler/web -> Deployment/web"])
        assert.equal("needs", edges["Component/web -> Component/store"])
        for _, node in ipairs(cjson.decode(text).nodes) do
            external[node.id] = node.external
        end
        assert.same({ ["Secret/given"] = true }, external)
        draw_with_graphviz(graph(folder, "-o", "dot"))
        read_mermaid(graph(folder))
    end)

    it("marks a need that follows from others, and draws it not", function()
        local folder = support.profile("steps", [[
            local function step(name, needs)
                return bk.config(name) { a = "b" }, bk.deployment(name .. "-app") { image = name .. ":1", needs = needs }
            end
            local _, a = step("a", {})
            local _, b = step("b", { a })
            local _, c = step("c", { a, b })
            return { a, b, c }]])
        local implied = {}
        for _, edge in ipairs(cjson.decode(graph(folder, "-o", "json")).edges) do
            implied[edge.from .. " -> " .. edge.to] = edge.implied or false
        end
        assert.same({
            ["Component/b-app -> Component/a-app"] = false, ["Component/c-app -> Component/b-app"] = false,
            ["Component/c-app -> Component/a-app"] = true,
        }, implied)
        assert.equal(2, select(2, graph(folder):gsub("==>", "")))
    end)

    it("draws a whole platform as Graphviz and Mermaid read it, twice the same", function()
        for _, environment in ipairs { "dev", "prod" } do
            local words = { "profiles/bklog", "-e", environment, "--set", "kafka=true", "--set", "collector=true" }
            local function all(format)
                local copy = { table.unpack(words) }
                copy[#copy + 1], copy[#copy + 2] = "-o", format
                return graph(table.unpack(copy))
            end
            local texts = texts_of(draw_with_graphviz(all "dot"))
            for _, text in ipairs { "data-mysql-*", "bklog-secrets", ".example.com" } do
                assert.is_truthy(texts:find(text, 1, true), text)
            end
            local nodes = {}
            for _, label in pairs(read_mermaid(all "mermaid")) do
                nodes[label] = true
            end
            assert.is_true(nodes["Deployment web"] and nodes["Secret bklog-secrets"] and nodes["web"])
            for _, format in ipairs { "mermaid", "dot", "json" } do
                assert.equal(all(format), all(format))
            end
        end
    end)

    it("shows texts that mean something to the other program as texts", function()
        local evil = '"]; <script>alert(1)</script> & `md` #quot; \\N \\" \27[31m\n}\226\128\174'
        local topology = cjson.encode {
            profile = evil, environment = "x", namespace = "x",
            nodes = {
                { id = "Component/a", kind = "Component", name = evil, label = evil, origin = "p:1", status = "failed" },
                { id = "Host/b", kind = "Host", name = evil, label = evil, component = evil, status = "ready" },
                { id = "Pod/c", kind = evil, name = "c", label = "c" },
            },
            edges = { { from = "Host/b", to = "Pod/c", why = evil } },
        }
        local shown = evil:gsub("\27", "\\x1B"):gsub("\n", "\\n"):gsub("\226\128\174", "\\u202E")
        local nodes = read_mermaid(native.graph("mermaid", topology))
        assert.same({ n0 = shown, n1 = shown, n2 = shown .. " c" }, nodes)
        local picture = draw_with_graphviz(native.graph("dot", topology))
        assert.is_truthy(texts_of(picture):find(shown, 1, true))
        assert.is_falsy(picture:find("<script", 1, true))
    end)

    it("gives a status a colour", function()
        local topology = cjson.encode { profile = "a", nodes = {
            { id = "Component/a", kind = "Component", name = "a", label = "a", origin = "p:1", status = "failed" },
            { id = "Pod/a", kind = "Pod", name = "a", label = "a", component = "a", status = "failed" },
            { id = "Pod/b", kind = "Pod", name = "b", label = "b", component = "a", status = "ready" },
        }, edges = cjson.empty_array }
        local mermaid = native.graph("mermaid", topology)
        assert.matches("\n  class n0,n1 failed\n  classDef failed fill:#", mermaid)
        assert.matches("\n  class n2 ready\n", mermaid)
        read_mermaid(mermaid)
        assert.equal(2, select(2, native.graph("dot", topology):gsub('fillcolor="#ffdcd8"', "")))
    end)

    it("tells a mistake of the profile", function()
        local run = support.run("graph", support.folder { ["profile.lua"] = "return 1" })
        assert.equal(2, run.code)
        assert.equal("", run.out)
        assert.matches("--output of graph is mermaid, dot or json, not 'svg'",
            support.run("graph", "profiles/hello", "-o", "svg").err, 1, true)
    end)
end)
