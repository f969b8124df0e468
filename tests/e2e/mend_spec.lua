-- BK LOG after a change that broke it, and under two applies at once, BK_RACES times (default 4).
local cjson = require "cjson"
local support = require "support"
local kubectl = support.kubectl

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"
local rounds = tonumber(os.getenv("BK_RACES") or "4")
-- The image is not there: kwok's pods say so by the label (tests/cluster/fails.yaml).
local broken = [[override = { web = { image = "mirror.example.net/web:broken",
    labels = { ["test.bkdeploy/fails"] = "ErrImagePull" },
    annotations = { ["test.bkdeploy/message"] = "mirror.example.net/web:broken: not found" } } },]]
local other = [[remove = { "grafana" }, images = { ["hub.bktencent.com/"] = "mirror.example.net/" },
    override = { web = { env = { BKAPP_ESQUERY_WHITE_LIST = "other" } } },
    add = { bk.config "extra" { ["a.conf"] = "x = 1\n" } },]]

--- The folder of a BK LOG that is a profile of its own namespace, with more in its site profile.
local function site(name, namespace, more)
    local folder = "build/tmp/sites/" .. name
    os.execute("mkdir -p " .. folder .. " && ln -sfn ../../../profiles/bklog build/tmp/sites/bklog")
    local file <close> = assert(io.open(folder .. "/profile.lua", "w"))
    file:write(([[local bk = require "bk"
        return bk.extend "bklog" { default = "dev", environments = { dev = { namespace = "%s" } }, %s }]])
        :format(namespace, more))
    return folder
end

local function bkdeploy(words)
    return support.shell(("%s %s --kubeconfig %s"):format(program, words, support.kubeconfig))
end

local function image(namespace)
    return kubectl(("get deployment web -n %s -o 'jsonpath={.spec.template.spec.containers[0].image}'")
        :format(namespace))
end

local function check_diff(folder)
    local diff = bkdeploy("diff " .. folder)
    assert.equal(0, diff.code, diff.out .. diff.err)
end

describe("BK LOG", function()
    it("goes back from a broken image", function()
        local good, bad = site("mend-good", "bklog-mend", ""), site("mend-bad", "bklog-mend", broken)
        local run = bkdeploy(("apply %s --yes"):format(good))
        assert.equal(0, run.code, run.err)
        local sound = image "bklog-mend"

        run = bkdeploy(("apply %s --yes --grace 1s --rollback-on-failure"):format(bad))
        assert.equal(4, run.code, run.err)
        assert.matches("ROOT CAUSE.*mirror.example.net/web:broken", run.err)
        assert.matches("rolling back to revision 1", run.err)
        assert.equal(sound, image "bklog-mend")
        check_diff(good)

        run = bkdeploy(("apply %s --yes --grace 1s"):format(bad))
        assert.equal(4, run.code, run.err)
        assert.equal("mirror.example.net/web:broken", image "bklog-mend")
        run = bkdeploy "rollback bklog -n bklog-mend --yes"
        assert.equal(0, run.code, run.err)
        assert.equal(sound, image "bklog-mend")
        check_diff(good)
        local outcomes = {}
        for i, revision in ipairs(cjson.decode(bkdeploy("history bklog -n bklog-mend -o json").out).revisions) do
            outcomes[i] = revision.outcome
        end
        table.sort(outcomes)
        assert.equal("done done done failed failed", table.concat(outcomes, " "))
    end)
end)

--- What is there of the release, with what tells the variants apart.
local function state()
    return kubectl("get configmap,secret,service,deployment,statefulset,job,ingress,serviceaccount -n bklog-race "
        .. "-l applyset.kubernetes.io/part-of -o 'jsonpath={range .items[*]}{.kind}/{.metadata.name} "
        .. "{.spec.template.spec.containers[*].image} {.spec.template.spec.containers[*].env}{\"\\n\"}{end}' | sort")
end

describe("two applies at once", function()
    it("never mix", function()
        local folders = { site("race-1", "bklog-race", ""), site("race-2", "bklog-race", other) }
        local whole = {}
        for i = 2, 1, -1 do
            local run = bkdeploy(("apply %s --yes"):format(folders[i]))
            assert.equal(0, run.code, run.err)
            whole[i] = state()
        end
        assert.not_equal(whole[1], whole[2])
        local locked, current = 0, 1
        for round = 1, rounds do
            local waits = round % 2 == 0 and "--wait-for-lock 60s" or ""
            local command = ("%s apply %%s --yes %s --kubeconfig %s >%%s.log 2>&1; echo $? >%%s.code"):format(program, waits,
                support.kubeconfig)
            local both = {}
            for i, folder in ipairs(folders) do
                both[i] = ("{ %s; }"):format(command:format(folder, folder, folder))
            end
            -- The one that has something to do goes first, so that it is at work when the other one comes.
            os.execute(("%s & sleep %.2f; %s; wait"):format(both[3 - current], 0.15 + round % 3 * 0.1, both[current]))
            local codes, logs = {}, ""
            for i, folder in ipairs(folders) do
                codes[i] = tonumber(support.read(folder .. ".code"))
                logs = logs .. support.read(folder .. ".log")
            end
            local sorted = { math.min(codes[1], codes[2]), math.max(codes[1], codes[2]) }
            assert.equal(0, sorted[1], logs)
            assert.is_true(sorted[2] == 0 or waits == "" and sorted[2] == 6, logs)
            locked = locked + (sorted[2] == 6 and 1 or 0)
            local now = state()
            assert.is_true(now == whole[1] or now == whole[2], logs .. now)
            current = now == whole[1] and 1 or 2
            check_diff(folders[current])
        end
        assert.is_true(locked > 0)
    end)
end)
