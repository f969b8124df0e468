-- What has not changed is not asked for: so whatever others write to a release's objects, an edit of one of its own fields
-- has to be seen, and nothing else may be taken for one. BK_DRIFTS sets the number of rounds, BK_SEED repeats a run.
local cjson = require "cjson"
local support = require "support"
local kubectl, on_cluster = support.kubectl, support.on_cluster

local rounds = tonumber(os.getenv "BK_DRIFTS") or 100
local seed = tonumber(os.getenv "BK_SEED") or os.time()

local profile = [[
return require "bk".profile "drift" { bare = true, namespace = "drift", create_namespace = false, components = {
  require "bk".raw "all" {
    { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "conf", labels = { tier = "back" } },
      data = { a = "1", b = "2" } },
    { apiVersion = "v1", kind = "Secret", metadata = { name = "pass" }, type = "Opaque", data = { word = "c2VjcmV0" } },
    { apiVersion = "v1", kind = "Service", metadata = { name = "web" },
      spec = { selector = { app = "web" }, ports = { { name = "http", port = 80, targetPort = 8080 } } } },
    { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web", annotations = { owner = "us" } },
      spec = { replicas = 1, selector = { matchLabels = { app = "web" } }, template = {
        metadata = { labels = { app = "web" } }, spec = { containers = { { name = "main", image = "nginx:1.27",
          args = { "-g", "daemon off;" }, env = { { name = "A", value = "1" }, { name = "B", value = "2" } } } } } } } },
    { apiVersion = "apps/v1", kind = "StatefulSet", metadata = { name = "db" },
      spec = { replicas = 1, serviceName = "db", selector = { matchLabels = { app = "db" } }, template = {
        metadata = { labels = { app = "db" } }, spec = { containers = { { name = "main", image = "mysql:8" } } } } } },
    -- What scales `free` is not in the profile, and neither are its replicas.
    { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "free" },
      spec = { selector = { matchLabels = { app = "free" } }, template = { metadata = { labels = { app = "free" } },
        spec = { containers = { { name = "main", image = "nginx:1.27" } } } } } },
  } } }
]]

local kinds = { "configmap/conf", "secret/pass", "service/web", "deployment/web", "statefulset/db", "deployment/free" }
local workloads = { "deployment/web", "statefulset/db", "deployment/free" }

local function any(list)
    return list[math.random(#list)]
end

--- A merge patch for an object: of a field that the profile has (to another value or to its own), or of one it has not.
local patches = {
    ["configmap/conf"] = { '{"data":{"a":"%s"}}', '{"data":{"b":null}}', '{"data":{"c":"%s"}}', '{"data":{"a":"1"}}',
        '{"metadata":{"labels":{"tier":"%s"}}}' },
    ["secret/pass"] = { '{"data":{"word":"YWJj"}}', '{"data":{"word":"c2VjcmV0"}}', '{"stringData":{"more":"%s"}}' },
    ["service/web"] = { '{"spec":{"selector":{"app":"%s"}}}', '{"spec":{"sessionAffinity":"ClientIP"}}',
        '{"spec":{"ports":[{"name":"http","port":80,"targetPort":9090}]}}', '{"spec":{"selector":{"app":"web"}}}' },
    ["deployment/web"] = { '{"spec":{"replicas":2}}', '{"spec":{"replicas":1}}', '{"spec":{"paused":true}}',
        '{"metadata":{"annotations":{"owner":"%s"}}}',
        '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:%s"}]}}}}',
        '{"spec":{"template":{"metadata":{"annotations":{"restarted":"%s"}}}}}' },
    ["statefulset/db"] = { '{"spec":{"replicas":2}}', '{"spec":{"minReadySeconds":3}}',
        '{"spec":{"template":{"metadata":{"labels":{"app":"db","x":"%s"}}}}}' },
    ["deployment/free"] = { '{"spec":{"replicas":3}}', '{"spec":{"revisionHistoryLimit":4}}',
        '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"nginx:1.27"}]}}}}' },
}

local function patch_of(object)
    return (any(patches[object]):gsub("%%s", function() return "v" .. math.random(9) end))
end

--- For server-side apply: the patch as an object.
local function manifest_of(object)
    local patch = cjson.decode(patch_of(object))
    local kind, name = object:match "(.*)/(.*)"
    local names = { configmap = "ConfigMap", secret = "Secret", service = "Service", deployment = "Deployment",
        statefulset = "StatefulSet" }
    patch.apiVersion = (kind == "deployment" or kind == "statefulset") and "apps/v1" or "v1"
    patch.kind = names[kind]
    patch.metadata = patch.metadata or {}
    patch.metadata.name = name
    return (cjson.encode(patch):gsub(":null", ':""'))
end

local edits = {
    patch = function(object)
        local type = any { "merge", "merge", "strategic" }
        if type == "strategic" or not object:find "deploy" then
            type = object:find "deploy" and "strategic" or type
        end
        return ("patch %s --type=%s -p '%s'"):format(object, object:find "/web" and "strategic" or type, patch_of(object))
    end,
    edit = function(object)
        return ("edit %s"):format(object), ("sed -i s/%s/%s/"):format(any { "nginx:1.27", "back", "'\"1\"'", "us$" },
            any { "nginx:1.28", "front", "'\"7\"'", "them" })
    end,
    scale = function()
        return ("scale %s --replicas=%d"):format(any(workloads), math.random(0, 2))
    end,
    autoscaler = function()
        return ("patch %s --subresource=scale --type=merge --field-manager=kube-controller-manager -p '%s'"):format(
            any(workloads), ('{"spec":{"replicas":%d}}'):format(math.random(1, 2)))
    end,
    apply = function(object)
        return ("apply --server-side --force-conflicts --field-manager=%s -f - <<'END'\n%s\nEND"):format(
            any { "other", "another" }, manifest_of(object))
    end,
    -- By another one under our name: fields of his are ours then, and what he left out is nobody's.
    impersonate = function(object)
        return ("apply --server-side --force-conflicts --field-manager=bkdeploy -f - <<'END'\n%s\nEND"):format(
            manifest_of(object))
    end,
    status = function()
        return ("patch %s --subresource=status --type=merge -p '%s'"):format(any(workloads),
            ('{"status":{"replicas":%d}}'):format(math.random(0, 3)))
    end,
    label = function(object)
        return ("label %s --overwrite note=n%d"):format(object, math.random(9))
    end,
    annotate = function(object)
        return ("annotate %s --overwrite note=n%d"):format(object, math.random(9))
    end,
    unlabel = function(object)
        return ("label %s applyset.kubernetes.io/part-of-"):format(object)
    end,
    replace = function(object) -- by the very same, or without what others have added
        return ("get %s -o json | timeout 20 build/cluster/bin/kubectl --kubeconfig %s -n drift replace --force -f -"):format(object,
            support.kubeconfig)
    end,
    delete = function(object)
        return ("delete %s --wait=false"):format(object)
    end,
}
local ways = { "patch", "patch", "patch", "edit", "edit", "scale", "autoscaler", "apply", "apply", "impersonate", "status",
    "label", "annotate", "unlabel", "replace", "delete" }

--- Whether `live` has all that `wanted` has: elements of lists by their name, others by their place.
local function has(wanted, live)
    if type(wanted) ~= "table" then
        return wanted == live
    elseif type(live) ~= "table" or (#wanted > 0 and type(wanted[1]) ~= "table" and #wanted ~= #live) then
        return false
    end
    for key, value in pairs(wanted) do
        local other = live[key]
        if math.type(key) and type(value) == "table" and value.name then
            other = nil
            for _, element in ipairs(live) do
                other = element.name == value.name and element or other
            end
        end
        if not has(value, other) then
            return false
        end
    end
    return true
end

describe("drift", function()
    local folder, wanted

    local function drifted()
        local live, found = {}, {}
        for _, object in ipairs(cjson.decode(kubectl "get cm,secret,svc,deploy,sts -n drift -o json").items) do
            live[object.kind .. "/" .. object.metadata.name] = object
        end
        for _, object in ipairs(wanted) do
            local name = object.kind .. "/" .. object.metadata.name
            local labels = live[name] and live[name].metadata.labels or {}
            if not labels["applyset.kubernetes.io/part-of"] or live[name].metadata.deletionTimestamp
                or not has(object, live[name]) then
                found[#found + 1] = name
            end
        end
        table.sort(found)
        return found
    end

    local function seen()
        local run, names = on_cluster("diff", folder, "--force-conflicts", "--adopt", "-o", "json"), {}
        assert.is_true(run.code == 0 or run.code == 1, run.err)
        for _, step in ipairs(cjson.decode(run.out).objects) do
            names[#names + 1] = step.kind .. "/" .. step.name
        end
        table.sort(names)
        assert.equal(#names > 0 and 1 or 0, run.code)
        return names
    end

    local function apply()
        local run = on_cluster("apply", folder, "--force-conflicts", "--adopt", "--no-wait")
        assert.equal(0, run.code, run.err)
    end

    setup(function()
        folder = support.folder { ["profile.lua"] = profile }
        kubectl "create namespace drift"
        apply()
        wanted = {}
        for _, object in ipairs(cjson.decode(support.run("render", folder, "-o", "json", "--show-secrets").out).items) do
            wanted[#wanted + 1] = object
        end
    end)

    teardown(function()
        kubectl "delete namespace drift --wait=false"
    end)

    it(("is each change of an owned field by others, and nothing else: %d edits"):format(rounds), function()
        math.randomseed(seed)
        assert.equal(6, #wanted)
        assert.same({}, drifted())
        assert.same({}, seen())
        local told, history, doubtful = 0, {}, {}
        for i = 1, rounds do
            local way = any(ways)
            local object = any(kinds)
            local line, editor = edits[way](object)
            history[#history + 1] = line
            -- What the server refuses, or what changes nothing, is an edit that was not made.
            support.shell(("KUBE_EDITOR=\"%s\" timeout 20 build/cluster/bin/kubectl --kubeconfig %s -n drift %s"):format(
                editor or "true", support.kubeconfig, line))
            doubtful[object:lower()] = doubtful[object:lower()] or way == "impersonate"
            local expected, found = drifted(), seen()
            for _, name in ipairs(found) do -- what was written under our name may be told besides
                if doubtful[name:lower()] and not table.concat(expected, " "):find(name, 1, true) then
                    expected[#expected + 1] = name
                end
            end
            table.sort(expected)
            assert.same(expected, found, ("seed %d, round %d: %s"):format(seed, i, table.concat(history, "\n")))
            told = told + math.min(#expected, 1)
            if #expected > 0 and math.random() < 0.7 then
                apply()
                history, doubtful = {}, {}
                assert.same({}, drifted(), ("seed %d, round %d, applied after %s"):format(seed, i, line))
                assert.same({}, seen(), ("seed %d, round %d, applied after %s"):format(seed, i, line))
            end
        end
        assert.is_true(told > rounds / 10, told .. " edits made a difference")
    end)

    it("is seen of a field that others had set to another value and back before the last apply", function()
        apply()
        kubectl "scale statefulset/db -n drift --replicas=2"
        kubectl "scale statefulset/db -n drift --replicas=1"
        assert.same({}, seen())
        apply()
        local live = cjson.decode(kubectl "get statefulset/db -n drift -o json --show-managed-fields")
        for _, entry in ipairs(live.metadata.managedFields) do
            if entry.manager == "bkdeploy" then
                assert.truthy(entry.fieldsV1["f:spec"]["f:replicas"])
            end
        end
        assert.same({}, seen())
        kubectl "scale statefulset/db -n drift --replicas=2"
        assert.same({ "StatefulSet/db" }, seen())
    end)
end)
