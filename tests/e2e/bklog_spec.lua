local support = require "support"
local kubectl, on_cluster = support.kubectl, support.on_cluster

local kinds = "namespace,configmap,secret,service,deployment,statefulset,job,ingress,pvc"

local function versions(namespace)
    return kubectl(("get %s -n %s -l app.kubernetes.io/part-of=bklog -o 'jsonpath={range .items[*]}"
        .. "{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}'"):format(kinds, namespace))
end

local function applied(environment, profile, ...)
    local run = on_cluster("apply", profile or "profiles/bklog", "-e", environment, "--yes", ...)
    assert.equal(0, run.code, run.err)
    return run
end

--- The words that a jsonpath gives, each once.
local function set_of(line)
    local seen, list = {}, {}
    for word in kubectl(line):gmatch "%S+" do
        if not seen[word] then
            seen[word] = true
            list[#list + 1] = word
        end
    end
    table.sort(list)
    return list
end

describe("BK LOG", function()
    for environment, replicas in pairs { dev = 1, stag = 1, prod = 3 } do
        local namespace = "bklog-" .. environment

        it("comes up whole in " .. environment, function()
            local run = applied(environment)
            assert.matches("components ready in .*; objects: %d+ created, 0 changed, 0 unchanged; revision 1\n$", run.err)
            assert.equal(0, on_cluster("status", "profiles/bklog", "-e", environment).code)
        end)

        it("is what kubectl sees in " .. environment, function()
            assert.same({ "Running", "Succeeded" },
                set_of(("get pods -n %s -o 'jsonpath={.items[*].status.phase}'"):format(namespace)))
            assert.same({ "Bound" }, set_of(("get pvc -n %s -o 'jsonpath={.items[*].status.phase}'"):format(namespace)))
            assert.equal(tostring(replicas), kubectl(
                ("get deployment web -n %s -o 'jsonpath={.status.readyReplicas}'"):format(namespace)))
            assert.equal("1", kubectl(("get deployment web-beat -n %s -o 'jsonpath={.status.readyReplicas}'")
                :format(namespace)))
        end)

        it("has migrated before its processes start in " .. environment, function()
            local done = kubectl(("get job migrate -n %s -o 'jsonpath={.status.completionTime}'"):format(namespace))
            assert.matches("^%d+%-", done)
            for _, created in ipairs(set_of(("get deployments web api web-worker web-beat -n %s -o "
                .. "'jsonpath={.items[*].metadata.creationTimestamp}'")
                :format(namespace))) do
                assert.is_true(done <= created)
            end
        end)

        it("is left as it is by a second apply in " .. environment, function()
            local before = versions(namespace)
            assert.matches("0 created, 0 changed, %d+ unchanged", applied(environment).err)
            assert.equal(before, versions(namespace))
        end)
    end

    it("is accepted by the API server without a warning, as kubectl sends it", function()
        local run = support.shell(("%s render profiles/bklog -e prod --set collector=true | build/cluster/bin/kubectl "
            .. "--kubeconfig %s apply --server-side --force-conflicts --dry-run=server --validate=strict -f - >/dev/null")
            :format(os.getenv("BKDEPLOY") or "build/bkdeploy", support.kubeconfig))
        assert.equal(0, run.code, run.err)
        assert.equal("", run.err)
    end)

    it("rolls a new image out, its migration first", function()
        local folder = support.folder({})
        support.shell(("cp -r profiles/bklog/. %s && sed -i 's/4.5.1-alpha.401/4.5.2/' %s/profile.lua"):format(folder, folder))
        local uid = kubectl "get job migrate -n bklog-prod -o 'jsonpath={.metadata.uid}'"
        -- 7 Deployments, the Job, which is made anew, and the version on the namespace.
        assert.matches("0 created, 9 changed, %d+ unchanged", applied("prod", folder).err)
        assert.is_true(uid ~= kubectl "get job migrate -n bklog-prod -o 'jsonpath={.metadata.uid}'")
        assert.equal("3 3 3", kubectl("get deployment web -n bklog-prod -o 'jsonpath={.status.replicas} "
            .. "{.status.updatedReplicas} {.status.availableReplicas}'"))
        assert.same({ "hub.bktencent.com/blueking/bk-log-search:4.5.2" }, set_of("get deployments web api web-beat pworker "
            .. "-n bklog-prod -o 'jsonpath={.items[*].spec.template.spec.containers[0].image}'"))
    end)

    local optional = {}
    for name in ("sworker tgpa sync_apigw builtin_collect kafka consul collector self_log"):gmatch "%S+" do
        optional[#optional + 1], optional[#optional + 2] = "--set", name .. "=true"
    end

    for _, environment in ipairs { "dev", "stag", "prod" } do
        it("comes up with everything that can be left out in " .. environment, function()
            local namespace = "bklog-" .. environment
            applied(environment, nil, table.unpack(optional))
            assert.same({ "Bound" }, set_of(("get pvc -n %s -o 'jsonpath={.items[*].status.phase}'"):format(namespace)))
            assert.equal("3", kubectl(("get daemonset bk-log-collector -n %s -o 'jsonpath={.status.numberReady}'")
                :format(namespace)))
            assert.equal("1110026", kubectl(("get bklogconfig bk-log-search-self -n %s -o 'jsonpath={.spec.dataId}'")
                :format(namespace)))
            assert.matches("0 created, 0 changed, %d+ unchanged", applied(environment, nil, table.unpack(optional)).err)
        end)
    end

    it("is refused a field that the collector's CRD does not have, before anything is applied", function()
        local folder = support.folder({})
        support.shell(("cp -r profiles/bklog/. %s && sed -i 's/addPodLabel = true/addPodLable = true/' "
            .. "%s/parts/collector.lua"):format(folder, folder))
        local run = on_cluster("apply", folder, "-e", "dev", table.unpack(optional))
        assert.equal(2, run.code)
        assert.matches("BkLogConfig/bk%-log%-search%-self spec.addPodLable: .*did you mean 'addPodLabel'.*nothing was sent",
            run.err)
    end)
end)
