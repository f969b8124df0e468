local cjson = require "cjson"
local support = require "support"
local kubectl, on_cluster, shell = support.kubectl, support.on_cluster, support.shell

--- The bookkeeping by itself, without an apply.
local program = (os.getenv("BKDEPLOY") or "build/bkdeploy"):gsub("bkdeploy$", "records")

local function quoted(words)
    local line = {}
    for i, word in ipairs(words) do
        line[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'"
    end
    return table.concat(line, " ")
end

--- records(namespace, release, verb, ...): what it printed, decoded; an error when it fails.
local function command_of(...)
    return quoted { program, support.kubeconfig, ... }
end
local function run_records(...)
    return shell(command_of(...))
end
local function records(...)
    local run = run_records(...)
    assert(run.code == 0, run.err)
    return run.out ~= "" and cjson.decode(run.out) or nil
end

--- A fresh namespace.
local function namespace(name)
    kubectl("delete namespace --ignore-not-found " .. name) -- of an earlier run
    kubectl("create namespace " .. name)
    return name
end

local function make(yaml)
    kubectl("create -f " .. support.folder { ["m.yaml"] = yaml } .. "/m.yaml")
end

local function object(kind, name, more)
    local made = { apiVersion = "v1", kind = kind, metadata = { name = name } }
    for key, value in pairs(more or {}) do
        made[key] = value
    end
    return made
end

local function source_of(ns, objects)
    return { name = "shop", environment = "dev", namespace = ns,
        components = { { name = "web", origin = "profile.lua:3", needs = cjson.empty_array, objects = objects } } }
end

--- Bytes that compress to about three quarters.
local function noise(length)
    return shell(("head -c %d /dev/urandom | base64 -w0"):format(length // 4 * 3)).out
end

--- Writes a revision; returns the run and the source. `more`: texts of the revision.
local function write(ns, number, objects, more)
    local source = source_of(ns, objects)
    local given = { source = source, outcome = "done", profile = "shop", environment = "dev" }
    for key, value in pairs(more or {}) do
        given[key] = value
    end
    return run_records(ns, "shop", "write", number, support.folder { json = cjson.encode(given) } .. "/json"), source
end

local function written(...)
    local run, source = write(...)
    assert(run.code == 0, run.err)
    return source
end

local function secrets(ns)
    return kubectl(("get secrets -n %s -o 'jsonpath={.items[*].metadata.name}'"):format(ns))
end

--- Replaces a Secret by what a Python line makes of it (`s`): they can't be changed in place.
local function damage(ns, name, line)
    local folder = support.folder { ["s.json"] = kubectl(("get secret %s -n %s -o json"):format(name, ns)) }
    assert(shell(("cd %s && python3 -c '%s'"):format(folder, [[
import base64, json
s = json.load(open("s.json"))
for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields"): s["metadata"].pop(key, None)
]] .. line .. [[

json.dump(s, open("s.json", "w"))]])).code == 0)
    kubectl(("delete secret %s -n %s"):format(name, ns))
    kubectl(("create -f %s/s.json"):format(folder))
end

local password = object("Secret", "db", { data = { password = "aHVudGVyMg==" } })

describe("the inventory of a release", function()
    it("is a ConfigMap as ApplySets have it", function()
        local ns = namespace "inventory-form"
        assert.same({ parent = false, members = {}, missing = {} }, records(ns, "shop", "load"))
        records(ns, "shop", "inventory", cjson.encode { kinds = { "Deployment.apps", "ConfigMap", "ConfigMap" },
            namespaces = { "zoo", ns, "ant" }, info = { ["bkdeploy/profile"] = "shop" } })
        local metadata = cjson.decode(kubectl(("get configmap bkdeploy.shop -n %s -o json"):format(ns))).metadata
        assert.same({ ["applyset.kubernetes.io/tooling"] = "bkdeploy/v1",
            ["applyset.kubernetes.io/contains-group-kinds"] = "ConfigMap,Deployment.apps",
            ["applyset.kubernetes.io/additional-namespaces"] = "ant,zoo", ["bkdeploy/profile"] = "shop" },
            metadata.annotations)
        assert.same({ ["applyset.kubernetes.io/id"] = records(ns, "shop", "identity").id, ["bkdeploy/release"] = "shop" },
            metadata.labels)
        assert.is_true(records(ns, "shop", "load").parent)

        records(ns, "shop", "inventory", '{"kinds":[],"namespaces":[]}') -- narrowed to nothing
        metadata = cjson.decode(kubectl(("get configmap bkdeploy.shop -n %s -o json"):format(ns))).metadata
        assert.same({ ["applyset.kubernetes.io/tooling"] = "bkdeploy/v1",
            ["applyset.kubernetes.io/contains-group-kinds"] = "", ["applyset.kubernetes.io/additional-namespaces"] = "" },
            metadata.annotations)
        assert.same({ parent = true, members = {}, missing = {} }, records(ns, "shop", "load"))
    end)

    it("is one that kubectl knows, and leaves alone", function()
        local ns = namespace "inventory-kubectl"
        records(ns, "shop", "inventory", '{"kinds":["ConfigMap"],"namespaces":[]}')
        local folder = support.folder { ["m.yaml"] = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}" }
        local run = shell(("KUBECTL_APPLYSET=true build/cluster/bin/kubectl --kubeconfig %s apply -n %s --prune "
            .. "--applyset=configmap/bkdeploy.shop -f %s/m.yaml"):format(support.kubeconfig, ns, folder))
        assert.equal(1, run.code)
        assert.matches('already exists and is managed by tooling "bkdeploy" instead of "kubectl"', run.err)
    end)

    it("has the objects with its label, of the kinds and in the namespaces that it names", function()
        local ns, other = namespace "inventory-members", namespace "inventory-members-two"
        local label = "labels: {applyset.kubernetes.io/part-of: " .. records(ns, "shop", "identity").id .. "}"
        records(ns, "shop", "inventory", cjson.encode { namespaces = { other }, kinds = { "ConfigMap", "Deployment.apps",
            "ClusterRole.rbac.authorization.k8s.io", "Event", "Event.events.k8s.io", "Gone.example.com", "Gone" } })
        make(([[
{apiVersion: v1, kind: ConfigMap, metadata: {name: here, namespace: NS, LABEL}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: OTHER, LABEL, annotations: {bkdeploy/keep: "true"}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: foreign, namespace: NS, labels: {applyset.kubernetes.io/part-of: x}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: elsewhere, namespace: default, LABEL}}
---
{apiVersion: v1, kind: Secret, metadata: {name: of-a-kind-not-named, namespace: NS, LABEL}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: "inventory:role", LABEL}}
---
{apiVersion: v1, kind: Event, metadata: {name: in-two-groups, namespace: NS, LABEL}, involvedObject: {namespace: NS}}
]]):gsub("NS", ns):gsub("OTHER", other):gsub("LABEL", label))
        local inventory = records(ns, "shop", "load")
        local found = {}
        for _, member in ipairs(inventory.members) do
            found[#found + 1] = ("%s %s %s/%s%s"):format(member.apiVersion, member.kind, member.namespace, member.name,
                member.keep and " kept" or "")
            assert.equal(member.kind, member.object.kind)
            assert.equal(member.uid, cjson.decode(kubectl("get --raw " .. member.path)).metadata.uid)
        end
        assert.matches("v1 Event inventory%-members/in%-two%-groups$", table.remove(found, 4))
        assert.same({ "rbac.authorization.k8s.io/v1 ClusterRole /inventory:role", "v1 ConfigMap " .. ns .. "/here",
            "v1 ConfigMap " .. other .. "/kept kept" }, found)
        table.sort(inventory.missing)
        assert.same({ "Gone", "Gone.example.com" }, inventory.missing)
        kubectl "delete configmap elsewhere"
        kubectl "delete clusterrole inventory:role"
    end)

    it("is read page by page", function()
        local ns = namespace "inventory-pages"
        local id, all = records(ns, "shop", "identity").id, {}
        local pki = support.kubeconfig:gsub("kubeconfig$", "pki/")
        local server, token = support.read(support.kubeconfig):match "server: (%S+)", support.read(pki .. "admin.token"):match "%S+"
        records(ns, "shop", "inventory", '{"kinds":["ConfigMap"],"namespaces":[]}')
        for i = 1, 620 do
            local config = object("ConfigMap", "c" .. i)
            config.metadata.labels = { ["applyset.kubernetes.io/part-of"] = id }
            all[i] = ("url = %s/api/v1/namespaces/%s/configmaps\ndata = %q\nheader = \"Content-Type: application/json\"\n"
                .. "oauth2-bearer = %s\ncacert = %sca.crt\noutput = /dev/null\n"):format(server, ns, cjson.encode(config), token, pki)
        end
        local folder = support.folder { config = table.concat(all, "next\n") }
        assert(shell(("curl -sS --fail-early --parallel -K %s/config"):format(folder)).code == 0) -- kubectl takes its time
        local seen = {}
        for _, member in ipairs(records(ns, "shop", "load").members) do
            seen[member.name] = true
        end
        for i = 1, 620 do
            assert.is_true(seen["c" .. i])
        end
    end)

    --- Rows: what it is, the metadata of the ConfigMap, the message.
    local foreign = {
        { "kubectl's", "annotations: {applyset.kubernetes.io/tooling: kubectl/v1.36}", "belongs to kubectl/v1.36" },
        { "of a bkdeploy to come", "annotations: {applyset.kubernetes.io/tooling: bkdeploy/v2}", "belongs to bkdeploy/v2" },
        { "somebody's", "labels: {a: b}", "was not made by bkdeploy" },
        { "copied", "annotations: {applyset.kubernetes.io/tooling: bkdeploy/v1}, labels: {applyset.kubernetes.io/id: "
            .. "applyset-x-v1}", "which is not its own" },
    }
    for i, row in ipairs(foreign) do
        it("is left alone when it is " .. row[1], function()
            local ns = namespace("inventory-foreign-" .. i)
            make(("{apiVersion: v1, kind: ConfigMap, metadata: {name: bkdeploy.shop, namespace: %s, %s}}"):format(ns, row[2]))
            local run = run_records(ns, "shop", "load")
            assert.equal(7, run.code)
            assert.matches("^ConfigMap inventory%-foreign%-%d/bkdeploy.shop", run.err)
            assert.is_number(run.err:find(row[3], 1, true))
        end)
    end
end)

describe("a revision", function()
    it("comes back as it was, and keeps no value of a Secret readable", function()
        local ns = namespace "revision-form"
        local source = written(ns, 1, { password, object("ConfigMap", "c", { data = { a = "b" } }) },
            { message = "first\nof all", who = "me@here", commit = ("a"):rep(40), when = "2026-11-24T08:00:00Z", summary = "1 new" })
        assert.same(source, records(ns, "shop", "read", 1))
        assert.same({ { number = 1, outcome = "done", when = "2026-11-24T08:00:00Z", who = "me@here", profile = "shop",
            environment = "dev", commit = ("a"):rep(40), message = "first\nof all", summary = "1 new" } },
            records(ns, "shop", "list"))
        assert.equal("bkdeploy.shop.key bkdeploy.shop.v1", secrets(ns))
        local plain = shell(("build/cluster/bin/kubectl --kubeconfig %s get secret bkdeploy.shop.v1 -n %s -o json | python3 -c '%s'")
            :format(support.kubeconfig, ns, [[
import base64, json, sys, zlib
s = json.load(sys.stdin)
print(s["type"], s["immutable"], zlib.decompress(base64.b64decode(s["data"]["revision"])).decode())]])).out
        assert.matches('^bkdeploy/revision.v1 True {"', plain)
        assert.matches('"db"', plain)
        assert.matches('"password":{"sealed":"', plain)
        assert.is_nil(plain:find("aHVudGVyMg", 1, true))
        assert.is_nil(plain:find("hunter2", 1, true))
    end)

    it("needs no key when it has no values of Secrets", function()
        local ns = namespace "revision-plain"
        written(ns, 1, { object("ConfigMap", "c") })
        assert.equal("bkdeploy.shop.v1", secrets(ns))
        assert.equal("shop", records(ns, "shop", "read", 1).name)
    end)

    it("has when and who by itself, and texts that an annotation takes", function()
        local ns = namespace "revision-texts"
        written(ns, 1, {}, { message = ("ä"):rep(3000) })
        local row = records(ns, "shop", "list")[1]
        assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", row.when)
        assert.matches("^[^@]+@.+", row.who)
        assert.equal(("ä"):rep(1000), row.message)
    end)

    it("may be larger than a Secret", function()
        local ns = namespace "revision-large"
        local source = written(ns, 1, { object("ConfigMap", "a", { data = { x = noise(3000000) } }), password })
        assert.equal("bkdeploy.shop.key bkdeploy.shop.v1 bkdeploy.shop.v1.2 bkdeploy.shop.v1.3", secrets(ns))
        assert.same(source, records(ns, "shop", "read", 1))
        assert.equal(1, #records(ns, "shop", "list"))
    end)

    it("of a number that is taken is refused, and the first one stays", function()
        local ns = namespace "revision-taken"
        local first = written(ns, 1, { object("ConfigMap", "first", { data = { x = noise(1500000) } }) })
        for _, size in ipairs { 100, 1500000 } do
            local run = write(ns, 1, { object("ConfigMap", "second", { data = { x = noise(size) } }) })
            assert.equal(6, run.code, run.err)
            assert.matches("revision 1 of release 'shop' in namespace 'revision%-taken' is there already", run.err)
        end
        assert.same(first, records(ns, "shop", "read", 1))
    end)

    it("is written by one of many at once", function()
        local ns, lines = namespace "revision-race", {}
        for i = 1, 6 do
            local folder = support.folder { json = cjson.encode { outcome = "done", message = "by " .. i,
                source = source_of(ns, { password, object("ConfigMap", "of-" .. i) }) } }
            lines[i] = ("{ %s; echo $? >>%s/codes; } 2>/dev/null &"):format(command_of(ns, "shop", "write", 1, folder .. "/json"),
                "build/tmp")
        end
        os.remove "build/tmp/codes"
        shell(table.concat(lines, "\n") .. "\nwait")
        local codes = {}
        for code in support.read("build/tmp/codes"):gmatch "%d+" do
            codes[#codes + 1] = tonumber(code)
        end
        table.sort(codes)
        assert.same({ 0, 6, 6, 6, 6, 6 }, codes)
        local by = records(ns, "shop", "list")[1].message:match "%d"
        assert.equal("of-" .. by, records(ns, "shop", "read", 1).components[1].objects[2].metadata.name)
    end)

    it("shares its key with those that are written at the same time", function()
        local ns, lines = namespace "revision-keys", {}
        for i = 1, 6 do
            local folder = support.folder { json = cjson.encode { outcome = "done", source = source_of(ns, { password }) } }
            lines[i] = command_of(ns, "shop", "write", i, folder .. "/json") .. " &"
        end
        shell(table.concat(lines, "\n") .. "\nwait")
        for i = 1, 6 do
            assert.same(password, records(ns, "shop", "read", i).components[1].objects[1])
        end
    end)

    it("is whole or not there when its writer is killed, and can be written then", function()
        local ns = namespace "revision-killed"
        local folder = support.folder { json = cjson.encode { outcome = "done",
            source = source_of(ns, { object("ConfigMap", "a", { data = { x = noise(4000000) } }) }) } }
        local command = command_of(ns, "shop", "write", 1, folder .. "/json")
        for i = 1, 12 do
            shell(("timeout -s KILL 0.%02d %s"):format(i * 4 + 6, command))
            if #records(ns, "shop", "list") > 0 then
                break
            end
        end
        if #records(ns, "shop", "list") == 0 then
            assert.equal(0, shell(command).code)
        end
        assert.equal("shop", records(ns, "shop", "read", 1).name)
    end)

    it("takes the place of parts that were left without a head", function()
        local ns = namespace "revision-orphans"
        written(ns, 1, { object("ConfigMap", "old", { data = { x = noise(3000000) } }) })
        kubectl(("delete secret bkdeploy.shop.v1 -n %s"):format(ns))
        assert.same({}, records(ns, "shop", "list"))
        local source = written(ns, 1, { object("ConfigMap", "new", { data = { x = noise(1500000) } }) })
        assert.same(source, records(ns, "shop", "read", 1))
    end)

    it("has its outcome noted, also after Ctrl-C", function()
        local ns = namespace "revision-outcome"
        written(ns, 1, { object("ConfigMap", "c") }, { outcome = "applying", summary = "so far" })
        records(ns, "shop", "outcome", 1, "failed")
        assert.same({ "failed", "so far" }, { records(ns, "shop", "list")[1].outcome, records(ns, "shop", "list")[1].summary })
        records(ns, "shop", "outcome", 1, "done", "3 changed")
        assert.same({ "done", "3 changed" }, { records(ns, "shop", "list")[1].outcome, records(ns, "shop", "list")[1].summary })
        local run = run_records(ns, "shop", "interrupted", 1, "interrupted")
        assert.equal(0, run.code, run.err)
        assert.equal("interrupted", records(ns, "shop", "list")[1].outcome)
        assert.equal("shop", records(ns, "shop", "read", 1).name)
        assert.equal(3, run_records(ns, "shop", "outcome", 2, "done").code)
    end)

    it("goes when newer ones are enough, but not the last that is done", function()
        local ns = namespace "revision-trim"
        for i = 1, 7 do
            written(ns, i, { object("ConfigMap", "c", { data = i == 2 and { x = noise(1500000) } or nil }) },
                { outcome = i == 3 and "done" or "failed" })
        end
        kubectl(("delete secret bkdeploy.shop.v2 -n %s"):format(ns)) -- leaves a part
        make(("{apiVersion: v1, kind: Secret, metadata: {name: not-ours, namespace: %s, labels: {bkdeploy/release: shop, "
            .. "bkdeploy/revision: '1'}}}"):format(ns))
        records(ns, "shop", "trim", 2)
        assert.equal("bkdeploy.shop.v3 bkdeploy.shop.v6 bkdeploy.shop.v7 not-ours", secrets(ns))
        records(ns, "shop", "trim", 0)
        assert.equal("bkdeploy.shop.v3 bkdeploy.shop.v7 not-ours", secrets(ns))
    end)

    --- Rows: the damage, the Secret, what a Python line does to it, the message.
    local rows = {
        { "a part is another", "bkdeploy.shop.v1.2", 's["data"]["revision"] = base64.b64encode(b"x" * 1000).decode()',
            "its SHA%-256 sum is %x+%.%., not" },
        { "a part is empty", "bkdeploy.shop.v1.2", 's["data"] = {}', "part 2 of 2 is missing" },
        { "the first part is gone", "bkdeploy.shop.v1", 's["data"] = {}', "part 1 of 2 is missing" },
        { "it says nothing of parts", "bkdeploy.shop.v1", 's["metadata"]["annotations"].pop("bkdeploy/parts")',
            "it does not say of how many parts it is" },
        { "it says too much of parts", "bkdeploy.shop.v1", 's["metadata"]["annotations"]["bkdeploy/parts"] = "3"',
            "part 3 of 3 is missing" },
    }
    for i, row in ipairs(rows) do
        it("tells which Secret is damaged when " .. row[1], function()
            local ns = namespace("revision-damage-" .. i)
            written(ns, 1, { object("ConfigMap", "a", { data = { x = noise(1500000) } }) })
            damage(ns, row[2], row[3])
            local run = run_records(ns, "shop", "read", 1)
            assert.equal(1, run.code)
            assert.matches("^revision 1 can't be read: Secret " .. ns:gsub("%-", "%%-") .. "/bkdeploy.shop.v1 is damaged: " .. row[4],
                run.err)
        end)
    end

    it("tells when its part is gone, or there is none of that number", function()
        local ns = namespace "revision-gone"
        written(ns, 1, { object("ConfigMap", "a", { data = { x = noise(1500000) } }) })
        kubectl(("delete secret bkdeploy.shop.v1.2 -n %s"):format(ns))
        local run = run_records(ns, "shop", "read", 1)
        assert.equal(1, run.code)
        assert.matches("is damaged: part 2 of 2 is missing", run.err)
        run = run_records(ns, "shop", "read", 5)
        assert.equal(2, run.code)
        assert.equal("release 'shop' in namespace 'revision-gone' has no revision 5\n", run.err)
    end)

    it("tells when the key of its values is gone, or another", function()
        local ns = namespace "revision-key"
        written(ns, 1, { password })
        local key = kubectl(("get secret bkdeploy.shop.key -n %s -o json"):format(ns))
        assert.equal(32, #shell(("echo %s | base64 -d | tr '\\0' x"):format(cjson.decode(key).data.key)).out)
        kubectl(("delete secret bkdeploy.shop.key -n %s"):format(ns))
        local run = run_records(ns, "shop", "read", 1)
        assert.equal(1, run.code)
        assert.equal("Secret revision-key/bkdeploy.shop.key is gone: the values of Secrets in revision 1 can't be read "
            .. "without it\n", run.err)
        assert.is_string(records(ns, "shop", "read-sealed", 1).components[1].objects[1].data.password.sealed)
        written(ns, 2, { password }) -- makes another key
        assert.same(password, records(ns, "shop", "read", 2).components[1].objects[1])
        run = run_records(ns, "shop", "read", 1)
        assert.equal(1, run.code)
        assert.equal("revision 1, by the key in Secret revision-key/bkdeploy.shop.key: the value of 'password' in Secret "
            .. "'db': it was sealed by another key, or changed since\n", run.err)
        damage(ns, "bkdeploy.shop.key", 's["data"]["key"] = "AAAA"')
        run = run_records(ns, "shop", "read", 2)
        assert.equal(1, run.code)
        assert.matches("has no key of 32 bytes\n$", run.err)
    end)
end)

describe("the commands that read revisions", function()
    local one, two = "reading-one", "reading-two"
    lazy_setup(function()
        namespace(one)
        namespace(two)
        records(one, "shop", "inventory", '{"kinds":[],"namespaces":[],"info":{"bkdeploy/profile":"shop","bkdeploy/environment":"dev",'
            .. '"bkdeploy/revision":"1"}}')
        records(two, "shop", "inventory", '{"kinds":[],"namespaces":[]}')
        records(two, "reading-only", "inventory", '{"kinds":[],"namespaces":[],"info":{"bkdeploy/profile":"only"}}')
        written(one, 1, { object("ConfigMap", "gone"), object("ConfigMap", "same"), object("ConfigMap", "c", { data = { a = "1" } }) },
            { commit = ("0123456789"):rep(4), who = "me@here", message = "the first \27[31mred\nof all", summary = "3 new" })
        written(one, 2, { object("ConfigMap", "same"), object("ConfigMap", "c", { data = { a = "2" } }), password,
            object("ConfigMap", "far", { metadata = { name = "far", namespace = two } }) },
            { outcome = "failed", who = "me@here", when = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - 200) })
    end)

    it("list the releases of all namespaces, or of one", function()
        local run = on_cluster "list"
        assert.equal(0, run.code, run.err)
        assert.matches("^NAMESPACE +RELEASE +REVISION +UPDATED +OUTCOME +PROFILE +ENVIRONMENT\n", run.out)
        assert.matches("\nreading%-one +shop +2 +3 min ago +failed +shop +dev\n", run.out)
        assert.matches("\nreading%-two +reading%-only +only\n", run.out)
        local list = cjson.decode(on_cluster("list", "-n", one, "-o", "json").out)
        assert.equal(1, #list.releases)
        assert.matches("^%d+%-%d+%-%d+T.*Z$", list.releases[1].updated)
        list.releases[1].updated = nil
        assert.same({ { namespace = one, release = "shop", revision = 2, outcome = "failed", profile = "shop",
            environment = "dev" } }, list.releases)
    end)

    it("say so when there is none", function()
        namespace "reading-none"
        local run = on_cluster("list", "-n", "reading-none")
        assert.same({ 0, "" }, { run.code, run.out })
        assert.matches("^no releases in namespace reading%-none on context 'test'", (run.err:gsub("context '%w+'", "context 'test'")))
        assert.equal("[]", on_cluster("list", "-n", "reading-none", "-o", "json").out:match "%[.*%]")
    end)

    it("tell who may not list all namespaces how to list one, and do without Secrets", function()
        local run = on_cluster("list", "--context", "nobody")
        assert.equal(8, run.code)
        assert.matches("the releases of all namespaces can't be listed; name one with %-n NAMESPACE: configmaps is forbidden",
            run.err)
        kubectl(("create role reader -n %s --verb=list,get --resource=configmaps"):format(one))
        kubectl(("create rolebinding reader -n %s --role=reader --user=nobody"):format(one))
        run = on_cluster("list", "-n", one, "--context", "nobody")
        assert.equal(0, run.code, run.err)
        assert.matches("\nreading%-one +shop +1 +shop +dev\n$", run.out)
        run = on_cluster("history", "shop", "-n", one, "--context", "nobody")
        assert.equal(8, run.code)
        assert.matches("to list the revisions of release 'shop' in namespace 'reading%-one': secrets is forbidden", run.err)
    end)

    it("show the history of a release", function()
        local run = on_cluster("history", "shop", "-n", one)
        assert.equal(0, run.code, run.err)
        assert.matches("^REVISION +UPDATED +OUTCOME +BY +ENVIRONMENT +COMMIT +SUMMARY +MESSAGE\n1 ", run.out)
        assert.matches("\n1 +now +done +me@here +dev +0123456789 +3 new +the first %?%[31mred of all\n",
            (run.out:gsub("%d+ s ago", "now")))
        assert.matches("\n2 +3 min ago +failed +me@here +dev\n$", run.out)
        local history = cjson.decode(on_cluster("history", "shop", "-n", one, "-o", "json").out)
        assert.same({ "shop", one, 2 }, { history.release, history.namespace, #history.revisions })
        assert.same({ 1, ("0123456789"):rep(4), "the first \27[31mred\nof all" },
            { history.revisions[1].revision, history.revisions[1].commit, history.revisions[1].message })
    end)

    it("show what a revision changed", function()
        local run = on_cluster("history", "shop", "2", "-n", one)
        assert.equal(0, run.code, run.err)
        assert.matches("\n\nagainst revision 1:\n%+ Secret/db\n%+ ConfigMap/reading%-two/far\n~ ConfigMap/c\n"
            .. "  data:\n%-   a: \"1\"\n%+   a: \"2\"\n%- ConfigMap/gone\n$", run.out)
        local diff = cjson.decode(on_cluster("history", "shop", "2", "-n", one, "-o", "json").out)
        assert.same({ 2, 1, { { object = "ConfigMap/c", changes = { { path = { "data", "a" }, before = "1", after = "2" } } } },
            { "ConfigMap/gone" } }, { diff.revision, diff.before, diff.changed, diff.deleted })
        assert.matches("no earlier revision is kept; all of it:\n%+ ConfigMap/gone\n",
            on_cluster("history", "shop", "1", "-n", one).out)
        run = on_cluster("history", "shop", "3", "-n", one)
        assert.equal(2, run.code)
        assert.matches("release 'shop' has no revision 3; the oldest is 1, the newest 2\n$", run.err)
    end)

    it("print the objects of a revision", function()
        local run = on_cluster("get", "shop", "-n", one)
        assert.equal(0, run.code, run.err)
        assert.equal("revision 2 of release 'shop' (3 min ago) is not done: failed\n", run.err)
        assert.matches("name: same\n.*a: \"2\"\n.*name: far\n", run.out)
        assert.matches("password: KioqKioq\n", run.out)
        assert.is_nil(run.out:find("aHVudGVyMg", 1, true))
        run = on_cluster("get", "shop", "secret/db", "-n", one, "--show-secrets")
        assert.matches("password: \"?aHVudGVyMg==\"?\n", run.out)
        run = on_cluster("get", "shop", "configmaps/c", "-n", one, "--revision", "1", "-o", "json")
        assert.same({ "", { a = "1" } }, { run.err, cjson.decode(run.out).data })
        assert.equal(3, #cjson.decode(on_cluster("get", "shop", "-n", one, "--revision", "1", "-o", "json").out).items)
        run = on_cluster("get", "shop", "configmap/x", "-n", one)
        assert.equal(2, run.code)
        assert.matches("revision 2 of release 'shop' has no object 'configmap/x'; of that kind it has: same, c, far\n$", run.err)
        assert.equal(2, on_cluster("get", "shop", "c", "-n", one).code)
        assert.equal(2, on_cluster("get", "shop", "-n", one, "--revision", "0").code)
    end)

    it("need no key for what they hide", function()
        local ns = namespace "reading-key"
        records(ns, "reading-key", "inventory", '{"kinds":[],"namespaces":[]}')
        written(ns, 1, { password })
        kubectl(("delete secret bkdeploy.shop.key -n %s"):format(ns))
        assert.equal(0, on_cluster("get", "shop", "-n", ns).code)
        local run = on_cluster("get", "shop", "-n", ns, "--show-secrets")
        assert.same({ 1, "" }, { run.code, run.out })
        assert.matches("^bkdeploy: Secret reading%-key/bkdeploy.shop.key is gone", run.err)
    end)

    it("find a release by its name, where it is the only one", function()
        local run = on_cluster("history", "shop")
        assert.equal(2, run.code)
        assert.matches("there are %d+ releases 'shop'; choose by %-n: shop %(namespace ", run.err)
        run = on_cluster("history", "reading-only")
        assert.equal(2, run.code)
        assert.matches("release 'reading%-only' in namespace 'reading%-two' has no revisions\n$", run.err)
        run = on_cluster("history", "nobody-knows")
        assert.equal(2, run.code)
        assert.matches("no release 'nobody%-knows' on context '%w+' %(.*%); there is: ", run.err)
    end)

    it("find a release by its profile", function()
        local folder = support.folder { ["profile.lua"] = [[return require("bk").profile "shop" { default = "dev", environments =
            { dev = { namespace = "reading-one" }, prod = { namespace = "reading-two" } }, components = {} }]] }
        assert.equal(2, #cjson.decode(on_cluster("history", folder, "-o", "json").out).revisions)
        assert.equal(2, #cjson.decode(on_cluster("history", folder .. "/profile.lua", "-e", "dev", "-n", one, "-o", "json").out)
            .revisions)
        assert.matches("release 'shop' in namespace 'reading%-two' has no revisions", on_cluster("get", folder, "-e", "prod").err)
        local run = on_cluster("history", folder, "-n", two)
        assert.equal(2, run.code)
        assert.matches("profile 'shop', environment 'dev', is for namespace 'reading%-one', not 'reading%-two'", run.err)
        run = on_cluster("history", "shop", "-n", one, "-e", "dev")
        assert.equal(2, run.code)
        assert.matches("%-e is for a profile; 'shop' is the name of a release", run.err)
        assert.equal(2, on_cluster("history", "nowhere/profile.lua").code)
    end)
end)
