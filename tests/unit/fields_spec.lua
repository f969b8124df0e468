-- The serialisation of sets of fields, with what a real API server wrote (tests/unit/recorded).
local cjson = require "cjson"
local native = require "native"

local function recorded(name)
    local file = assert(io.open(("tests/unit/recorded/%s.json"):format(name)))
    local text = file:read "a"
    file:close()
    return text
end

local function fields_of(name, manager, operation)
    for _, entry in ipairs(cjson.decode(recorded(name)).metadata.managedFields) do
        if entry.manager == manager and (not operation or entry.operation == operation) and not entry.subresource then
            return cjson.encode(entry.fieldsV1)
        end
    end
    error(("%s has no fields in %s"):format(manager, name))
end

local pod = [[{"spec": {"a.b": {"c": 1}, "a": {"b.c": 2, "b": {"c": 3}}, "containers": [
    {"name": "web", "env": [{"name": "A.B", "value": "1"}], "args": ["x"],
     "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]}, {"name": "a\"]."}]},
  "metadata": {"annotations": {"example.com/owner.name": "us", "example": "x"}, "finalizers": ["k.io/f"]},
  "data": {".env": "1", "a.b[c].d": "2"}}]]

describe("paths of fields", function()
    local function parse(text, object)
        local path, words = native.fields_parse_path(text, object)
        return path and cjson.decode(path), words
    end

    local rows = {
        { ".spec.replicas", { "f:spec", "f:replicas" }, "spec.replicas" },
        { '.spec.containers[name="web"].image',
            { "f:spec", "f:containers", 'k:{"name":"web"}', "f:image" }, "spec.containers[web].image" },
        { '.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].name',
            { "f:spec", "f:containers", 'k:{"name":"web"}', "f:ports", 'k:{"containerPort":80,"protocol":"TCP"}',
                "f:name" }, "spec.containers[web].ports[80/TCP].name" },
        { '.metadata.finalizers[="k.io/f"]', { "f:metadata", "f:finalizers", 'v:"k.io/f"' },
            "metadata.finalizers[k.io/f]" },
        { ".spec.list[3].x[=7][=true]", { "f:spec", "f:list", "i:3", "f:x", "v:7", "v:true" },
            "spec.list[3].x[7][true]" },
        { ".metadata.annotations.example.com/owner.name",
            { "f:metadata", "f:annotations", "f:example.com/owner.name" },
            'metadata.annotations["example.com/owner.name"]' },
        { ".data..env", { "f:data", "f:.env" }, 'data[".env"]' },
        { ".data.a.b[c].d", { "f:data", "f:a.b[c].d" }, 'data["a.b[c].d"]' },
        { '.spec.containers[name="a\\"]."].image',
            { "f:spec", "f:containers", 'k:{"name":"a\\"]."}', "f:image" }, 'spec.containers[a"].].image' },
        { '.x[="\\t\\u00e9\\x41\\U0001f600\\a"]', { "f:x", 'v:"\\té' .. 'A\u{1f600}\\u0007"' }, "x[\té" .. "A\u{1f600}\a]" },
        { "", {}, "" },
    }
    for _, row in ipairs(rows) do
        it("reads " .. row[1], function()
            local path, words = parse(row[1], pod)
            assert.same(row[2], path)
            assert.equal(row[3], words)
        end)
    end

    it("takes the key that the rest is in", function()
        assert.same({ "f:spec", "f:a.b", "f:c" }, (parse(".spec.a.b.c", '{"spec": {"a.b": {"c": 1}, "a": {"b": {}}}}')))
        assert.same({ "f:spec", "f:a", "f:b", "f:c" },
            (parse(".spec.a.b.c", '{"spec": {"a.b": {"d": 1}, "a": {"b": {"c": 1}}}}')))
    end)

    it("splits at dots what no object has", function()
        assert.same({ "f:metadata", "f:labels", "f:a", "f:b/c" }, (parse ".metadata.labels.a.b/c"))
        assert.same({ "f:data", "f:.x" }, (parse("." .. "data..x", '{"data": {"y": 1}}')))
    end)

    for _, text in ipairs { "x", ".", "..", ".a[", ".a[]", ".a[x]", ".a[x=]", '.a[x="y]', '.a[x="y"', ".a[=", ".a[=x]",
        ".a[1", '.a[x="\\q"]', '.a[x="\\u12"]', '.a[="x"', "[", ".a[x=1,]", ".a[=[1]]" } do
        it("does not understand " .. text, function()
            local path, message = native.fields_parse_path(text)
            if text == ".." then -- a key that is one dot
                assert.equal('["f:."]', path)
                return
            end
            assert.is_nil(path)
            assert.equal("the API server's name of a field is not understood: " .. text, message)
        end)
    end

    local function place(path)
        return native.fields_path_in(pod, cjson.encode(path))
    end

    it("are found in an object", function()
        assert.equal("spec.containers[0].env[0].value",
            place { "f:spec", "f:containers", 'k:{"name":"web"}', "f:env", 'k:{"name":"A.B"}', "f:value" })
        assert.equal("metadata.finalizers[0]", place { "f:metadata", "f:finalizers", 'v:"k.io/f"' })
        assert.equal("spec.containers[1]", place { "f:spec", "f:containers", "i:1" })
        assert.is_nil(place { "f:spec", "f:containers", "i:2" })
        assert.is_nil(place { "f:spec", "f:containers", "v:1" })
        assert.is_nil(place { "f:spec", "f:containers", 'k:{"name":"x"}' })
        assert.is_nil(place { "f:spec", "f:containers", "k:{" })
        assert.is_nil(place { "f:spec", "k:{}" })
    end)

    it("find a list element that leaves a key to its default", function()
        local ports = { "f:spec", "f:containers", 'k:{"name":"web"}', "f:ports" }
        ports[5] = 'k:{"containerPort":80,"protocol":"TCP"}'
        assert.equal("spec.containers[0].ports[0]", place(ports))
        ports[5] = 'k:{"containerPort":80,"protocol":"UDP"}'
        assert.equal("spec.containers[0].ports[1]", place(ports))
    end)

    it("are taken out with the parents that are empty then", function()
        local function without(path, object)
            local made, found = native.fields_remove_from(object or pod, cjson.encode(path))
            return cjson.decode(made), found
        end
        local made, found = without { "f:metadata", "f:finalizers", 'v:"k.io/f"' }
        assert.is_true(found)
        assert.is_nil(made.metadata.finalizers)
        assert.is_table(made.metadata.annotations)
        made = without { "f:spec", "f:containers", 'k:{"name":"web"}', "f:env", 'k:{"name":"A.B"}', "f:value" }
        assert.same({ { name = "A.B" } }, made.spec.containers[1].env)
        made, found = without { "f:spec", "f:replicas" }
        assert.is_false(found)
        assert.same(cjson.decode(pod), made)
        assert.same({ kind = "X" }, (without({ "f:a", "f:b", "f:c" }, '{"kind": "X", "a": {"b": {"c": [1]}}}')))
        assert.same({ { n = 2 } }, without({ "f:l", 'k:{"n":1}' }, '{"l": [{"n": 1}, {"n": 2}]}').l)
    end)
end)

describe("sets of fields", function()
    local function union(a, b)
        return cjson.decode(native.fields_union(a and cjson.encode(a), b and cjson.encode(b)))
    end
    local E = {}

    it("unite", function()
        assert.same({ ["f:a"] = E, ["f:b"] = E }, union({ ["f:a"] = E }, { ["f:b"] = E }))
        assert.same({ ["f:a"] = { ["."] = E, ["f:b"] = E } }, union({ ["f:a"] = E }, { ["f:a"] = { ["f:b"] = E } }))
        assert.same({ ["f:a"] = { ["."] = E, ["f:b"] = E } }, union({ ["f:a"] = { ["f:b"] = E } }, { ["f:a"] = E }))
        assert.same({ ["f:a"] = { ["f:c"] = E, ["f:b"] = E } },
            union({ ["f:a"] = { ["f:b"] = E } }, { ["f:a"] = { ["f:c"] = E } }))
        assert.same({ ["f:a"] = E }, union({ ["f:a"] = E }, { ["f:a"] = E }))
        assert.same({ ["f:a"] = { ["."] = E, ["f:b"] = E } },
            union({ ["f:a"] = { ["."] = E, ["f:b"] = E } }, { ["f:a"] = { ["f:b"] = E } }))
        assert.same({ ["f:a"] = E }, union(nil, { ["f:a"] = E }))
        assert.same({}, union(nil, nil))
        assert.same({ ["f:a"] = E }, union({ ["f:a"] = E }, {}))
    end)

    it("of one manager are the same twice", function()
        for _, name in ipairs { "kubectl-apply", "helm-client-side" } do
            local fields = fields_of(name, name == "kubectl-apply" and "kubectl-client-side-apply" or "helm")
            assert.same(cjson.decode(fields), cjson.decode(native.fields_union(fields, fields)))
        end
    end)

    it("tell what is in them", function()
        local fields = fields_of("edited", "kubectl-edit")
        local function has(...)
            return native.fields_contain(fields, cjson.encode { ... })
        end
        local web = 'k:{"name":"web"}'
        assert.is_true(has("f:metadata", "f:annotations", "f:example.com/owner.name"))
        assert.is_true(has("f:spec", "f:template", "f:spec", "f:containers", web, "f:args"))
        assert.is_true(has("f:spec", "f:template", "f:spec", "f:containers", web, "f:args", "i:0"))
        assert.is_true(has("f:spec", "f:template", "f:spec", "f:containers", web, "f:ports",
            'k:{"protocol": "TCP", "containerPort": 80}', "f:name"))
        assert.is_false(has("f:spec", "f:template", "f:spec", "f:containers", web))
        assert.is_false(has("f:spec", "f:replicas"))
        assert.is_false(has("f:spec"))
        assert.is_false(native.fields_contain("{}", "[]"))
    end)

    it("tell what an object no longer has", function()
        local function left(fields, object)
            return cjson.decode(native.fields_left_over(fields, cjson.encode(object)))
        end
        local fields = fields_of("kubectl-apply", "kubectl-client-side-apply")
        local live = cjson.decode(recorded "kubectl-apply")
        assert.same({}, left(fields, live))
        live.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
        live.spec.replicas = nil
        local web = live.spec.template.spec.containers[1]
        web.env, web.args, web.image = nil, nil, nil
        local found = left(fields, live)
        table.sort(found)
        assert.same({
            'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]', "spec.replicas",
            "spec.template.spec.containers[web].args", "spec.template.spec.containers[web].env[MODE]",
            "spec.template.spec.containers[web].image",
        }, found)
        live.spec.template.spec.containers = { { name = "other" } }
        found = left(fields, live)
        table.sort(found)
        assert.same({ "spec.replicas", "spec.template.spec.containers[web]" }, { found[2], found[3] })
        assert.is_nil(found[4])
    end)
end)
