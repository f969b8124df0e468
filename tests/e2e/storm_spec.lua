-- Hundreds of objects are applied through an API server that refuses, resets, hangs up and falls silent: each is there
-- in the end as described, was written once, and the server was not asked much more often than it has objects.
local support = require "support"
local cjson = require "cjson"

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"
local count = 200

local function release(name, size)
    return support.profile(name, ([[
local objects = {}
for i = 1, %d do
    objects[i] = bk.config(("c%%04d"):format(i)) { text = "text " .. i }
end
return objects]]):format(size))
end

--- Applies a release through tests/proxy/main.go with these rules; the run, and how many writes came there.
local function apply_through(rules, name, size)
    local server = support.read(support.kubeconfig):match("server: (https://%S+)")
    local pki = support.kubeconfig:match("^(.*)/") .. "/pki"
    local folder = support.folder { ["run.sh"] = ([[
config=%s.$$; sed "s,server: .*,server: https://127.0.0.1:$PORT," %s >$config
%s apply %s --yes --kubeconfig $config; code=$?; rm $config; exit $code]]):format(support.kubeconfig, support.kubeconfig,
        program, release(name, size or count)) }
    local run = support.shell(("build/proxy/bin/faults --upstream %s --pki %s --count %s/count %s -- sh %s/run.sh"):format(
        server, pki, folder, rules, folder))
    local writes = 0
    for request, times in pairs(cjson.decode(support.read(folder .. "/count"))) do
        writes = writes + (request:match("^PATCH .*/configmaps/") and times or 0)
    end
    return run, writes
end

local function version()
    return support.kubectl("get --raw '/api/v1/configmaps?limit=1'"):match('"resourceVersion":"(%d+)"')
end

--- Every object of the release is as described, and since `before` was written once.
local function assert_applied(name, size, before)
    local expected, found = {}, {}
    for i = 1, size do
        expected[("c%04d"):format(i)] = "text " .. i
    end
    for key, text in support.kubectl(("get configmaps -n %s -o jsonpath='{range .items[*]}{.metadata.name}={.data.text}{\"\\n\"}{end}'")
        :format(name)):gmatch("(c%d+)=([^\n]*)") do
        found[key] = text
    end
    assert.same(expected, found)
    local writes, wrong = 0, {}
    for line in support.kubectl(("get --raw '/api/v1/namespaces/%s/configmaps?watch=1&timeoutSeconds=1&resourceVersion=%s'")
        :format(name, before)):gmatch("[^\n]+") do
        local event = cjson.decode(line)
        local object = tostring(event.object.metadata.name)
        if event.type == "ADDED" and expected[object] then
            writes = writes + 1
        elseif object:match("^c%d+$") then
            wrong[#wrong + 1] = event.type .. " " .. object
        end
    end
    assert.same({}, wrong)
    assert.equal(size, writes)
end

local function case(rules, what)
    it(what, function()
        local name, before = "storm-" .. rules:match("^%w+"), version()
        local run, writes = apply_through(rules, name)
        assert.equal(0, run.code, run.err)
        assert.matches(("%d created, 0 changed, 0 unchanged"):format(count + 1), run.err .. run.out)
        assert_applied(name, count, before)
        -- What was under way when it first went wrong, and half of the objects.
        assert.is_true(writes <= 1.5 * count + 50, writes .. " writes")
        support.kubectl(("delete namespace %s --wait=false"):format(name))
    end)
end

describe("an API server that", function()
    case("429=60,1", "asks to wait")
    case("503=20", "is not available now and then")
    case("window=60,2", "refuses everything for a while")
    case("reset=20", "resets streams")
    case("close=50", "closes connections")
    case("goaway=40", "ends connections in order")
    case("silent=100", "falls silent")

    it("asks to wait for too long is not waited for, and the error says so", function()
        local run = apply_through("429=1,90", "storm-long", 1)
        assert.equal(8, run.code, run.err)
        assert.matches("the API server asked to wait 90 s: 429 Too Many Requests: refused by", run.err, 1, true)
    end)
end)

--- Runs `body` while user "nobody" has every right, but few places at the API server.
local function with_few_places(response, body)
    local folder = support.folder { ["few.yaml"] = ([[
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata: { name: storm }
spec:
  type: Limited
  limited: { nominalConcurrencyShares: 1, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: %s }
---
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: { name: storm }
spec:
  matchingPrecedence: 2
  priorityLevelConfiguration: { name: storm }
  rules:
  - subjects: [ { kind: User, user: { name: nobody } } ]
    resourceRules: [ { apiGroups: ["*"], resources: ["*"], verbs: ["*"], clusterScope: true, namespaces: ["*"] } ]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: storm }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [ { kind: User, apiGroup: rbac.authorization.k8s.io, name: nobody } ]
]]):format(response) }
    support.kubectl(("apply -f %s/few.yaml"):format(folder))
    local good, problem = pcall(body)
    support.kubectl(("delete -f %s/few.yaml"):format(folder))
    assert(good, problem)
end

--- The requests of the priority level that the API server says it has let in, or (`rejected`) turned away.
local function of_level(what)
    local sum = 0
    for number in support.kubectl("get --raw /metrics"):gmatch(
        "apiserver_flowcontrol_" .. what .. "_requests_total{[^\n]*\"storm\"[^\n]*} (%d+)") do
        sum = sum + tonumber(number)
    end
    return sum
end

describe("an API server with few places for the user", function()
    for name, response in pairs { ["no-queue"] = "{ type: Reject }", ["short-queue"] =
        "{ type: Queue, queuing: { queues: 1, handSize: 1, queueLengthLimit: 4 } }" } do
        it(("(%s) is asked at its own pace"):format(name), function()
            local size, before = 60, version()
            with_few_places(response, function()
                local let_in, rejected = of_level("dispatched"), of_level("rejected")
                local run = support.on_cluster("apply", release(name, size), "--context", "nobody")
                assert.equal(0, run.code, run.err)
                let_in, rejected = of_level("dispatched") - let_in, of_level("rejected") - rejected
                assert.is_true(rejected > 0, "it was never full")
                assert.is_true(rejected <= 100 + 0.5 * let_in, ("%d of %d rejected"):format(rejected, let_in + rejected))
            end)
            assert_applied(name, size, before)
            support.kubectl(("delete namespace %s --wait=false"):format(name))
        end)
    end
end)
