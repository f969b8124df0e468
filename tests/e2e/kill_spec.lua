-- An apply that is killed at any moment is mended by the next one. BK_KILLS says how often (default 50).
local cjson = require "cjson"
local support = require "support"
local kubectl = support.kubectl

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"
local rounds = tonumber(os.getenv("BK_KILLS") or "50")

-- Two BK LOGs that differ in an image, a config, and what they have.
local variants = {}
for i, more in ipairs { "", [[remove = { "grafana" }, images = { ["hub.bktencent.com/"] = "mirror.example.net/" },
    override = { web = { env = { BKAPP_ESQUERY_WHITE_LIST = "other" } } },
    add = { bk.config "extra" { ["a.conf"] = "x = 1\n" } },]] } do
    variants[i] = { text = ([[local bk = require "bk"
        return bk.extend "bklog" { default = "dev", environments = { dev = { namespace = "bklog-kill" } }, %s }]])
        :format(more) }
end

local function write_variants()
    os.execute("mkdir -p build/tmp")
    for i, variant in ipairs(variants) do
        local folder = ("build/tmp/sites/kill-%d"):format(i)
        os.execute("mkdir -p " .. folder .. " && ln -sfn ../../../profiles/bklog build/tmp/sites/bklog")
        local file <close> = assert(io.open(folder .. "/profile.lua", "w"))
        file:write(variant.text)
        variant.folder = folder
    end
end

local function apply(folder, before)
    return support.shell(("%s %s apply %s --yes --kubeconfig %s"):format(before or "", program, folder,
        support.kubeconfig))
end

--- What is there of the release: "Kind/name", each a line, ascending.
local function members()
    return kubectl("get configmap,secret,service,deployment,statefulset,job,ingress,serviceaccount -n bklog-kill "
        .. "-l applyset.kubernetes.io/part-of -o name | sort")
end

local function claims()
    return kubectl "get pvc -n bklog-kill -o 'jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{\"\\n\"}{end}'"
end

describe("a killed apply", function()
    it("is mended by the next one, whenever it was", function()
        write_variants()
        for i = 2, 1, -1 do
            local run = apply(variants[i].folder)
            assert.equal(0, run.code, run.err)
            variants[i].members = members()
        end
        assert.is_true(variants[1].members ~= variants[2].members)
        local before, killed, resumed = claims(), 0, 0
        local _, _, seconds = apply(variants[2].folder).err:find("ready in ([%d.]+)s")
        math.randomseed(20260124)
        for round = 1, rounds do
            local variant = variants[round % 2 + 1]
            local moment = math.random() * (tonumber(seconds) + 0.2) + 0.02
            local run = apply(variant.folder, ("timeout -s KILL %.3f"):format(moment))
            os.execute("sleep 0.1") -- the signal takes the shell's child first
            killed = killed + (run.code == 137 and 1 or 0)
            run = apply(variant.folder)
            resumed = resumed + (run.err:find("resuming at %d+ of %d+: revision %d+ by ") and 1 or 0)
            local what = ("round %d, killed after %.3fs: %s"):format(round, moment, run.err)
            assert.equal(0, run.code, what)
            assert.equal(variant.members, members(), what)
            assert.equal(before, claims(), what)
            local diff = support.shell(("%s diff %s --summary --kubeconfig %s"):format(program, variant.folder,
                support.kubeconfig))
            assert.equal(0, diff.code, what .. diff.out .. diff.err)
        end
        assert.is_true(killed > rounds / 4, ("only %d of %d were killed in time"):format(killed, rounds))
        assert.is_true(resumed > 0, "none was gone on with")
        local history = cjson.decode(support.on_cluster("history", "bklog", "-n", "bklog-kill", "-o", "json").out)
        assert.is_true(#history.revisions <= 10)
    end)
end)
