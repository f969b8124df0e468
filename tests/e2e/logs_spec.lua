-- bkdeploy logs, on the control plane; kwok reads what containers say from files.
local cjson = require "cjson"
local support = require "support"

local deployment = [[bk.deployment "%s" { image = "nginx:1.27", replicas = %d, ports = { http = 80 },
    readiness = bk.http "/", resources = { cpu = "50m..200m", memory = "32Mi..64Mi" } }]]

local function profile(replicas)
    return support.profile("chatty", ([[return { bk.config "page" { a = "b" }, %s, %s }]]):format(
        deployment:format("web", replicas or 2), deployment:format("api", 1)))
end

--- The file that the containers of the namespace read from now on.
local function say(name, lines, container)
    local folder = io.popen("pwd"):read("l") .. "/" .. support.folder { ["log"] = lines }
    local file = support.folder { ["logs.yaml"] = ([[
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: { name: %s }
spec:
  selector: { matchNamespaces: [chatty] }
  logs: [ { logsFile: %s/log, follow: true, %s } ]
]]):format(name, folder, container and ("containers: [%s]"):format(container) or "") } .. "/logs.yaml"
    support.kubectl("apply -f " .. file)
    os.execute("sleep 0.5")
    return folder .. "/log"
end

local function line(second, text)
    return ("2026-11-24T02:00:%02d.000000001Z stdout F %s\n"):format(second, text)
end

local function logs(...)
    return support.on_cluster("logs", ...)
end

--- Runs `logs -f` until it is interrupted after some shell commands.
local function follow(action, ...)
    local words = { os.getenv("BKDEPLOY") or "build/bkdeploy", "logs", "-f", ... }
    return support.shell(("timeout -s INT --preserve-status 30 %s --kubeconfig %s & pid=$!; sleep 1.5; %s; sleep 2; "
        .. "kill -INT $pid; wait $pid"):format(table.concat(words, " "), support.kubeconfig, action))
end

describe("bkdeploy logs", function()
    local file
    setup(function()
        local run = support.on_cluster("apply", profile())
        assert.equal(0, run.code, run.err)
        local lines = {}
        for i = 1, 20 do
            lines[i] = line(i, "line " .. i)
        end
        file = say("chatty", table.concat(lines))
    end)
    teardown(function()
        support.kubectl("delete clusterlogs chatty --ignore-not-found")
    end)

    it("prints the last lines of all pods in the order of time", function()
        local run = logs("chatty", "web")
        assert.equal(0, run.code, run.err)
        local seen = {}
        for pod, text in run.out:gmatch("web/(web%-%w+%-%w+) web │ ([^\n]+)\n") do
            seen[#seen + 1] = text
            seen[pod] = true
        end
        assert.equal(20, #seen)
        assert.same({ "line 11", "line 11", "line 12" }, { seen[1], seen[2], seen[3] })
        assert.equal("line 20", seen[20])
        local _, all = logs(profile(), "--tail", "all").out:gsub("\n", "")
        assert.equal(60, all)
        assert.equal("", logs("chatty", "--since", "1s").out)
        assert.equal("", logs("chatty", "-c", "nix").out)
    end)

    it("prints objects", function()
        local run = logs("chatty", "api", "--tail", "1", "-o", "json")
        local object, last = table.unpack(support.feed(run.out))
        assert.matches("^api%-", object.pod)
        object.pod = nil
        assert.same({ "result", 0 }, { last.type, last.exit })
        assert.same({ schema = "bkdeploy/v1", type = "log", component = "api", container = "api", time = "2026-11-24T02:00:20.000000001Z",
            line = "line 20" }, object)
    end)

    it("shows what a terminal would obey, and cuts long lines", function()
        local path = say("chatty", line(1, "\27[31mred\27]0;t\7 \255\254 \226\128\174 end\r") .. line(2, ("x"):rep(200000))
            .. line(3, ("y"):rep(10000)) .. "2026-11-24T02:00:04Z stdout F no end")
        local run = logs("chatty", "api")
        assert.equal(0, run.code, run.err)
        assert.matches([[│ \x1B%[31mred\x1B%]0;t\x07 \xFF\xFE \u202E end
]], run.out)
        assert.matches("│ " .. ("x"):rep(100) .. "x+… %(190000 more bytes%)\n", run.out)
        assert.matches(" y+\n", run.out)
        assert.is_nil(run.out:find("[\27\7\r\255]"))
        local first, second = logs("chatty", "api", "-o", "json").out:match("^([^\n]+)\n([^\n]+)\n")
        assert.equal("\27[31mred\27]0;t\7 \u{FFFD}\u{FFFD} \u{202E} end", cjson.decode(first).line)
        assert.equal(190000, cjson.decode(second).cut)
        assert.equal(10000, #cjson.decode(second).line)
        os.remove(path)
        local gone = logs("chatty", "api")
        assert.equal(0, gone.code, gone.err)
        assert.matches("^api/api%-%S+ api: no logs: ", gone.err)
    end)

    it("follows what comes, also of new pods", function()
        file = say("chatty", line(1, "one") .. line(2, "two"))
        local run = follow(("printf '%%s' '%s' >> %s; sleep 0.5; %s scale deployment web -n chatty --replicas 3 >/dev/null"):format(
            line(3, "three"), file, "build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig),
            "chatty", "web", "--tail", "1")
        assert.equal(130, run.code, run.err)
        local counts = {}
        for pod, text in run.out:gmatch("web/(web%-%w+%-%w+) web │ ([^\n]+)\n") do
            counts[text] = (counts[text] or 0) + 1
            counts[pod] = (counts[pod] or 0) + 1
        end
        assert.equal(1, counts.one, run.out) -- of the new pod
        assert.equal(3, counts.two)
        assert.equal(3, counts.three)
    end)

    it("takes what may not be read for no error", function()
        local can = "build/cluster/bin/kubectl --kubeconfig " .. support.kubeconfig
        support.shell(("%s create role lister -n chatty --verb=get,list,watch --resource=pods; %s create rolebinding lister "
            .. "-n chatty --role=lister --user=nobody"):format(can, can))
        local run = logs(profile(), "api", "--context", "nobody")
        assert.equal(0, run.code, run.err)
        assert.equal("", run.out)
        assert.matches("^api/api%-%S+ api: no logs: pods \"api%-%S+\" is forbidden: User \"nobody\" cannot get resource "
            .. "\"pods/log\"[^\n]*\n$", run.err)
        support.kubectl("delete rolebinding lister -n chatty")
        run = logs(profile(), "api", "--context", "nobody")
        assert.equal(0, run.code, run.err)
        assert.matches("^api: no logs: pods is forbidden: [^\n]*\n$", run.err)
        run = follow("true", profile(), "api", "--context", "nobody")
        assert.equal(0, run.code, run.err)
    end)

    it("tells what it can't print", function()
        for _, case in ipairs {
            { "'chatty' has no component 'nix'; it has: ", "chatty", "nix" },
            { "'chatty' has no pods of component 'page'", "chatty", "page" },
            { "%-%-tail wants a number of lines or all, not '%-1'", "chatty", "--tail", "-1" },
            { "%-%-since wants a duration", "chatty", "--since", "yesterday" },
            { "there is nothing to %-%-follow", "chatty", "-f", "--previous" },
        } do
            local run = logs(table.unpack(case, 2))
            assert.equal(2, run.code, run.err)
            assert.matches(case[1], run.err)
        end
    end)
end)
