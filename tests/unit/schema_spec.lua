local native = require "native"
local cjson = require "cjson"
local support = require "support"

local function to_json(yaml)
    return (assert(native.yaml_parse(yaml)))
end

--- The problems of an object given as YAML, as "rule path: message" or, for short, "rule path".
local function problems(yaml, crds)
    local found = assert(native.validate(to_json(yaml), crds and ("[" .. table.concat(crds, ",") .. "]")))
    return cjson.decode(found)
end

local function rules(yaml, crds)
    local list = {}
    for i, problem in ipairs(problems(yaml, crds)) do
        list[i] = problem.rule .. " " .. problem.path
    end
    return list
end

local function only(yaml, crds)
    local list = problems(yaml, crds)
    assert.equal(1, #list, cjson.encode(list))
    return list[1]
end

local deployment = [[
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app.kubernetes.io/name: web}, annotations: {Example.com/a: "any ? text"}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      containers:
        - name: web
          image: nginx:1.27
          imagePullPolicy: IfNotPresent
          ports: [{containerPort: 8080, name: http}]
          env: [{name: A_B, value: "1"}]
          resources: {requests: {cpu: 0.5, memory: 128Mi}, limits: {cpu: 500m}}
          livenessProbe: {httpGet: {port: http, path: /}, initialDelaySeconds: 3}
      volumes: [{name: data, emptyDir: {}}]
]]

--- The Deployment above with one text in it replaced.
local function with(old, new)
    local from, to = deployment:find(old, 1, true)
    assert(from, old)
    return deployment:sub(1, from - 1) .. new .. deployment:sub(to + 1)
end

local container = "spec.template.spec.containers[0]."

describe("a good object", function()
    it("has no problems", function()
        assert.same({}, problems(deployment))
        assert.same({}, problems "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
        assert.same({}, problems [[
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, type: NodePort, ports: [{port: 80, targetPort: http, nodePort: 30080, protocol: TCP}]}]])
        assert.same({}, problems "{apiVersion: v1, kind: Pod, metadata: {generateName: web-}, spec: {containers: [{name: a}]}}")
        assert.same({}, problems [=[
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:shop:Reader"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]]=])
        assert.same({}, problems [[
apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {a.b-C_1: YWJj, made: {generate: password, length: 24}, empty: "", lines: "YW\nJj\n"}
stringData: {plain: text}]])
    end)
end)

describe("a bad object", function()
    -- { what stands in the Deployment, what in its place, the rule and path, part of the message }
    for _, case in ipairs {
        { "replicas: 2", "replcias: 2", "unknown-field spec.replcias", "did you mean 'replicas'?" },
        { "image: nginx", "Image: nginx", "unknown-field " .. container .. "Image", "did you mean 'image'?" },
        { "maxSurge: 25%", "zzzzzz: 1", "unknown-field spec.strategy.rollingUpdate.zzzzzz",
            "the fields are: maxSurge, maxUnavailable" },
        { "kind: Deployment", "kind: Deployment\nreplicas: 1", "unknown-field replicas", "did you mean 'spec.replicas'?" },
        { "replicas: 2", "replicas: two", "wrong-type spec.replicas", "must be an integer, not a string" },
        { "replicas: 2", 'replicas: "2"', "wrong-type spec.replicas", "write it without quotes" },
        { "replicas: 2", "replicas: 2.5", "wrong-type spec.replicas", "not a number with a fraction" },
        { "replicas: 2", "replicas: null", "null-value spec.replicas", "null is no value; leave the field out" },
        { "replicas: 2", "replicas: 3000000000", "bad-number spec.replicas", "must fit 32 bits" },
        { "maxUnavailable: 0", "maxUnavailable: true",
            "wrong-type spec.strategy.rollingUpdate.maxUnavailable", "an integer or a string" },
        { 'value: "1"', "value: 1", "wrong-type " .. container .. "env[0].value", "write it in quotes" },
        { "ports: [{containerPort: 8080, name: http}]", "ports: {a: 1}", "wrong-type " .. container .. "ports",
            "must be a list, not a map" },
        { "emptyDir: {}", "emptyDir: []", "wrong-type spec.template.spec.volumes[0].emptyDir", "must be a map, not a list" },
        { "creationTimestamp: null", "creationTimestamp: today",
            "wrong-type spec.template.metadata.creationTimestamp", "a time such as" },
        { "imagePullPolicy: IfNotPresent", "imagePullPolicy: IfNotPresnet", "not-in-enum " .. container .. "imagePullPolicy",
            "it must be one of: Always, IfNotPresent, Never; did you mean 'IfNotPresent'?" },
        { "selector: {matchLabels: {app: web}}\n", "paused: true\n", "missing-field spec", "the field 'selector' is missing" },
        { "containerPort: 8080, ", "", "missing-field " .. container .. "ports[0]", "'containerPort'" },
        { "cpu: 500m", "cpu: 500 m", "bad-quantity " .. container .. "resources.limits.cpu", "'500 m' must be a quantity" },
        { "128Mi", "128MB", "bad-quantity " .. container .. "resources.requests.memory" },
        { "name: web, namespace", "name: Web, namespace", "bad-name metadata.name", "lower case" },
        { "namespace: shop", "namespace: a.b", "bad-name metadata.namespace" },
        { "- name: web", "- name: we_b", "bad-name " .. container .. "name" },
        { "name: data", "name: Data", "bad-name spec.template.spec.volumes[0].name" },
        { "name: A_B", 'name: "A=B"', "bad-name " .. container .. "env[0].name" },
        { "app.kubernetes.io/name: web", "a/b/c: web", 'bad-label metadata.labels["a/b/c"]', "the key" },
        { "app.kubernetes.io/name: web", "app: a b", "bad-label metadata.labels.app", "the value 'a b'" },
        { "Example.com/a", "-a", "bad-label metadata.annotations.-a" },
        { "kubernetes.io/os: linux", "os: -linux", "bad-label spec.template.spec.nodeSelector.os" },
        { "{matchLabels: {app: web}}", "{matchLabels: {app: web-}}", "bad-label spec.selector.matchLabels.app" },
        { "containerPort: 8080", "containerPort: 65536", "bad-port " .. container .. "ports[0].containerPort", "1 to 65535" },
        { "name: http}", "name: a-name-too-long-x}", "bad-port " .. container .. "ports[0].name", "at most 15" },
        { "port: http", "port: 0", "bad-port " .. container .. "livenessProbe.httpGet.port" },
    } do
        it(("is told: %s"):format(case[2]:gsub("\n.*", "")), function()
            local problem = only(with(case[1], case[2]))
            assert.equal(case[3], problem.rule .. " " .. problem.path)
            assert.equal(problem.rule == "null-value" and "warning" or "error", problem.severity)
            assert(problem.message:find(case[4] or "", 1, true), problem.message)
            assert.is_nil(problem.message:find "\n")
        end)
    end

    it("is told of each problem, in the order of the document", function()
        assert.same({ "bad-label metadata.labels.a", "missing-field spec", "wrong-type spec.replicas", "unknown-field spec.x" },
            rules [[
apiVersion: apps/v1
kind: Deployment
metadata: {labels: {a: " "}, name: web}
spec: {replicas: x, x: 1, selector: {}}
]])
    end)

    it("may be of a kind or version that is not there", function()
        for _, case in ipairs {
            { "apps/v1", "Deploymnet", "unknown-kind kind", "did you mean 'Deployment' of apps/v1?" },
            { "v1", "Deployment", "unknown-kind apiVersion", "did you mean 'apps/v1'?" },
            { "app/v1", "Deployment", "unknown-kind apiVersion", "did you mean 'apps/v1'?" },
            { "apps/v1beta2", "Deployment", "removed-version apiVersion", "use apps/v1" },
            { "extensions/v1beta1", "Ingress", "removed-version apiVersion", "use networking.k8s.io/v1" },
            { "autoscaling/v2beta2", "HorizontalPodAutoscaler", "removed-version apiVersion", "use autoscaling/v2" },
            { "policy/v1beta1", "PodSecurityPolicy", "removed-version apiVersion", "gone" },
        } do
            local problem = only(("{apiVersion: %s, kind: %s, metadata: {name: a}}"):format(case[1], case[2]))
            assert.equal(case[3], problem.rule .. " " .. problem.path)
            assert(problem.message:find(case[4], 1, true), problem.message)
        end
        assert.same({}, problems "{apiVersion: example.com/v1, kind: Thing, metadata: {name: a}, x: 1}")
        assert.same({ "bad-label metadata.labels.a" },
            rules "{apiVersion: example.com/v1, kind: Thing, metadata: {name: a, labels: {a: ' '}}}")
        assert.same({ "missing-field ", "missing-field " }, rules "{}")
        assert.same({ "wrong-type " }, rules "[]")
        assert.same({ "wrong-type kind" }, rules "{apiVersion: v1, kind: 1}")
    end)

    it("may be of a version that is about to go", function()
        local problem = only "{apiVersion: v1, kind: Endpoints, metadata: {name: a}}"
        assert.equal("deprecated-version", problem.rule)
        assert.equal("warning", problem.severity)
        assert(problem.message:find "EndpointSlice")
        problem = only("{apiVersion: networking.k8s.io/v1beta1, kind: IPAddress, metadata: {name: '::1'}, "
            .. "spec: {parentRef: {name: a, resource: b}}}")
        assert.equal("warning deprecated-version", problem.severity .. " " .. problem.rule)
        assert(problem.message:find("use networking.k8s.io/v1", 1, true))
        assert.same({}, rules("{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: a}, "
            .. "spec: {maxReplicas: 1, scaleTargetRef: {kind: Deployment, name: a}}}"))
    end)

    it("has the name that its kind wants", function()
        local function named(version, kind, name)
            return rules(("{apiVersion: %s, kind: %s, metadata: {name: '%s'}}"):format(version, kind, name))
        end
        local bad = { "bad-name metadata.name" }
        assert.same({}, named("v1", "ConfigMap", "a.b"))
        assert.same(bad, named("v1", "ConfigMap", "a..b"))
        assert.same({}, named("v1", "ConfigMap", ("a"):rep(253)))
        assert.same(bad, named("v1", "ConfigMap", ("a"):rep(254)))
        assert.same(bad, named("v1", "Namespace", "a.b"))
        assert.same(bad, named("v1", "Namespace", ("a"):rep(64)))
        assert.same(bad, named("v1", "Service", "1a"))
        assert.same({}, named("v1", "Service", "a1"))
        assert.same({}, named("rbac.authorization.k8s.io/v1", "Role", "A:b"))
        assert.same(bad, named("rbac.authorization.k8s.io/v1", "Role", "a/b"))
        assert.same({ "missing-field metadata" }, rules "{apiVersion: v1, kind: ConfigMap, metadata: {}}")
        assert.same({ "missing-field " }, rules "{apiVersion: v1, kind: ConfigMap}")
        assert.same({ "bad-name metadata.generateName" }, rules "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: A-}}")
    end)

    it("has keys and values of data in their form, and keeps secrets out of messages", function()
        assert.same({ "bad-key data.a b" }, { (rules("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a b: x}}")[1]
            :gsub('%["(.*)"%]', ".%1")) })
        local list = problems [[
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {a: hunter2!, b: aHVudGVyMg, c: {generated: hunter2}, d: 4711, ..e: aHU=}
stringData: {a: 4711, b: [hunter2]}
hunter: hunter2]]
        local seen = {}
        for i, problem in ipairs(list) do
            seen[i] = problem.rule .. " " .. problem.path
            assert.is_nil(problem.message:find "hunter2" or problem.message:find "4711" or problem.message:find "aHVu")
        end
        assert.same({ "bad-base64 data.a", "bad-base64 data.b", "wrong-type data.c", "wrong-type data.d", 'bad-key data["..e"]',
            "wrong-type stringData.a", "wrong-type stringData.b", "unknown-field hunter" }, seen)
    end)

    it("needs nothing below status", function()
        assert.same({}, rules(deployment .. "status: {conditions: [{reason: a}]}\n"))
        assert.same({ "unknown-field status.x" }, rules(deployment .. "status: {x: 1}\n"))
    end)

    it("is looked at to a bounded depth", function()
        local deep = ('{"not":'):rep(150) .. "{}" .. ("}"):rep(150)
        local list = cjson.decode(native.validate(('{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",'
            .. '"metadata":{"name":"a"},"spec":{"group":"a.b","names":{"kind":"A","plural":"as"},"scope":"Cluster","versions":'
            .. '[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":%s}}]}}'):format(deep)))
        assert.equal(1, #list)
        assert(list[1].message:find "nested deeper than 128")
    end)
end)

describe("quantities", function()
    local function rule(text)
        return rules(with("cpu: 500m", ("cpu: '%s'"):format(text)))[1]
    end
    it("are those of apimachinery", function()
        for _, text in ipairs { "0", "1", "+1", "-1", "1.5", ".5", "1.", "1.G", "100n", "1u", "1k", "1M", "1E", "1e3", "1E3",
            "1e-3", "12Ei", "1Ki", "00.10" } do
            assert.is_nil(rule(text), text)
        end
        for _, text in ipairs { "", ".", "+", "1 ", " 1", "1K", "1ki", "1MB", "1e", "1e+", "e3", "1e3k", "1.5.2", "0x1",
            "m", "1i", "--1" } do
            assert.is_string(rule(text), text)
        end
    end)
end)

describe("the schema", function()
    local function at(version, kind, path)
        return cjson.decode(native.schema_at(version, kind, cjson.encode(path)))
    end
    it("knows enumerations, what is required and the keys of lists", function()
        assert.same({ "ClusterIP", "ExternalName", "LoadBalancer", "NodePort" }, at("v1", "Service", { "spec", "type" }).words)
        assert.same({ "selector", "template" }, at("apps/v1", "Deployment", { "spec" }).required)
        assert.same({ "name" }, at("v1", "Pod", { "spec", "containers" }).words)
        assert.same({ "containerPort", "protocol" }, at("v1", "Pod", { "spec", "containers", "*", "ports" }).words)
        assert.is_true(at("apps/v1", "Deployment", { "spec", "replicas" }).int32)
    end)
    it("knows versions and places of kinds", function()
        local list = cjson.decode(native.schema_kinds "HorizontalPodAutoscaler")
        assert.same({ "v1", "v2" }, { list[1].version, list[2].version })
        assert.is_true(list[1].namespaced)
        assert.is_false(cjson.decode(native.schema_kinds "Namespace")[1].namespaced)
        assert.equal("[]", native.schema_kinds "Nothing")
        assert(#cjson.decode(native.schema_kinds()) > 80)
    end)
    it("takes every field of every kind as Kubernetes itself writes them", function()
        local made = support.shell "cd tests/cluster && go list -m -f '{{.Dir}}' k8s.io/api"
        assert.equal(0, made.code, made.err)
        local folder = made.out:gsub("%s+$", "")
        local files = support.shell(("ls %s/testdata/HEAD/*.yaml"):format(folder))
        assert.equal(0, files.code, files.err)
        local known, all = 0, 0
        for name in files.out:gmatch "[^\n]+" do
            local file = assert(io.open(name, "rb"))
            local object = to_json(file:read "a")
            file:close()
            local unknown
            for _, problem in ipairs(cjson.decode(native.validate(object))) do
                -- WatchEvent, which is no object, has no apiVersion.
                assert(problem.rule ~= "unknown-field" and problem.rule ~= "wrong-type"
                    and (problem.rule ~= "missing-field" or problem.path == ""),
                    ("%s: %s %s: %s"):format(name, problem.rule, problem.path, problem.message))
                unknown = unknown or problem.rule == "unknown-kind" or problem.rule == "removed-version"
                    or problem.rule == "missing-field"
            end
            all, known = all + 1, known + (unknown and 0 or 1)
        end
        assert(all > 150 and known > 80, known .. " of " .. all)
    end)
end)

describe("a CustomResourceDefinition", function()
    local function crd(schema, more)
        return to_json(([[
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: %s}}
    - {name: v1beta1, served: true, storage: false, deprecated: true, schema: {openAPIV3Schema: {type: object}}}
    - {name: v1alpha1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
%s]]):format(schema, more or ""))
    end
    local full = crd [[{type: object, required: [spec], properties: {
        apiVersion: {type: string}, kind: {type: string}, metadata: {type: object},
        status: {type: object, required: [ready], properties: {ready: {type: boolean}}},
        spec: {type: object, required: [size], properties: {
            size: {type: integer, format: int32}, big: {type: integer}, ratio: {type: number}, on: {type: boolean, nullable: true},
            mode: {type: string, enum: [Fast, Slow]}, port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]},
            free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}},
            any: {x-kubernetes-preserve-unknown-fields: true}, blob: {type: string, format: byte}, when: {type: string, format: date-time},
            tags: {type: object, additionalProperties: {type: string}}, none: {type: object},
            list: {type: array, x-kubernetes-list-map-keys: [name], items: {
                type: object, required: [name], properties: {name: {type: string}}}},
            pod: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}}}}}]]

    local function thing(spec, version)
        return ("{apiVersion: example.com/%s, kind: Thing, metadata: {name: a}, spec: %s}"):format(version or "v1", spec)
    end

    it("adds its kind", function()
        assert.same({}, problems(thing [[{size: 1, big: 3000000000, ratio: 1, on: null, mode: Fast, port: http, free: {b: 1}, any: {x: [1]},
            blob: YQ==, when: 2026-01-31T12:00:00.5+01:00, tags: {a: b}, list: [{name: a}],
            pod: {apiVersion: v1, kind: Pod, metadata: {labels: {a: b}}, spec: {}}}]], { full }))
        for _, case in ipairs {
            { "{}", "missing-field spec" },
            { "{size: 3000000000}", "bad-number spec.size" },
            { "{size: 1, sise: 1}", "unknown-field spec.sise" },
            { "{size: 1, ratio: x}", "wrong-type spec.ratio" },
            { "{size: null}", "null-value spec.size" },
            { "{size: 1, mode: fast}", "not-in-enum spec.mode" },
            { "{size: 1, port: 1.5}", "wrong-type spec.port" },
            { "{size: 1, free: {a: 1}}", "wrong-type spec.free.a" },
            { "{size: 1, blob: '?'}", "bad-base64 spec.blob" },
            { "{size: 1, when: now}", "wrong-type spec.when" },
            { "{size: 1, tags: {a: 1}}", "wrong-type spec.tags.a" },
            { "{size: 1, none: {a: 1}}", "unknown-field spec.none.a" },
            { "{size: 1, list: [{}]}", "missing-field spec.list[0]" },
            { "{size: 1, pod: {metadata: {labels: {a: ' '}}}}", "bad-label spec.pod.metadata.labels.a" },
            { "{size: 1, pod: {metadata: {x: 1}}}", "unknown-field spec.pod.metadata.x" },
        } do
            assert.same({ case[2] }, rules(thing(case[1]), { full }), case[1])
        end
        assert.same({ "missing-field " }, rules("{apiVersion: example.com/v1, kind: Thing, metadata: {name: a}}", { full }))
        assert.same({}, rules("{apiVersion: example.com/v1, kind: Thing, metadata: {name: a}, spec: {size: 1}, status: {}}", { full }))
    end)

    it("tells of versions", function()
        local found = {}
        for _, problem in ipairs(problems(thing("{}", "v1beta1"), { full })) do found[problem.rule] = problem.message end
        assert.equal("Thing of example.com/v1beta1 is deprecated; use example.com/v1", found["deprecated-version"])
        assert.equal("removed-version", only(thing("{}", "v1alpha1"), { full }).rule)
        assert.same({}, rules("{apiVersion: example.com/v1, kind: Other, metadata: {name: a}}", { full }))
        local kinds = cjson.decode(native.schema_kinds("Thing", "[" .. full .. "]"))
        assert.equal(2, #kinds)
        assert.is_true(kinds[1].custom and kinds[1].namespaced)
    end)

    it("takes the place of an earlier one", function()
        local other = crd "{type: object, properties: {spec: {type: string}}}"
        assert.same({}, rules(thing "x", { full, other }))
        assert.same({ "wrong-type spec" }, rules(thing "x", { other, full }))
        assert.equal(2, #cjson.decode(native.schema_kinds("Thing", ("[%s,%s]"):format(full, other))))
    end)

    it("is refused when its schema is broken, by the place", function()
        local function nested(depth)
            local schema = ('{"type":"object","properties":{"a":'):rep(depth) .. '{"type":"string"}' .. ("}}"):rep(depth)
            return (crd("DEEP"):gsub('"DEEP"', schema))
        end
        local where = "CustomResourceDefinition 'things.example.com': spec.versions[0]: schema.openAPIV3Schema"
        for _, case in ipairs {
            { "{type: object, properties: {spec: {$ref: '#/x'}}}", where .. ".properties.spec: '$ref' is not allowed" },
            { "{type: object, properties: {spec: {type: text}}}", where .. ".properties.spec: 'type' must be object" },
            { "{type: object, properties: {spec: {type: 1}}}", where .. ".properties.spec: 'type' must be a string" },
            { "{type: object, properties: [a]}", where .. ": 'properties' must be a map" },
            { "{type: object, properties: {spec: 1}}", where .. ".properties.spec: a schema must be a map" },
            { "{type: object, properties: {l: {type: array, items: [{type: string}]}}}", where .. ".properties.l.items: a schema must be" },
            { "{type: object, required: spec}", where .. ": 'required' must be a list" },
            { "{type: object, properties: {s: {type: string, enum: a}}}", where .. ".properties.s: 'enum' must be a list" },
            { "{type: array}", where .. ": the type of the whole must be 'object'" },
            { "1", where .. ": a schema must be a map" },
            { "null", where .. ": a schema must be a map" },
        } do
            local made, why = native.validate(to_json(thing "{}"), "[" .. crd(case[1]) .. "]")
            assert.is_nil(made, case[1])
            assert(why:find(case[2], 1, true), why)
        end
        assert.is_string((native.validate("{}", "[" .. nested(64) .. "]")))
        for _, depth in ipairs { 65, 1000 } do
            local made, why = native.validate("{}", "[" .. nested(depth) .. "]")
            assert.is_nil(made)
            assert(why:find("is nested deeper than 64 levels", 1, true), why)
        end
        for _, bad in ipairs { "{}", "[]", "1", '{"spec":{"group":"a.b","names":{"kind":"A"}}}',
            '{"spec":{"group":"a.b","names":{"kind":"A"},"versions":[1]}}' } do
            assert.is_nil((native.validate(to_json(thing "{}"), "[" .. bad .. "]")), bad)
        end
    end)

    it("is refused when it is too large", function()
        local parts = {}
        for i = 1, 70000 do parts[i] = ('"f%d":{"type":"string","enum":["a"]}'):format(i) end
        local large = ('{"spec":{"group":"a.b","names":{"kind":"A"},"versions":[{"name":"v1","schema":{"openAPIV3Schema":'
            .. '{"type":"object","properties":{%s}}}}]}}'):format(table.concat(parts, ","))
        local made, why = native.validate("{}", "[" .. large .. "]")
        assert.is_nil(made)
        assert(why:find "too large", why)
    end)
end)

describe("paths", function()
    it("are text and back", function()
        for text, json in pairs {
            [""] = "[]",
            ["spec.template.spec.containers[0].image"] = '["spec","template","spec","containers",0,"image"]',
            ['metadata.labels["app.kubernetes.io/name"]'] = '["metadata","labels","app.kubernetes.io/name"]',
            ['data["a\\"b\\\\\\n"]'] = '["data","a\\"b\\\\\\n"]',
            ['a[""].b'] = '["a","","b"]',
            ["[3][0].x"] = '[3,0,"x"]',
            ['["a b"].c'] = '["a b","c"]',
            ["data.12"] = '["data","12"]',
        } do
            assert.equal(text, native.path_format(json))
            assert.equal(json, native.path_parse(text))
        end
        assert.equal('["labels","a/b"]', native.path_parse "labels['a/b']")
        assert.equal('["containers","web","env","DB_HOST"]', native.path_parse "containers[web].env[DB_HOST]")
        assert.equal('["mounts","/var/lib"]', native.path_parse "mounts[/var/lib]")
    end)
    it("are refused when they are none", function()
        for _, text in ipairs { ".", ".a", "a.", "a..b", "a[", "a[]", "a]", "a[0", "a['x]", 'a["x]', "a b", "a[0]b", "a.[0]",
            "a[99999999999999999999]", 'a["\\x"]', "ä" } do
            local made, why = native.path_parse(text)
            assert.is_nil(made, text)
            assert(why:find("'" .. text, 1, true), why)
        end
    end)
    it("find elements by name", function()
        local object = to_json [=[
spec:
  containers:
    - {name: web, env: [{name: A}, {name: DB_HOST}], ports: [{containerPort: 80}, {containerPort: 8080, name: alt}]}
    - {name: side, volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /b}]}
  finalizers: [x/y]]=]
        for text, wanted in pairs {
            ["spec.containers[web].env[DB_HOST]"] = "spec.containers[0].env[1]",
            ["spec.containers[0].env[A].name"] = "spec.containers[0].env[0].name",
            ["spec.containers.side"] = "spec.containers[1]",
            ["spec.containers[web].ports['80']"] = "spec.containers[0].ports[0]",
            ["spec.containers[web].ports[alt]"] = "spec.containers[0].ports[1]",
            ["spec.containers[side].volumeMounts[/b]"] = "spec.containers[1].volumeMounts[1]",
            ["spec.finalizers[x/y]"] = "spec.finalizers[0]",
            [""] = "",
        } do
            assert.equal(wanted, (native.path_resolve(object, text)))
        end
        for text, message in pairs {
            ["spec.containers[db]"] = "'db' is not in spec.containers; the list has 2 elements: web, side",
            ["spec.containers[5]"] = "'[5]' is not in spec.containers; the list has 2 elements: web, side",
            ["spec.x.y"] = "'x' is not in spec; there is: containers, finalizers",
            ["status"] = "'status' is not in the object; there is: spec",
            ["spec[0]"] = "'[0]' is not in spec; there is: containers, finalizers",
            ["spec.finalizers[0].a"] = "'a' is not in spec.finalizers[0]; it is neither a map nor a list",
            ["spec.containers[side].volumeMounts[v]"] = "more than one element is 'v' in spec.containers[1].volumeMounts",
        } do
            local made, why = native.path_resolve(object, text)
            assert.is_nil(made)
            assert.equal(message, (why:gsub("spec%.containers%.side", "spec.containers[1]")))
        end
    end)
end)
