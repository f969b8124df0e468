local cjson = require "cjson"
local support = require "support"

--- What `status -f -` prints of a text, with more words.
local function status(text, ...)
    local folder = support.folder { ["input"] = text }
    return support.run("status", "-f", folder .. "/input", ...)
end

local ready = [[
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
]]
local waiting = [[
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {storageClassName: late}
status: {phase: Pending}
]]
local class = [[
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: late}
volumeBindingMode: WaitForFirstConsumer
]]

describe("bkdeploy status -f", function()
    it("tells of each object how it stands", function()
        local run = status(ready .. "---\n" .. waiting)
        assert.equal(1, run.code)
        assert.equal([[
NAMESPACE  OBJECT                      STATUS       REASON
shop       ConfigMap/settings          Current
shop       PersistentVolumeClaim/data  InProgress   not bound to a volume
]], run.out)
        run = status(ready)
        assert.same({ 0, "" }, { run.code, run.err })
    end)

    it("prints no namespaces where there are none", function()
        assert.equal("OBJECT             STATUS       REASON\nStorageClass/late  Current\n", status(class).out)
    end)

    it("lets claims know their classes, in whatever order", function()
        for _, text in ipairs { waiting .. "---\n" .. class, class .. "---\n" .. waiting } do
            local run = status(text)
            assert.equal(0, run.code)
            assert.is_truthy(run.out:find("Current      bound when the first pod uses it", 1, true))
        end
    end)

    it("prints JSON of a fixed form", function()
        local run = status([[
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
status:
  conditions: [{type: Failed, status: "True", reason: BackoffLimitExceeded, message: no more tries}]
]], "-o", "json")
        assert.equal(1, run.code)
        assert.equal([=[
[
  {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "namespace": "shop",
    "name": "migrate",
    "status": "Failed",
    "reason": "BackoffLimitExceeded",
    "message": "no more tries"
  }
]
]=], run.out)
    end)

    it("reads what kubectl and the API server print of many objects", function()
        local run = status(cjson.encode { apiVersion = "v1", kind = "List", items = {
            { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "a" } },
            { apiVersion = "v1", kind = "Pod", metadata = { name = "b" }, status = { phase = "Running" } } } })
        assert.equal("OBJECT       STATUS       REASON\nConfigMap/a  Current\nPod/b        InProgress   Running, not ready\n",
            run.out)
        run = status('{"kind":"DeploymentList","apiVersion":"apps/v1","items":[{"metadata":{"name":"web"},'
            .. '"spec":{"replicas":2},"status":{}}]}')
        assert.is_truthy(run.out:find("Deployment/web  InProgress   0 of 2 updated", 1, true))
        run = status('{"apiVersion":"v1","kind":"List","items":[]}', "-o", "json")
        assert.same({ 0, "[]\n" }, { run.code, run.out })
    end)

    it("reads standard input, folders and several files", function()
        local folder = support.folder { ["b.yaml"] = ready, ["a.json"] = '{"apiVersion":"v1","kind":"Secret",'
            .. '"metadata":{"name":"keys"}}', ["c.txt"] = "not read" }
        assert.equal("NAMESPACE  OBJECT              STATUS       REASON\n           Secret/keys         Current\n"
            .. "shop       ConfigMap/settings  Current\n", support.run("status", "-f", folder).out)
        local run = support.shell(("%s status -f - --file %s/a.json <%s/b.yaml"):format(
            os.getenv("BKDEPLOY") or "build/bkdeploy", folder, folder))
        assert.equal(0, run.code)
        assert.is_truthy(run.out:find("settings.*keys"))
    end)

    it("tells what is not there", function()
        local run = status('{"kind":"Status","apiVersion":"v1","status":"Failure","message":"pods \\"web\\" not found",'
            .. '"reason":"NotFound","details":{"name":"web","kind":"pods"},"code":404}')
        assert.is_truthy(run.out:find('Status/web  NotFound     NotFound: pods "web" not found', 1, true))
    end)

    it("keeps the terminal from what names have in them", function()
        local run = status('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a\\u001b[31mb"}}')
        assert.is_nil(run.out:find "\27")
    end)

    local mistakes = {
        { "no object", "---\nhello\n", ":2: document 1: is no object with apiVersion and kind" },
        { "an object without a kind", ready .. "---\nmetadata: {}\n", ":5: document 2: is no object" },
        { "a kind that is no text", "apiVersion: v1\nkind: 3\n", ":1: document 1: is no object" },
        { "an item that is none", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod}, 3]\n",
            ":1: document 1: item 2: is no object with apiVersion and kind" },
        { "broken YAML", "a: [1\n", "document 1" },
        { "nothing", "# only a comment\n", ": has no objects" },
    }
    for _, row in ipairs(mistakes) do
        it(("refuses %s, with its place"):format(row[1]), function()
            local run = status(row[2])
            assert.same({ 2, "" }, { run.code, run.out })
            assert.is_truthy(run.err:find(row[3], 1, true), run.err)
        end)
    end

    it("goes without a profile", function()
        local run = support.run("status", "profiles/hello", "-f", "-")
        assert.equal(2, run.code)
        assert.equal("bkdeploy: -f goes without a profile: what is 'profiles/hello'?\n", run.err)
        assert.equal(2, support.run("status", "-f", "none/such").code)
    end)
end)
