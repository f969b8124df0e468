-- bkdeploy doctor, on the control plane: BK LOG healthy, then spoilt in one way after the other.
local cjson = require "cjson"
local support = require "support"
local kubectl, on_cluster = support.kubectl, support.on_cluster

local namespace = "bklog-dev"
local bklog = { "profiles/bklog", "-e", "dev", "--set", "tls=bklog-tls" }

--- What doctor finds: its exit code, the JSON, and the findings as { "Section Kind/name", finding }.
local function doctor(...)
    local words = { ... }
    words[#words + 1], words[#words + 2] = "-o", "json"
    local run = on_cluster("doctor", table.unpack(words))
    assert.is_true(run.code == 0 or run.code == 1 or run.code == 8, run.err)
    local report, found = cjson.decode(run.out), {}
    for _, section in ipairs(report.sections) do
        for _, finding in ipairs(section.findings) do
            local object = finding.object or {}
            found[#found + 1] = { ("%s %s/%s"):format(section.name, object.kind, object.name), finding }
        end
    end
    return run.code, report, found
end

local function listed(found)
    local lines = {}
    for i, row in ipairs(found) do
        lines[i] = row[1] .. ": " .. row[2].message
    end
    return table.concat(lines, "\n")
end

--- Asks doctor until it finds exactly one thing, or nothing for `wanted` nil: controllers take a moment.
local function settles(wanted, ...)
    local found
    for _ = 1, 40 do
        local code
        code, _, found = doctor(...)
        if #found == (wanted and 1 or 0) and (not wanted or found[1][1]:find(wanted)) then
            assert.equal(wanted and 1 or 0, code)
            return found[1] and found[1][2]
        end
        os.execute "sleep 0.5"
    end
    assert.equal(wanted or "nothing", listed(found))
end

local function apply(...)
    local run = on_cluster("apply", table.unpack { bklog[1], bklog[2], bklog[3], bklog[4], bklog[5], ... })
    assert.equal(0, run.code, run.err)
end

--- Applies YAML.
local function put(text)
    kubectl("apply -f " .. support.folder { ["a.yaml"] = text } .. "/a.yaml")
end

local function say(lines)
    local folder = io.popen("pwd"):read("l") .. "/" .. support.folder { ["log"] = lines }
    put(([[
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: { name: doctor }
spec:
  selector: { matchNamespaces: [%s] }
  logs: [ { logsFile: %s/log, follow: true } ]
]]):format(namespace, folder))
    os.execute "sleep 0.5"
end

local function stamp(back)
    return os.date("!%Y-%m-%dT%H:%M:%S.000000001Z", os.time() - back)
end

local function make_tls()
    local folder = support.folder {}
    assert.equal(0, support.shell(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x "
        .. "-keyout %s/k -out %s/c"):format(folder, folder)).code)
    kubectl(("create secret tls bklog-tls -n %s --cert=%s/c --key=%s/k"):format(namespace, folder, folder))
end

--- All rights for the user nobody, but what `but` says.
local function grant(delete)
    put([[
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: doctor-e2e }
rules:
- { apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch, create, patch, update] }
- { apiGroups: ["*"], resources: ]] .. delete .. [[, verbs: [delete] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: doctor-e2e }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: doctor-e2e }
subjects: [ { kind: User, name: nobody, apiGroup: rbac.authorization.k8s.io } ]
]])
end

local function pod_of(component)
    return kubectl(("get pods -n %s -o 'jsonpath={range .items[*]}{.metadata.name}{\"\\n\"}{end}'"):format(namespace))
        :match("(" .. component .. "%-%w+%-%w+)\n")
end

describe("doctor on BK LOG", function()
    setup(function()
        put "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/nginx}}"
        say(stamp(60) .. " stdout F INFO started, errors: 0\n")
        apply()
        kubectl("delete secret bklog-tls --ignore-not-found -n " .. namespace)
        make_tls()
        kubectl(("create quota room -n %s --hard=pods=100"):format(namespace))
        grant '["*"]'
    end)
    teardown(function()
        kubectl "delete ingressclass nginx"
        kubectl "delete clusterlogs doctor --ignore-not-found"
        kubectl "delete clusterrole,clusterrolebinding doctor-e2e --ignore-not-found"
        kubectl("delete quota room --ignore-not-found -n " .. namespace)
    end)

    it("finds nothing when all is well, for an administrator, another user, and by the release's name", function()
        settles(nil, table.unpack(bklog))
        local code, report = doctor(table.unpack(bklog))
        assert.equal(0, code)
        assert.is_true(report.clean)
        local names = {}
        for i, section in ipairs(report.sections) do
            names[i] = section.name .. " " .. section.state
            assert.is_nil(section.note)
        end
        assert.same({ "Access clean", "Configuration clean", "Resources clean", "Network clean", "Logs clean" }, names)
        assert.equal(0, (doctor("bklog", "-n", namespace)))
        assert.equal(0, (doctor(bklog[1], bklog[2], bklog[3], bklog[4], bklog[5], "--context", "nobody")))
        local run = on_cluster("doctor", table.unpack(bklog))
        assert.equal(0, run.code)
        assert.matches("^Access         ok: Kubernetes v1%.%d+, %d+ permissions, the clock\nConfiguration  ok: ", run.out)
        assert.is_nil(run.out:find "\27")
    end)

    it("writes its findings as a page with --report", function()
        local file = support.folder() .. "/doctor.html"
        local run = on_cluster("doctor", bklog[1], bklog[2], bklog[3], bklog[4], bklog[5], "--report", file)
        assert.equal(0, run.code, run.err)
        local page = support.read(file)
        assert.matches("^<!DOCTYPE html>", page)
        for _, words in ipairs { "Access", "Configuration", "Resources", "Network", "Logs", "all clean", namespace } do
            assert.is_truthy(page:find(words, 1, true), words)
        end
        run = on_cluster("doctor", bklog[1], bklog[2], bklog[3], "--report", "/nowhere/doctor.html")
        assert.equal(2, run.code)
        assert.matches("/nowhere", run.err)
    end)

    local redis
    local sabotages = {
        {
            "a quota that was scaled down",
            function() kubectl(("patch quota room -n %s --type merge -p '{\"spec\":{\"hard\":{\"pods\":\"5\"}}}'"):format(namespace)) end,
            function() kubectl(("patch quota room -n %s --type merge -p '{\"spec\":{\"hard\":{\"pods\":\"100\"}}}'"):format(namespace)) end,
            "^Resources ResourceQuota/room$", "allows pods 5, and %d+ are in use", "kubectl patch quota room",
        },
        {
            "a broken selector",
            function()
                kubectl(("patch service api -n %s --type merge -p '{\"spec\":{\"selector\":{\"app.kubernetes.io/component\":\"nix\"}}}'")
                    :format(namespace))
            end,
            function() apply "--force-conflicts" end,
            "^Network Service/api$", "no ready endpoint: its selector .*nix.* matches no pod", "bkdeploy apply",
        },
        {
            "tainted nodes",
            function() kubectl "taint nodes --all dedicated=db:NoSchedule" end,
            function() kubectl "taint nodes --all dedicated-" end,
            "^Resources nil/nil$", "each of the 3 nodes has the taint dedicated=db:NoSchedule", "kubectl taint nodes %-%-all dedicated%-",
        },
        {
            "an image that was changed by hand",
            function() kubectl(("set image deployment/api api=nginx:hand -n %s"):format(namespace)) end,
            function() apply "--force-conflicts" end,
            "^Configuration Deployment/api$",
            "image is nginx:hand, the profile says hub.bktencent.com/%S+ %(by 'kubectl%-set' ", "%-%-force%-conflicts",
        },
        {
            "a NetworkPolicy that cuts",
            function()
                put([[
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: cut, namespace: bklog-dev }
spec: { podSelector: { matchLabels: { app.kubernetes.io/name: mysql } }, policyTypes: [Ingress] }
]])
            end,
            function() kubectl("delete networkpolicy cut -n " .. namespace) end,
            "^Network NetworkPolicy/cut$", "cuts what components need: .*web to mysql:3306", "spec.ingress",
        },
        {
            "a TLS secret that was removed",
            function() kubectl("delete secret bklog-tls -n " .. namespace) end,
            make_tls,
            "^Network Ingress/web$", "the TLS secret 'bklog%-tls' of bklog.dev.example.com is not there",
            "kubectl create secret tls bklog%-tls",
        },
        {
            "a pod that crashes",
            function()
                local pod = pod_of "api"
                kubectl(([[patch pod %s -n %s --subresource=status --type merge -p '{"status":{"conditions":[
                    {"type":"PodScheduled","status":"True"},{"type":"Initialized","status":"True"},
                    {"type":"Ready","status":"False"},{"type":"ContainersReady","status":"False"}],
                    "containerStatuses":[{"name":"api","image":"x","imageID":"","ready":false,"restartCount":5,
                    "state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}},
                    "lastState":{"terminated":{"exitCode":3,"reason":"Error"}}}]}}']]):format(pod, namespace))
            end,
            function() kubectl(("delete pod %s -n %s"):format(pod_of "api", namespace)) end,
            "^Resources Pod/api%-", "exits with code 3; restarted 5 times", ".",
        },
        {
            "a secret's key that was deleted",
            function()
                redis = kubectl(("get secret bklog-secrets -n %s -o 'jsonpath={.data.REDIS_PASSWORD}'"):format(namespace))
                kubectl(("patch secret bklog-secrets -n %s --type json -p '[{\"op\":\"remove\",\"path\":\"/data/REDIS_PASSWORD\"}]'")
                    :format(namespace))
            end,
            function()
                kubectl(("patch secret bklog-secrets -n %s --type merge -p '{\"data\":{\"REDIS_PASSWORD\":\"%s\"}}'")
                    :format(namespace, redis))
                -- Only what has started since has surely read what is there now.
                kubectl(("delete pods --all -n %s --force 2>/dev/null"):format(namespace))
                assert.equal(0, on_cluster("wait", table.unpack(bklog)).code)
            end,
            "^Configuration Secret/bklog%-secrets$", "key 'REDIS_PASSWORD' is not there", "bkdeploy apply",
        },
    }
    for _, row in ipairs(sabotages) do
        it("names " .. row[1] .. ", and nothing else", function()
            row[2]()
            local finding = settles(row[4], table.unpack(bklog))
            row[3]()
            assert.matches(row[5], finding.message)
            assert.matches(row[6], finding.remedy)
            settles(nil, table.unpack(bklog))
        end)
    end

    it("names a right that was revoked, and nothing else", function()
        grant([=[[services, secrets, configmaps, namespaces, ingresses, jobs, statefulsets, serviceaccounts, roles,
            rolebindings, persistentvolumeclaims, poddisruptionbudgets]]=])
        local words = { table.unpack(bklog) }
        words[#words + 1], words[#words + 2] = "--context", "nobody"
        local finding = settles("^Access deployments/", table.unpack(words))
        grant '["*"]'
        assert.equal("you may not delete deployments.apps in namespace bklog-dev, which apply needs", finding.message)
        assert.matches("kubectl create role %S+ %-n bklog%-dev %-%-verb=delete %-%-resource=deployments.apps", finding.remedy)
        settles(nil, table.unpack(words))
    end)

    it("names a storage class that is not there, and nothing else", function()
        local folder = support.folder {}
        support.shell(([[cp -r profiles/bklog/. %s && sed -i 's,path = "/data" },path = "/data"\, class = "gone" },' \
            %s/parts/backends.lua]]):format(folder, folder))
        local finding = settles("^Resources StorageClass/gone$", folder, "-e", "dev", "--set", "tls=bklog-tls")
        assert.matches("no StorageClass 'gone'", finding.message)
        assert.same({ "data of redis (10Gi)" }, finding.evidence.claims)
        assert.matches("kubectl get storageclass", finding.remedy)
    end)

    it("groups error lines, without the values of Secrets and what a terminal would obey", function()
        local password = kubectl(("get secret bklog-secrets -n %s -o 'go-template={{.data.DB_PASSWORD | base64decode}}'")
            :format(namespace))
        say(stamp(30) .. " stdout F ERROR cannot reach 10.0.0.1:3306 after 17 ms\n"
            .. stamp(20) .. " stdout F ERROR cannot reach 10.0.0.2:3306 after 230 ms\n"
            .. stamp(10) .. " stderr F INFO retried after an error\n"
            .. stamp(9) .. " stderr F FATAL \27[31m\255 password " .. password .. " was refused\n"
            .. stamp(8) .. " stdout F " .. ("x"):rep(1000000) .. " ERROR\n")
        local code, report = doctor(table.unpack(bklog))
        assert.equal(1, code)
        local logs = report.sections[5]
        local seen, containers = {}, logs.findings[2].evidence.count
        for i, finding in ipairs(logs.findings) do
            seen[i] = { finding.evidence.count / containers, finding.evidence.line }
        end
        assert.is_true(containers >= 10)
        assert.same({ { 2, "ERROR cannot reach 10.0.0.1:3306 after 17 ms" },
            { 1, "FATAL \27[31m? password *** was refused" } }, seen)
        assert.matches("in %d+ pods of %S+, %S+, %S+ and %d+ more, the last %d+ s ago: ERROR", logs.findings[1].message)
        local run = on_cluster("doctor", table.unpack(bklog))
        assert.is_nil(run.out:find("[\27\255]"))
        assert.is_nil(run.out:find(password, 1, true))
        assert.matches("FATAL \\x1B%[31m%? password %*%*%* was refused", run.out)
        say(stamp(60) .. " stdout F INFO started\n")
    end)
end)

describe("doctor", function()
    it("tells before the first apply what won't fit, and by how much", function()
        local profile = support.profile("fits", [[return {
            bk.deployment "small" { image = "i:1", resources = { cpu = "1..1", memory = "1Gi..1Gi" } },
            bk.deployment "big" { image = "i:1", replicas = 4, resources = { cpu = "40..40", memory = "1Gi..1Gi" } } }]])
        local code, _, found = doctor(profile)
        assert.equal(1, code)
        assert.equal(1, #found, listed(found))
        assert.equal("Resources Deployment/big", found[1][1])
        assert.matches("^1 of 4 pods of big won't fit: each asks for cpu 40, memory 1Gi; node%-%d has cpu %d+%.?%d*, memory "
            .. "%S+ free, cpu %d+%.?%d* too little", found[1][2].message)
        assert.equal("big", found[1][2].component)
    end)

    it("notes what may not be read, and is no error for it", function()
        local code, report = doctor(support.profile("blind", [[return { bk.deployment "web" { image = "i:1" } }]]),
            "--context", "nobody")
        assert.equal(1, code) -- what apply needs is lacking
        assert.matches("may not", report.sections[1].findings[1].message)
        for i = 2, 4 do
            assert.equal(0, #report.sections[i].findings)
            assert.matches("can't be read: ", report.sections[i].note)
        end
    end)

    it("still checks where there is no cluster", function()
        local config = support.folder { config = "current-context: c\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
            .. "contexts: [{name: c, context: {cluster: c}}]\n" } .. "/config"
        local run = support.run("doctor", support.profile("off", [[return { bk.raw "page" { { apiVersion = "v1",
            kind = "ConfigMap", metadata = { name = "page" }, dat = { a = "b" } } } }]]), "--kubeconfig", config, "-o", "json")
        assert.equal(8, run.code, run.err)
        local sections = cjson.decode(run.out).sections
        assert.matches("cannot reach the API server", sections[1].findings[1].message)
        assert.matches("^dat: .*did you mean 'data'", sections[2].findings[1].message)
        assert.matches("profile.lua:%d+$", sections[2].findings[1].origin)
        assert.equal("left out", sections[3].state)
        run = support.run("doctor", "profiles/hello", "--kubeconfig", config)
        assert.equal(8, run.code)
        assert.matches("\nConfiguration  ok: the profile alone\n", run.out)
        assert.matches("\nResources      left out\n", run.out)
    end)

    -- kwok runs nothing: what the pod would have said comes from a file.
    it("probes backends outside by a Job that is gone afterwards, and only when asked to", function()
        local profile = support.profile("outside", [[return {
            bk.external "mysql" { addresses = { "10.0.0.5" }, ports = { mysql = 3306 } }, bk.external "mail" { host = "smtp.example.com" },
            bk.deployment "web" { image = "i:1", env = { MAIL_HOST = "mail", MAIL_PORT = 25, ES_HOST = "es.example.com",
                ES_PORT = "9200", API_HOST = "web", API_PORT = 80 }, ports = { http = 80 } } }]])
        assert.equal(0, on_cluster("apply", profile).code)
        assert.equal(0, on_cluster("diff", profile).code) -- the slice that web's Service has got is no leaver
        local folder = io.popen("pwd"):read("l") .. "/" .. support.folder { ["log"] =
            stamp(5) .. " stdout F PROBE mysql.outside 3306 open\n"
            .. stamp(5) .. " stdout F PROBE mail 25 closed\n" .. stamp(4) .. " stdout F PROBE es.example.com 9200 open\n" }
        put(([[{apiVersion: kwok.x-k8s.io/v1alpha1, kind: ClusterLogs, metadata: {name: outside}, spec: {
            selector: {matchNamespaces: [outside]}, logs: [{logsFile: %s/log}]}}]]):format(folder))
        os.execute "sleep 0.5"
        settles(nil, profile)
        local finding = settles("^Network nil/nil$", profile, "--probe")
        assert.equal("mail:25, which web needs, can't be reached from a pod of namespace outside", finding.message)
        assert.matches("nc %-z %-v mail 25", finding.remedy)
        assert.equal("", kubectl "get jobs -n outside -o name")
        kubectl "delete clusterlogs outside"
        local code, report = doctor(profile, "--probe")
        assert.equal(0, code)
        assert.matches("the probe pod tells nothing: no logs found", report.sections[4].note)
        kubectl "delete namespace outside"
    end)

    it("is what apply looks at before its first write: rights and quotas", function()
        kubectl "create namespace tight"
        kubectl "create quota few -n tight --hard=count/deployments.apps=1"
        local profile = support.profile("tight", [[return { bk.deployment "a" { image = "i:1" }, bk.deployment "b" { image = "i:1" } }]])
        os.execute "sleep 1"
        local run = on_cluster("apply", profile)
        assert.equal(3, run.code, run.err)
        assert.matches("quota 'few' of namespace tight has 1 count/deployments.apps left, and the apply makes 2 more "
            .. "%(nothing was applied%)", run.err)
        assert.equal("", kubectl "get deployments,leases -n tight -o name")
        kubectl "delete quota few -n tight"
        kubectl("create role writer -n tight --verb=get,list,watch,create,patch,update "
            .. "--resource=deployments.apps,configmaps,leases.coordination.k8s.io")
        kubectl "create rolebinding writer -n tight --role=writer --user=nobody"
        run = on_cluster("apply", profile, "--context", "nobody")
        assert.equal(8, run.code, run.err)
        assert.matches("nothing was applied", run.err)
        assert.equal("", kubectl "get deployments -n tight -o name")
        kubectl "delete namespace tight"
    end)
end)
