local support = require "support"
local kubectl, on_cluster, profile = support.kubectl, support.on_cluster, support.profile

-- No node has this label: the pods stay Pending.
local nowhere = "node_selector = { no = 'where' }"

describe("an apply that doesn't get through", function()
    it("ends at its timeout and says what it waited for", function()
        local run = on_cluster("apply", profile("slow", ([[return {
            bk.deployment 'web' { image = 'i:1', replicas = 2, %s }, bk.deployment 'api' { image = 'i:1' } }]])
            :format(nowhere)), "--timeout", "2s")
        assert.equal(5, run.code)
        assert.matches("not ready within 2s %(%-%-timeout%); web: Deployment web: 0 of 2 available "
            .. "%(3 of 3 objects applied; applied: namespace, web, api%)\n$", run.err)
    end)

    it("ends when a Job fails, and does not begin with what needs it", function()
        local run = on_cluster("apply", profile("broken", ([[
            local job = bk.job 'migrate' { image = 'i:1', deadline = '1s', %s }
            return { job, bk.deployment 'web' { image = 'i:1', needs = { job } } }]]):format(nowhere)))
        assert.equal(4, run.code)
        assert.matches("component 'migrate' %(.*:3%): Job broken/migrate: DeadlineExceeded: .*1 blocked: web%)\n$", run.err)
        assert.equal("", kubectl "get deployments -n broken -o name")
    end)

    it("ends when a Deployment makes no progress within its deadline", function()
        local run = on_cluster("apply", profile("stuck", ([[return {
            bk.deployment 'web' { image = 'i:1', progress_deadline = '1s', %s } }]]):format(nowhere)))
        assert.equal(4, run.code)
        assert.matches("Deployment stuck/web: ProgressDeadlineExceeded: ", run.err)
    end)

    for _, signal in ipairs { "INT", "TERM" } do
        it(("ends at SIG%s, says what was applied, and goes on when run again"):format(signal), function()
            local name = "sig" .. signal:lower()
            local body = [[
                local first = bk.deployment 'first' { image = 'i:1', %s }
                return { first, bk.deployment 'second' { image = 'i:1', needs = { first } } }]]
            local run = support.during("rolling +first", ("kill -%s $PID"):format(signal), "apply", profile(name, body:format(nowhere)))
            assert.equal(130, run.code)
            assert.matches("bkdeploy: interrupted %(2 of 3 objects applied; applied: namespace, first; "
                .. "not applied: second%)\n$", run.err)
            assert.equal("deployment.apps/first\n", kubectl("get deployments -n " .. name .. " -o name"))
            local again = on_cluster("apply", profile(name, body:format ""))
            assert.equal(0, again.code, again.err)
            assert.equal("1 1", kubectl("get deployments -n " .. name .. " -o 'jsonpath={.items[*].status.readyReplicas}'"))
        end)
    end

    it("is not begun without a yes, and a Ctrl-C at the question is an interrupt", function()
        local folder = profile("asked", "return { bk.config 'c' { a = '1' } }")
        local run = support.answering("no\\n", nil, "apply", folder)
        assert.equal(1, run.code)
        assert.matches("bkdeploy: nothing was applied\r\n$", run.out)
        run = support.answering("\\x03", nil, "apply", folder)
        assert.equal(130, run.code)
        assert.matches("bkdeploy: interrupted %(nothing was applied%)\r\n$", run.out)
        assert.equal(0, support.answering("y\\n", nil, "apply", folder).code)
    end)

    it("sends nothing when the API server would reject one object", function()
        local run = on_cluster("apply", profile("rejected", [[return {
            bk.deployment 'good' { image = 'i:1' },
            bk.raw 'bad' { { apiVersion = 'policy/v1', kind = 'PodDisruptionBudget', metadata = { name = 'bad' },
                spec = { minAvailable = 1, maxUnavailable = 1 } } } }]]))
        assert.equal(3, run.code)
        assert.matches("^[^\n]*\nbkdeploy: component 'bad' %(.*profile.lua:5%): PodDisruptionBudget rejected/bad: .*"
            .. "minAvailable and maxUnavailable cannot be both set.*%(nothing was applied%)\n$", run.err)
        assert.matches("NotFound", support.shell("build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig
            .. " get namespace rejected").err)
    end)

    it("sends nothing when a field is unknown", function()
        local run = on_cluster("apply", profile("unknown", [[return {
            bk.raw 'bad' { { apiVersion = 'v1', kind = 'ConfigMap', metadata = { name = 'bad' }, dta = { a = 'b' } } } }]]))
        assert.equal(2, run.code)
        assert.matches("profile.lua:4: error: ConfigMap/bad dta: .*did you mean.*nothing was sent\n$", run.err)
    end)

    it("names a kind that the cluster does not have", function()
        local run = on_cluster("apply", profile("kinds", [[return {
            bk.raw 'r' { { apiVersion = 'example.org/v1', kind = 'Thing', metadata = { name = 'a' } } } }]]))
        assert.equal(3, run.code)
        assert.matches("component 'r' %(.*:4%): the cluster has no kind Thing of example.org/v1", run.err)
    end)

    it("shows no value of a Secret that is refused", function()
        local run = on_cluster("apply", profile("hidden", [[return {
            bk.raw 's' { { apiVersion = 'v1', kind = 'Secret', metadata = { name = 's' },
                data = { password = 'not-base64-but-secret' } } } }]]))
        assert.equal(2, run.code)
        assert.is_nil(run.err:find("not-base64", 1, true))
    end)

    it("does not touch the cluster when the profile is in error", function()
        local folder = profile("mistake", "return { bk.deployment 'web' {} }")
        for _, command in ipairs { "apply", "status" } do
            -- Nothing listens there: it is not even asked.
            local run = support.shell(("KUBECONFIG=/nowhere %s %s %s"):format(
                os.getenv("BKDEPLOY") or "build/bkdeploy", command, folder))
            assert.equal(2, run.code)
            assert.matches("profile.lua:3: component 'web': no image", run.err)
        end
    end)
end)
