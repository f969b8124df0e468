local native = require "native"
local cjson = require "cjson"
local dkjson = require "dkjson"

local function to_json(yaml)
    return yaml and (assert(native.yaml_parse(yaml)))
end

--- The changes between two YAML texts, each as "path: before -> after" in JSON.
local function changes(before, after, crds)
    local list = {}
    for i, change in ipairs(cjson.decode((assert(native.diff_objects(to_json(before), to_json(after), crds))))) do
        local function side(value)
            return value == nil and "nothing" or (native.keys_ordered(cjson.encode(value)))
        end
        list[i] = ("%s: %s -> %s"):format(native.path_format(cjson.encode(change.path)), side(change.before),
            side(change.after))
    end
    return list
end

local function printed(before, after, colour, origin)
    return native.changes_print(to_json(before), to_json(after), colour, origin)
end

local deployment = [[
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        args: [--one, --two, --three]
        env:
        - {name: A, value: "1"}
        - {name: B, value: "2"}
        ports:
        - {containerPort: 80, name: http}
        - {containerPort: 53, protocol: UDP}
        - {containerPort: 53, protocol: TCP}
        volumeMounts:
        - {name: data, mountPath: /data}
        - {name: data, mountPath: /more}
      - name: side
        image: busybox:1
      volumes:
      - {name: data, emptyDir: {}}
]]

--- The deployment with parts of its text replaced, each to be there once.
local function with(...)
    local text = deployment
    for i = 1, select("#", ...), 2 do
        local from, to = select(i, ...)
        local first, last = text:find(from, 1, true)
        assert(first, from)
        text = text:sub(1, first - 1) .. to .. text:sub(last + 1)
    end
    return text
end

local container = "spec.template.spec.containers[0]"

local function map(fields)
    return setmetatable(fields, { __jsontype = "object" })
end

local function list_of(items)
    return setmetatable(items, { __jsontype = "array" })
end

local function is_list(value)
    return type(value) == "table" and (getmetatable(value) or {}).__jsontype == "array"
end

local function is_map(value)
    return type(value) == "table" and (getmetatable(value) or {}).__jsontype == "object"
end

--- Random objects that have what lists of Kubernetes have.
local random = {}

local words = { "a", "b", "web", "yes", "1", "", "é", "two\nlines", "two\nlines\n", "x: y", "[", "ends\n\n", "\27" }
local kinds = { { "apps/v1", "Deployment" }, { "v1", "Service" }, { "example.com/v1", "Thing" } }

local function pick(list)
    return list[math.random(#list)]
end

function random.scalar()
    return pick { pick(words), math.random(3), math.random(2) == 1, dkjson.null, pick(words) }
end

function random.value(depth)
    local what = math.random(depth > 0 and 8 or 2)
    if what <= 2 then return random.scalar() end
    local made = {}
    if what == 3 or what == 4 then
        for i = 1, math.random(0, 4) do made[i] = random.scalar() end
        return list_of(made)
    elseif what == 5 then
        for i = 1, math.random(0, 3) do made[i] = random.value(depth - 1) end
        return list_of(made)
    elseif what == 6 then
        return random.named("name", depth - 1)
    end
    for _ = 1, math.random(0, 3) do made[pick { "a", "b", "c d", "name", "key" }] = random.value(depth - 1) end
    return map(made)
end

function random.named(key, depth)
    local made, seen = {}, {}
    for _ = 1, math.random(0, 4) do
        local name = pick { "a", "b", "c", "d", "e" }
        if not seen[name] then
            local item = random.value(0)
            made[#made + 1] = map { [key] = name, v = item, w = random.value(depth > 0 and depth - 1 or 0) }
            seen[name] = math.random(20) > 1 -- a name twice, now and then
        end
    end
    return list_of(made)
end

function random.object()
    local kind = pick(kinds)
    local ports = {}
    for _ = 1, math.random(0, 3) do
        ports[#ports + 1] = map { containerPort = math.random(3), port = math.random(3), protocol = pick { "TCP", "UDP" } }
    end
    return map {
        apiVersion = kind[1], kind = kind[2],
        metadata = map { name = "x", labels = random.value(1), finalizers = list_of { pick(words), pick(words) } },
        spec = map {
            ports = list_of(ports), free = random.value(3),
            template = map { spec = map {
                containers = list_of {
                    map { name = "web", args = list_of { pick(words), pick(words), pick(words) },
                        env = random.named("name", 1), volumeMounts = random.named("mountPath", 1), ports = list_of(ports) },
                    map { name = pick { "side", "car" } },
                },
                tolerations = random.named("key", 0),
            } },
        },
    }
end

--- A copy in which something here and there is another, missing, new or moved.
function random.changed(value)
    if math.random(25) == 1 then return random.value(2) end
    if is_map(value) then
        local made = {}
        for key, child in pairs(value) do
            if math.random(15) > 1 then made[key] = random.changed(child) end
        end
        if math.random(10) == 1 then made.new = random.value(1) end
        return map(made)
    elseif is_list(value) then
        local made = {}
        for _, child in ipairs(value) do
            if math.random(10) > 1 then made[#made + 1] = random.changed(child) end
        end
        if #made > 1 and math.random(6) == 1 then
            table.insert(made, math.random(#made), table.remove(made, math.random(#made)))
        end
        if math.random(10) == 1 then table.insert(made, math.random(#made + 1), random.value(1)) end
        return list_of(made)
    end
    return value
end

local function is_at(path, place)
    if #path ~= #place then return false end
    for i, element in ipairs(path) do
        if element ~= place[i] then return false end
    end
    return true
end

local function below(place, element)
    local made = { table.unpack(place) }
    made[#made + 1] = element
    return made
end

--- The object after, of the one before and the changes: what is removed is found by its path in the
--- object before, everything else by that in the one after.
local function apply(value, list, from, to)
    from, to = from or {}, to or {}
    local function find(place, test)
        for _, change in ipairs(list) do
            if is_at(change.path, place) and test(change) then return change end
        end
    end
    local function removes(change) return change.after == nil end
    local function sets(change) return change.after ~= nil and not change.order end
    local function adds(change) return change.after ~= nil and change.before == nil end
    local function orders(change) return change.order end
    local change = find(to, sets)
    if change then return change.after end
    local made = {}
    if is_map(value) then
        for key, child in pairs(value) do
            if not find(below(from, key), removes) then
                made[key] = apply(child, list, below(from, key), below(to, key))
            end
        end
        for _, other in ipairs(list) do
            local last = other.path[#other.path]
            if adds(other) and is_at(other.path, below(to, last)) then made[last] = other.after end
        end
        return map(made)
    elseif is_list(value) then
        local kept, order = {}, find(to, orders)
        for i in ipairs(value) do
            if not find(below(from, i - 1), removes) then kept[#kept + 1] = i - 1 end
        end
        if order then
            assert(#order.order == #kept)
            kept = { table.unpack(order.order) }
        end
        while true do
            local place = below(to, #made)
            local new = find(place, adds)
            local index = not new and table.remove(kept, 1)
            if not new and not index then return list_of(made) end
            made[#made + 1] = new and new.after or not new and apply(value[index + 1], list, below(from, index), place)
        end
    end
    return value
end

describe("the alignment of sequences", function()
    it("is a longest common subsequence", function()
        math.randomseed(11)
        for _ = 1, 500 do
            local a, b = {}, {}
            for i = 1, math.random(0, 12) do a[i] = math.random(4) end
            for i = 1, math.random(0, 12) do b[i] = math.random(4) end
            local best = {}
            for i = 0, #a do
                best[i] = {}
                for k = 0, #b do
                    best[i][k] = (i == 0 or k == 0) and 0 or a[i] == b[k] and best[i - 1][k - 1] + 1
                        or math.max(best[i - 1][k], best[i][k - 1])
                end
            end
            local left, right = native.align(a, b)
            assert.equal(best[#a][#b], #left)
            assert.equal(#left, #right)
            for n = 1, #left do
                assert.equal(a[left[n]], b[right[n]])
            end
        end
    end)

    it("gives up on what has nothing in common", function()
        local a, b = { 1 }, { 1 }
        for i = 2, 5000 do a[i], b[i] = i, -i end
        a[5001], b[5001] = 7, 7
        local left, right = native.align(a, b)
        assert.same({ 1, 5001 }, left)
        assert.same({ 1, 5001 }, right)
    end)
end)

describe("a cleaned object", function()
    it("lacks what the server and bookkeeping own, and nothing else", function()
        local cleaned = native.diff_cleaned(to_json [[
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  uid: u
  resourceVersion: "1"
  generation: 2
  creationTimestamp: 2024-01-01T00:00:00Z
  selfLink: /x
  managedFields: [{manager: a}]
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    deployment.kubernetes.io/revision: "3"
    mine: "yes"
  finalizers: [a/b]
spec: {template: {metadata: {creationTimestamp: null, annotations: {deployment.kubernetes.io/revision: "1"}}}}
status: {replicas: 1}
]])
        assert.same({
            apiVersion = "apps/v1", kind = "Deployment",
            metadata = { name = "web", annotations = { mine = "yes" }, finalizers = { "a/b" } },
            spec = { template = { metadata = { creationTimestamp = cjson.null,
                annotations = { ["deployment.kubernetes.io/revision"] = "1" } } } },
        }, cjson.decode(cleaned))
    end)

    it("has no annotations where all were bookkeeping", function()
        local annotated = '{"metadata":{"name":"a","annotations":{"deployment.kubernetes.io/revision":"3"}}}'
        assert.equal('{"metadata":{"name":"a"}}', native.diff_cleaned(annotated))
        assert.equal('{"metadata":{"annotations":{}}}', native.diff_cleaned('{"metadata":{"annotations":{}}}'))
        assert.equal('{"metadata":null}', native.diff_cleaned('{"metadata":null}'))
    end)
end)

describe("changes", function()
    it("are none between equal objects, whatever the order of keys", function()
        assert.same({}, changes(deployment, deployment))
        assert.same({}, changes("{a: 1, b: 2}", "{b: 2, a: 1}"))
        assert.equal("[]", native.diff_objects(nil, nil))
        assert.equal("", printed(deployment, deployment))
        assert.equal("", native.changes_print(nil, nil))
    end)

    it("are one at the object's own path when it comes or goes", function()
        assert.same({ ': nothing -> {"a":1}' }, changes(nil, "{a: 1}"))
        assert.same({ ': {"a":1} -> nothing' }, changes("{a: 1}", nil))
    end)

    it("go by the keys of lists, whatever the place of an item", function()
        assert.same({ container .. '.image: "nginx:1.27" -> "nginx:1.28"' },
            changes(deployment, with("nginx:1.27", "nginx:1.28")))
        assert.same({
            'spec.template.spec.containers[0]: nothing -> {"name":"new"}',
            'spec.template.spec.containers[1].image: "nginx:1.27" -> "nginx:1.28"',
        }, changes(deployment, with("containers:\n", "containers:\n      - {name: new}\n", "nginx:1.27", "nginx:1.28")))
        assert.same({ container .. '.env[0].value: "1" -> "3"' },
            changes(deployment, with('value: "1"', 'value: "3"')))
        assert.same({ container .. '.env[1]: {"name":"B","value":"2"} -> nothing' },
            changes(deployment, with('        - {name: B, value: "2"}\n', "")))
        assert.same({ container .. ".volumeMounts[1].readOnly: nothing -> true" },
            changes(deployment, with("/more", "/more, readOnly: true")))
        assert.same({ container .. ".ports[1].hostPort: nothing -> 9" },
            changes(deployment, with("protocol: UDP", "protocol: UDP, hostPort: 9")))
        assert.same({ container .. ".ports[2].hostPort: nothing -> 9" },
            changes(deployment, with("protocol: TCP", "protocol: TCP, hostPort: 9")))
        assert.same({ container .. '.ports[0].protocol: nothing -> "TCP"' },
            changes(deployment, with("name: http", "name: http, protocol: TCP")))
        local conditions = "{apiVersion: apps/v1, kind: Deployment, status: {conditions: [%s{type: B, status: '%s'}]}}"
        assert.same({
            'status.conditions[0]: {"type":"A"} -> nothing',
            'status.conditions[0].status: "False" -> "True"',
        }, changes(conditions:format("{type: A}, ", "False"), conditions:format("", "True")))
    end)

    it("know metadata of unknown kinds", function()
        local object = "{apiVersion: a/v1, kind: X, metadata: {ownerReferences: [%s]}}"
        assert.same({ 'metadata.ownerReferences[0].name: "n" -> "m"', 'metadata.ownerReferences[1]: {"name":"n","uid":"v"} -> nothing' },
            changes(object:format("{uid: u, name: n}, {uid: v, name: n}"), object:format("{uid: u, name: m}")))
    end)

    it("tell another order once", function()
        local before, after = to_json(deployment), to_json(with('        - {name: A, value: "1"}\n', "",
            '        ports:', '        - {name: A, value: "4"}\n        ports:'))
        assert.same({
            { path = { "spec", "template", "spec", "containers", 0, "env" }, before = { "A", "B" },
                after = { "B", "A" }, order = { 1, 0 } },
            { path = { "spec", "template", "spec", "containers", 0, "env", 1, "value" }, before = "1", after = "4" },
        }, cjson.decode((native.diff_objects(before, after))))
        local service = "{apiVersion: v1, kind: Service, spec: {ports: [%s]}}"
        local tcp, udp = "{port: 1, protocol: TCP}", "{port: 1, protocol: UDP}"
        local moved = cjson.decode((native.diff_objects(to_json(service:format(tcp .. "," .. udp)),
            to_json(service:format(udp .. "," .. tcp)))))
        assert.same({ { path = { "spec", "ports" }, before = { { port = 1, protocol = "TCP" }, { port = 1, protocol = "UDP" } },
            after = { { port = 1, protocol = "UDP" }, { port = 1, protocol = "TCP" } }, order = { 1, 0 } } }, moved)
    end)

    it("find a longest common part of lists of words", function()
        assert.same({ container .. '.args[1]: "--two" -> nothing' }, changes(deployment, with("--two, ", "")))
        assert.same({ container .. '.args[1]: nothing -> "--new"' }, changes(deployment, with("--two", "--new, --two")))
        assert.same({ container .. '.args[0]: "--one" -> nothing', container .. '.args[2]: nothing -> "--one"' },
            changes(deployment, with("--one, --two, --three", "--two, --three, --one")))
        assert.same({ container .. '.args[1]: "--two" -> nothing', container .. '.args[1]: nothing -> "--2"' },
            changes(deployment, with("--two", "--2")))
        assert.same({ "l[1]: 1 -> nothing" }, changes("{l: [1, 1, '1']}", "{l: [1, '1']}"))
    end)

    it("go by name in lists that no schema knows, else by content and place", function()
        local custom = "{apiVersion: example.com/v1, kind: Thing, spec: {list: [%s]}}"
        local function of(before, after)
            return changes(custom:format(before), custom:format(after))
        end
        assert.same({ 'spec.list[0]: nothing -> {"name":"n"}', "spec.list[1].v: 1 -> 2" },
            of("{name: a, v: 1}", "{name: n}, {name: a, v: 2}"))
        assert.same({ "spec.list[1].v: 1 -> 2" }, of("{name: a}, {name: a, v: 1}", "{name: a}, {name: a, v: 2}"))
        assert.same({ "spec.list[1]: {\"v\":2} -> nothing" }, of("{v: 1}, {v: 2}, {v: 3}", "{v: 1}, {v: 3}"))
        assert.same({ "spec.list[1].v: 2 -> 4" }, of("{v: 1}, {v: 2}, {v: 3}", "{v: 1}, {v: 4}, {v: 3}"))
        assert.same({ "spec.list[0].w: 1 -> 2", 'spec.list[1]: {"v":2,"w":1} -> nothing', 'spec.list[1]: nothing -> {"u":1}' },
            of("{v: 1, w: 1}, {v: 2, w: 1}", "{v: 1, w: 2}, {u: 1}"))
        assert.same({ "spec.list[0]: nothing -> {\"v\":0,\"w\":1}", "spec.list[1].w: 5 -> 6" },
            of("{v: 1, w: 5}", "{v: 0, w: 1}, {v: 1, w: 6}"))
        assert.same({ "spec.list[0][0]: 1 -> nothing", "spec.list[0][0]: nothing -> 2" }, of("[1]", "[2]"))
        assert.same({ 'spec.list[0]: {"v":1} -> nothing', "spec.list[0]: nothing -> [1]" }, of("{v: 1}", "[1]"))
    end)

    it("go by the keys of a CustomResourceDefinition", function()
        local crds = cjson.encode { cjson.decode(to_json [[
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              list:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [id]
                items: {type: object, required: [id], properties: {id: {type: string}, name: {type: string}}}
]]) }
        local custom = "{apiVersion: example.com/v1, kind: Thing, spec: {list: [%s]}}"
        assert.same({ 'spec.list[0]: {"name":"b","id":"x"} -> nothing', 'spec.list[1].name: "a" -> "b"' },
            changes(custom:format("{id: x, name: b}, {id: y, name: c}, {id: z, name: a}"),
                custom:format("{id: y, name: c}, {id: z, name: b}"), crds))
    end)

    it("tell empty, missing, null and other types apart", function()
        assert.equal('[{"path":["a"],"before":{},"after":[]}]', native.diff_objects('{"a":{}}', '{"a":[]}'))
        assert.equal('[{"path":["a"],"after":{}}]', native.diff_objects("{}", '{"a":{}}'))
        assert.equal('[{"path":["a"],"before":null}]', native.diff_objects('{"a":null}', "{}"))
        assert.equal('[{"path":["a"],"before":{"b":[1]},"after":"x"}]', native.diff_objects('{"a":{"b":[1]}}', '{"a":"x"}'))
        assert.equal('[{"path":["a","b"],"after":1}]', native.diff_objects('{"a":{}}', '{"a":{"b":1}}'))
        assert.equal('[{"path":["a",0],"before":1}]', native.diff_objects('{"a":[1]}', '{"a":[]}'))
        assert.equal('[{"path":["a"],"before":"1","after":1}]', native.diff_objects('{"a":"1"}', '{"a":1}'))
        assert.equal('[{"path":["é"],"before":"ü","after":"漢字"}]', native.diff_objects('{"é":"ü"}', '{"é":"漢字"}'))
    end)

    it("make the object after of the one before", function()
        math.randomseed(23)
        for round = 1, 500 do
            local before = random.object()
            local after = random.changed(before)
            if round % 5 == 0 then after = random.object() end
            local from, to = dkjson.encode(before), dkjson.encode(after)
            local list = native.diff_objects(from, to)
            local made = apply(before, (dkjson.decode(list, 1, dkjson.null)))
            assert.equal(native.keys_ordered(to), native.keys_ordered(dkjson.encode(made)), from .. "\n" .. to .. "\n" .. list)
        end
    end)
end)

local secret = [[
apiVersion: v1
kind: Secret
metadata:
  name: keys
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"a":"Y2FuYXJ5"}}'}
type: Opaque
%s
]]

describe("a Secret's values", function()
    --- Everything that can be seen of the change, which the canary must not be in.
    local function seen(before, after)
        local from, to = before and to_json(secret:format(before)), after and to_json(secret:format(after))
        local list = native.diff_objects(from, to, nil, "Secret")
        local text = native.changes_print(from, to, true, true)
        for _, shown in ipairs { list, text } do
            for _, canary in ipairs { "Y2FuYXJ5", "canary", "Y2Fu", "KIPPER" } do
                assert.is_nil(shown:find(canary, 1, true), shown)
            end
        end
        return list, native.changes_print(from, to)
    end

    it("are not shown when they change, come or go", function()
        local list, text = seen("data: {a: Y2FuYXJ5, b: Y2FuYXJ5, c: Y2FuYXJ5}", "data: {a: Y2FuYXJ5, b: Y2FuYXJ6, d: Y2FuYXJ5}")
        assert.equal('[{"path":["data","b"],"before":"***","after":"***"},{"path":["data","c"],"before":"***"},' ..
            '{"path":["data","d"],"after":"***"}]', list)
        assert.equal([[
  data:
-   b: ***
+   b: *** (changed)
-   c: ***
+   d: ***
]], text)
    end)

    it("are not shown of a Secret that comes or goes", function()
        local list, text = seen(nil, "data: {a: Y2FuYXJ5}\nstringData: {b: canary KIPPER, c: \"canary\\nKIPPER\\ncanary\"}")
        assert.truthy(list:find('"data":{"a":"***"},"stringData":{"b":"***","c":"***"}', 1, true))
        assert.truthy(text:find("+ data:\n+   a: ***\n", 1, true))
        assert.truthy(text:find("+ stringData:\n+   b: ***\n+   c: ***\n", 1, true))
        seen("data: {a: Y2FuYXJ5}\nstringData: {b: canary KIPPER}", nil)
    end)

    it("are not shown whatever form they have", function()
        local forms = { "data: {a: Y2FuYXJ5}", "data: {a: {generated: KIPPER}}", "data: [canary]", "data: canary",
            "data: null", "stringData: {a: canary}", "stringData: {KEY: [canary, KIPPER]}", "data: {}", "immutable: true" }
        for _, before in ipairs(forms) do
            for _, after in ipairs(forms) do
                seen(before, after)
            end
        end
        local list = native.diff_objects('{"kind":"Secret","metadata":{}}', to_json(secret:format("data: {a: Y2FuYXJ5}")), nil, "Secret")
        assert.is_nil(list:find("Y2Fu", 1, true))
        list = native.diff_objects('{"kind":"Secret"}', to_json(secret:format("")), nil, "Secret")
        assert.is_nil(list:find("Y2Fu", 1, true))
        list = native.diff_objects(to_json(secret:format("")), (to_json(secret:format("")):gsub("Y2Fu", "Y2FX")), nil, "Secret")
        assert.is_nil(list:find("Y2F", 1, true))
    end)

    it("are shown of other kinds", function()
        local before, after = '{"kind":"ConfigMap","data":{"a":"canary"}}', '{"kind":"ConfigMap","data":{"a":"b"}}'
        assert.truthy(native.diff_objects(before, after, nil, "ConfigMap"):find("canary", 1, true))
        assert.truthy(native.changes_print(before, after):find("- +a: canary"))
    end)
end)

describe("the text of changes", function()
    it("is the changed lines and what they stand in", function()
        assert.equal([[
  metadata:
    labels:
+     tier: front
  spec:
-   replicas: 2
+   replicas: 3
    template:
      spec:
        containers:
        - name: web
          args:
-         - "--two"
          env:
          - name: B
-           value: "2"
+           valueFrom:
+             fieldRef:
+               fieldPath: metadata.name
-         image: nginx:1.27
+         image: nginx:1.28
          ports:
          - containerPort: 53
            protocol: UDP
+           hostPort: 9
          volumeMounts:
-         - name: data
-           mountPath: /more
-       - name: side
-         image: busybox:1
        volumes:
        - name: data
-         emptyDir: {}
+         emptyDir:
+           medium: Memory
]], printed(deployment, with("{app: web}}", "{app: web, tier: front}}", "replicas: 2", "replicas: 3", "--two, ", "",
            'B, value: "2"', "B, valueFrom: {fieldRef: {fieldPath: metadata.name}}", "nginx:1.27", "nginx:1.28",
            "protocol: UDP", "protocol: UDP, hostPort: 9", "        - {name: data, mountPath: /more}\n", "",
            "      - name: side\n        image: busybox:1\n", "", "emptyDir: {}", "emptyDir: {medium: Memory}")))
    end)

    it("tells another order", function()
        assert.equal([[
  spec:
    template:
      spec:
        containers:
        - name: web
          env:
-         # order: A, B
+         # order: B, A
]], printed(deployment, with('        - {name: A, value: "1"}\n', "", "        ports:",
            '        - {name: A, value: "1"}\n        ports:')))
    end)

    it("tells items without a name by their place", function()
        assert.equal([[
  a:
  - # [1]
    v:
-   - 1
+   - 2
  - # [2]
    - # [0]
-     - 1
+     - 2
    - # [1]
-     x: {}
+     x: 1
- - {}
+ - x: {}
]], (printed("{a: [{v: [0]}, {v: [1]}, [[1], {x: {}}], {}]}", "{a: [{v: [0]}, {v: [2]}, [[2], {x: 1}], {x: {}}]}")))
    end)

    it("is a whole object's YAML when it comes or goes", function()
        local yaml = native.yaml_emit((native.keys_ordered(to_json(deployment)))):gsub("^%-%-%-\n", "")
        assert.equal((yaml:gsub("([^\n]*\n)", "+ %1")), printed(nil, deployment))
        assert.equal((yaml:gsub("([^\n]*\n)", "- %1")), printed(deployment, nil))
    end)

    it("is what yaml_emit() writes, and readers read", function()
        math.randomseed(5)
        for _ = 1, 300 do
            local object = dkjson.encode(random.object())
            local text = native.changes_print(nil, object)
            local yaml = text:gsub("%+ ([^\n]*\n)", "%1")
            assert.equal(native.keys_ordered(object), native.keys_ordered(assert(native.yaml_parse(yaml))), text)
            local emitted = native.yaml_emit((native.keys_ordered(object)))
            assert.equal(emitted:gsub("^%-%-%-[ \n]", ""):gsub("%.%.%.\n$", ""), yaml)
        end
    end)

    it("has the changed lines of a long text alone", function()
        local lines = {}
        for i = 1, 300 do lines[i] = "line " .. i end
        local function config_map(list, last)
            return cjson.encode { kind = "ConfigMap", data = { ["a.conf"] = table.concat(list, "\n") .. (last or "\n") } }
        end
        local changed = { table.unpack(lines) }
        changed[100] = "line 100 "
        table.insert(changed, 200, "new")
        table.remove(changed, 3)
        assert.equal([[
  data:
    a.conf: |
      line 1
      line 2
-     line 3
      line 4
      line 5
      line 6
      … (90 lines)
      line 97
      line 98
      line 99
-     line 100
+     line 100\x20
      line 101
      line 102
      line 103
      … (93 lines)
      line 197
      line 198
      line 199
+     new
      line 200
      line 201
      line 202
      … (98 lines)
]], native.changes_print(config_map(lines), config_map(changed)))
        assert.equal([[
  data:
-   a.conf: |
+   a.conf: |-
      … (300 lines)
]], native.changes_print(config_map(lines), config_map(lines, "")))
        assert.equal([[
  data:
-   a.conf: one
+   a.conf: |
+     line 1
+     line 2
]], native.changes_print(config_map({ "one" }, ""), config_map({ lines[1], lines[2] })))
    end)

    it("shows what a terminal would obey", function()
        local text = native.changes_print(nil, cjson.encode {
            ["k\27[2J"] = "a\27[31m", b = "one\r\ntwo\27]0;x\7\nthree\u{9B}31m\u{202E}\n", c = "\u{202E}abc", d = "é漢字😀" })
        assert.is_nil(text:find("[\0-\8\11-\31\127]"))
        assert.is_nil(text:find("\u{9B}", 1, true))
        assert.is_nil(text:find("\u{202E}", 1, true))
        assert.truthy(text:find('"k\\e[2J": "a\\e[31m"', 1, true))
        assert.truthy(text:find("one\\r\n", 1, true))
        assert.truthy(text:find("two\\x1B]0;x\\x07\n", 1, true))
        assert.truthy(text:find("three\\x9B31m\\u202E\n", 1, true))
        assert.truthy(text:find("é漢字😀", 1, true))
    end)

    it("cuts lines of more than 2,000 characters", function()
        local long = ("é"):rep(2500)
        assert.equal('+ a: "' .. ("é"):rep(1996) .. "… (505 more characters)\n",
            native.changes_print(nil, cjson.encode { a = long }))
        assert.equal('+ a: |\n+   ' .. ("é"):rep(2000) .. "… (500 more characters)\n+   b\n",
            native.changes_print(nil, cjson.encode { a = long .. "\nb\n" }))
        local function both(before, after)
            return native.changes_print(cjson.encode { a = before }, cjson.encode { a = after })
        end
        local tail = ("x"):rep(80)
        local start = ("x"):rep(2920)
        assert.equal("- a: (2920 characters) …" .. tail .. "one\n+ a: (2920 characters) …" .. tail .. "two\n",
            both(start .. tail .. "one", start .. tail .. "two"))
        assert.equal("  a: |\n    b\n-   (2920 characters) …" .. tail .. "one\n+   (2920 characters) …" .. tail .. "two\n",
            both("b\n" .. start .. tail .. "one\n", "b\n" .. start .. tail .. "two\n"))
    end)

    it("has origins at the right, aligned", function()
        assert.equal([[
  a:
    b:
-     d: 1
+     d: 2                                                  ◂ at a.b.d
+     e:                                                    ◂ at a.b.e
+     - "漢字"                                              ◂ at a.b.e[0]
  status: 1
]], native.changes_print('{"a":{"b":{"d":1}}}', '{"a":{"b":{"d":2,"e":["漢字"]}},"status":1}', false, true)
        :gsub("%+ status", "  status"))
        local text = native.changes_print(nil, cjson.encode { a = ("x"):rep(70), b = "x", c = ("x"):rep(200) }, false, true)
        assert.equal("+ a: " .. ("x"):rep(70) .. "  ◂ at a\n+ b: x" .. (" "):rep(71) .. "◂ at b\n+ c: " .. ("x"):rep(200) ..
            "  ◂ at c\n", text)
        assert.equal("  a: |\n    1\n-   2\n+   3" .. (" "):rep(55) .. "◂ at a\n+   4\n",
            native.changes_print('{"a":"1\\n2\\n"}', '{"a":"1\\n3\\n4\\n"}', false, true))
    end)

    it("has colours where they are wanted", function()
        assert.equal("  a:\n\27[31m-   b: 1\27[0m\n\27[32m+   b: 2\27[0m" .. (" "):rep(52) .. "\27[2m◂ at a.b\27[0m\n",
            native.changes_print('{"a":{"b":1}}', '{"a":{"b":2}}', true, true))
        assert.is_nil(native.changes_print('{"a":{"b":1}}', '{"a":{"b":2}}', false, true):find("\27", 1, true))
    end)
end)
