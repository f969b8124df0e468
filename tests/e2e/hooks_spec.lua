-- Hooks on the control plane, and a server that they write to.
local chat = require "e2e.chat"
local cjson = require "cjson"
local support = require "support"

local tells = [[
local function tell(ctx)
    ctx.log("%s", table.concat({ ctx.hook, ctx.component and ctx.component.name or "-", ctx.revision or "-",
        ctx.plan and #ctx.plan.steps or "-" }, " "))
end
]]

--- A profile of one ConfigMap component "page" with data { n = n }, and hooks.
local function profile(name, hooks, n, more)
    return support.folder { ["ca.pem"] = more and more.ca or "", ["profile.lua"] = ([[
local bk = require "bk"
local url, plain, ca = %q, %q, bk.read "ca.pem"
%s
return bk.profile %q { components = { bk.config "page" { n = %q }, %s }, hooks = %s }
]]):format(more and more.url or "", more and more.plain or "", tells, name, n or "1", more and more.parts or "",
        hooks) }
end

--- What the hooks of a run have told, in order.
local function told(run)
    local lines = {}
    for line in run.err:gmatch "[^\n]+" do
        lines[#lines + 1] = line:match "^hook      (.*)$"
    end
    return lines
end

local function lock_of(name)
    return support.kubectl(("get lease -n %s --ignore-not-found -o name"):format(name))
end

local function outcome(name)
    local run = support.on_cluster("history", name, "-n", name, "-o", "json")
    local revisions = cjson.decode(run.out).revisions or cjson.decode(run.out)
    return revisions[#revisions].outcome
end

describe("hooks", function()
    it("run in their order, with what they are about", function()
        local all = [[{ before_plan = tell, before_apply = tell, before_component = tell, after_component = { page = tell },
            after_apply = function(ctx)
                tell(ctx)
                local r = ctx.results
                ctx.log("%d created, %s %s, %s of %s in %s", r.created, r.components[2].name, r.components[2].state,
                    ctx.command, ctx.release.name, ctx.release.namespace)
            end, on_failure = tell, before_delete = tell }]]
        local run = support.on_cluster("apply", profile("hooked", all, "1", { parts = [[bk.config "menu" { n = "1" }]] }))
        assert.equal(0, run.code, run.err)
        local lines = told(run)
        assert.equal("before_plan: before_plan - - -", lines[1])
        assert.equal("before_apply: before_apply - 1 2", lines[2])
        local order = table.concat(lines, "\n")
        assert.matches("before_component page: before_component page 1 2\n.*after_component page: after_component page 1 2",
            order)
        assert.matches("before_component menu: before_component menu 1 2", order)
        assert.not_matches("after_component menu", order)
        assert.equal("after_apply: after_apply - 1 2", lines[#lines - 1])
        assert.equal("after_apply: 3 created, page ready, apply of hooked in hooked", lines[#lines])

        run = support.on_cluster("apply", profile("hooked", all, "1", { parts = [[bk.config "menu" { n = "2" }]] }))
        assert.equal(0, run.code, run.err)
        order = table.concat(told(run), "\n")
        assert.not_matches("page:", order) -- nothing changes there
        assert.matches("before_component menu: before_component menu 2 1", order)

        run = support.on_cluster("apply", profile("hooked", all, "1", { parts = [[bk.config "menu" { n = "2" }]] }))
        assert.same({ "before_plan: before_plan - - -" }, told(run)) -- nothing is done

        run = support.on_cluster("apply", profile("hooked", all, "3"), "--no-hooks")
        assert.equal(0, run.code, run.err)
        assert.same({}, told(run))
        run = support.on_cluster("rollback", profile("hooked", all, "3"), "1")
        assert.equal(0, run.code, run.err)
        assert.matches("after_apply: %d created, page ready, rollback of hooked", run.err)
        run = support.on_cluster("rollback", "hooked", "1", "-n", "hooked")
        assert.equal(2, run.code)
        assert.matches("this revision has hooks %(before_plan, .*give the profile, or %-%-no%-hooks", run.err)
    end)

    it("of a site run around those of the profile that it extends", function()
        local site = support.folder {
            ["sited/profile.lua"] = [[
local bk = require "bk"
local function say(ctx) ctx.log("base") end
return bk.profile "sited" { components = { bk.config "page" { n = "1" } }, hooks = { before_apply = say,
    before_component = say, after_component = say, after_apply = say } }
]],
            ["here/profile.lua"] = [[
local bk = require "bk"
local function say(ctx) ctx.log("site") end
return bk.extend "sited" { hooks = { before_apply = say, before_component = { page = say }, after_component = say,
    after_apply = say } }
]] }
        local run = support.on_cluster("apply", site .. "/here")
        assert.equal(0, run.code, run.err)
        assert.same({ "before_apply: base", "before_apply: site", "before_component page: base",
            "before_component page: site", "after_component page: site", "after_component page: base", "after_apply: site",
            "after_apply: base" }, told(run))
    end)

    it("are named by a plan and by diff, which run none", function()
        local folder = profile("hooked-plan", "{ before_plan = tell, before_apply = tell, on_failure = tell }")
        local run = support.on_cluster("diff", folder)
        assert.equal(1, run.code, run.err)
        assert.same({}, told(run))
        assert.matches("\nhooks: before_plan, before_apply, on_failure\n", run.err)
        local file = support.folder() .. "/plan"
        run = support.on_cluster("plan", folder, "-o", file)
        assert.equal(1, run.code, run.err)
        assert.same({}, told(run))
        run = support.on_cluster("apply", file)
        assert.equal(2, run.code)
        assert.matches("this plan has hooks %(before_plan, before_apply, on_failure%), .* %-%-no%-hooks", run.err)
        assert.equal(0, support.on_cluster("apply", file, "--no-hooks").code)
    end)
end)

describe("a hook that", function()
    local name = "hook-bad"
    setup(function()
        local run = support.on_cluster("apply", profile(name, "{}", "0"))
        assert.equal(0, run.code, run.err)
    end)

    local bad = {
        { "raises", [[before_apply = function()
                error "no window"
            end]], 2, "hook before_apply: [%w/._-]+profile.lua:9: no window %(nothing was applied%)" },
        { "raises without a place", [[before_plan = function() error("no window", 0) end]], 2,
            "hook before_plan: [%w/._-]+profile.lua:8: no window %(nothing was applied%)" },
        { "raises a table", [[before_apply = function() error({}) end]], 2, "profile.lua:8: an error that is a table" },
        { "is wrong", [[before_apply = function(ctx) return ctx.release.nmae.x end]], 2,
            "profile.lua:8: attempt to index a nil value" },
        { "asks for what there is not", [[before_apply = function(ctx) ctx.kub.get {} end]], 2,
            "profile.lua:8: ctx has no 'kub'; did you mean 'kube'" },
        { "loops", [[before_component = function() while true do end end]], 4,
            "hook before_component: [%w/._-]+profile.lua:8: hook before_component does not end within 100 million" },
        { "loops in spite of pcall", [[before_apply = function() while true do pcall(function() while true do end end) end end]],
            2, "profile.lua:8: hook before_apply does not end within 100 million" },
        { "allocates", [[before_apply = function() local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end]], 2,
            "profile.lua:8: hook before_apply needs more than %d+ MiB of memory" },
        { "returns something", [[before_apply = function() return false end]], 2,
            "profile.lua:8: this hook returns a boolean; it should return nothing" },
        { "returns something at the end", [[after_apply = function() return 1 end]], 4,
            "hook after_apply: .*profile.lua:8: this hook returns a number; .*%(all is applied%)" },
        { "waits for too long", [[timeout = 1, before_apply = function(ctx) ctx.sleep "1m" end]], 2,
            "profile.lua:8: it is not done within 1s %(hooks.timeout%)" },
        { "waits for too long, again and again", [[timeout = 1, before_apply = function(ctx)
                while true do pcall(ctx.sleep, "1m") end end]], 2, "profile.lua:%d+: it is not done within 1s" },
        { "waits for too long, and makes nothing of it", [[timeout = 1, before_apply = function(ctx)
                pcall(ctx.sleep, "1m") end]], 2, "profile.lua:%d+: it is not done within 1s" },
        { "uses a context that is over", [[before_plan = function(ctx) _G.kept = ctx end,
            before_apply = function(ctx) _G.kept.log "x" end ]], 0, "hook      before_apply: x" },
    }
    for i, row in ipairs(bad) do
        it(row[1] .. " has its line and its exit code, and leaves the release in order", function()
            local started = os.time()
            local run = support.on_cluster("apply", profile(name, "{ " .. row[2] .. " }", "bad " .. i))
            assert.equal(row[3], run.code, run.err)
            assert.matches(row[4], run.err)
            assert.equal("", lock_of(name))
            assert.is_true(os.time() - started < 30)
        end)
    end

    it("has failed makes a failed revision, after which the profile is applied again", function()
        local run = support.on_cluster("apply", profile(name, [[{ before_apply = function() error "no" end }]], "a"))
        assert.equal(2, run.code)
        assert.equal("failed", outcome(name))
        run = support.on_cluster("apply", profile(name, [[{ before_component = function() error "no" end }]], "b"))
        assert.equal(4, run.code)
        assert.matches("component 'page' %(.*profile.lua:%d+%): hook before_component: .*profile.lua:8: no", run.err)
        assert.equal("failed", outcome(name))
        run = support.on_cluster("apply", profile(name, [[{ after_component = function() error "no" end }]], "c"))
        assert.equal(4, run.code)
        assert.equal("failed", outcome(name))
        run = support.on_cluster("apply", profile(name, "{ before_apply = tell, after_apply = tell }", "c"))
        assert.equal(0, run.code, run.err)
        assert.equal(2, #told(run)) -- what had been left undone is done now
        assert.equal("done", outcome(name))
    end)
end)

describe("a hook that waits", function()
    it("lets the rest go on, also ready functions of the same profile", function()
        local parts = [[bk.raw "judged" { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "judged" },
            data = { n = "1" } }, ready = function(obj)
                for _ = 1, 1000 do local _ = {} end
                _G.seen = (_G.seen or "") .. obj.data.n
                _G.leaked = not _G.ctx and "none" or select(2, pcall(_G.ctx.log, "from a ready function"))
                return obj.data.n == "3" and "Current" or "InProgress", "n is " .. obj.data.n
            end }, bk.config "late" { a = "1" }]]
        local run = support.on_cluster("apply", profile("hook-waits", [[{ before_component = { late = function(ctx)
            _G.ctx = ctx
            local function change(n)
                local kept = { n }
                ctx.kube.patch { apiVersion = "v1", kind = "ConfigMap", name = "judged", patch = { data = { n = n } } }
                ctx.sleep(0.3)
                return kept[1]
            end
            ctx.sleep(0.3)
            local two = change "2"
            local three = coroutine.wrap(change)("3")
            ctx.log("%s %s %s", two, three, _G.seen)
            ctx.log("%s", _G.leaked)
        end } }]], "1", { parts = parts }))
        assert.equal(0, run.code, run.err)
        assert.matches("before_component late: 2 3 1+2+3+\n", run.err)
        assert.matches("ctx.log: a hook's context is of no use outside of the hook", run.err)
        assert.not_matches("from a ready function", run.err)
    end)
end)

describe("a failed hook with --rollback-on-failure", function()
    it("goes back without hooks", function()
        assert.equal(0, support.on_cluster("apply", profile("hook-back", "{ before_apply = tell }", "1")).code)
        local run = support.on_cluster("apply", profile("hook-back",
            [[{ after_component = function() error "no" end }]], "2"), "--rollback-on-failure")
        assert.equal(4, run.code)
        assert.matches("rolling back to revision 1", run.err)
        assert.equal("1", support.kubectl("get cm page -n hook-back -o jsonpath={.data.n}"))
        assert.same({}, told(run))
    end)
end)

describe("on_failure", function()
    it("has the error and the report, and changes nothing about the exit code", function()
        local web = [[bk.deployment "web" { image = "nginx:1", labels = { ["test.bkdeploy/fails"] = "ImagePullBackOff" } }]]
        local run = support.on_cluster("apply", profile("hook-fails", [[{ on_failure = function(ctx)
            local root = ctx.error.report.root
            ctx.log("%d %s %s %s", ctx.error.exit_code, root.component, ctx.results.components[3].state,
                ctx.error.report.components[1].object)
            error "mine"
        end, after_component = function(ctx) ctx.log("%s %s", ctx.component.state, ctx.component.error ~= nil) end }]], "1",
            { parts = web }), "--grace", "1s")
        assert.equal(4, run.code, run.err)
        assert.matches("on_failure: 4 web failed Deployment", run.err)
        assert.matches("after_component web: failed true", run.err)
        assert.matches("bkdeploy: hook on_failure: .*profile.lua:%d+: mine", run.err)
        assert.equal("", lock_of "hook-fails")
    end)

    it("has them, too, when nothing was to be done", function()
        local web = [[bk.deployment "web" { image = "nginx:1", labels = { ["test.bkdeploy/fails"] = "ImagePullBackOff" } }]]
        local folder = profile("hook-stuck", [[{ before_apply = tell, on_failure = function(ctx)
            ctx.log("%s %s %s", ctx.error.report.root.component, ctx.results.components[3].state, ctx.plan.unchanged)
        end }]], "1", { parts = web })
        support.on_cluster("apply", folder, "--no-wait")
        local run = support.on_cluster("apply", folder, "--grace", "1s")
        assert.equal(4, run.code, run.err)
        assert.same({ "on_failure: web failed 3" }, told(run))
    end)

    it("runs for an error of another hook", function()
        local run = support.on_cluster("apply", profile("hook-fails", [[{ before_plan = function() error "closed" end,
            on_failure = function(ctx) ctx.log("%d %s", ctx.error.exit_code, ctx.error.message) end }]]))
        assert.equal(2, run.code)
        assert.matches("on_failure: 2 hook before_plan: .*: closed", run.err)
    end)
end)

describe("before_delete", function()
    it("runs with the profile, and a release that has one is not deleted without it", function()
        local folder = profile("hook-gone", [[{ before_delete = function(ctx)
            ctx.log("%d to go, %s", ctx.plan.delete, ctx.kube.get { apiVersion = "v1", kind = "ConfigMap", name = "page" }.data.n)
        end }]])
        assert.equal(0, support.on_cluster("apply", folder).code)
        local run = support.on_cluster("delete", "hook-gone", "-n", "hook-gone")
        assert.equal(2, run.code)
        assert.matches("release 'hook%-gone' has hooks %(before_delete%), .*give the profile, or %-%-no%-hooks", run.err)
        run = support.on_cluster("delete", profile("hook-gone", [[{ before_delete = function() error "no" end }]]))
        assert.equal(2, run.code)
        assert.matches("hook before_delete: .*profile.lua:%d+: no %(nothing was deleted%)", run.err)
        assert.equal("", lock_of "hook-gone")
        run = support.on_cluster("delete", folder)
        assert.equal(0, run.code, run.err)
        assert.same({ "before_delete: 2 to go, 1" }, told(run))
    end)
end)

describe("ctx.kube", function()
    it("reads, changes and deletes, in the release's namespace unless another one is named", function()
        local run = support.on_cluster("apply", profile("hook-kube", [[{ after_apply = function(ctx)
            local kube = ctx.kube
            local function config(more)
                more.apiVersion, more.kind = "v1", "ConfigMap"
                return more
            end
            ctx.log("get %s", kube.get(config { name = "page" }).data.n)
            ctx.log("none %s", kube.get(config { name = "nope" }))
            ctx.log("elsewhere %s", kube.get(config { name = "kube-root-ca.crt", namespace = "kube-system" }).metadata.name)
            ctx.log("list %d", #kube.list(config { labels = { ["app.kubernetes.io/part-of"] = "hook-kube" } }))
            ctx.log("list none %d", #kube.list(config { labels = "a=b,c!=d" }))
            ctx.log("everywhere %s", #kube.list(config { namespace = "*" }) > 2)
            ctx.log("kind %s", kube.list(config {})[1].kind)
            ctx.log("cluster %s", kube.get { apiVersion = "v1", kind = "Namespace", name = "kube-system" }.metadata.name)
            ctx.log("patch %s", kube.patch(config { name = "page", patch = { data = { m = "2" } } }).data.m)
            ctx.log("json %s", kube.patch(config { name = "page", type = "json",
                patch = { { op = "replace", path = "/data/m", value = "3" } } }).data.m)
            ctx.log("patch none %s", kube.patch(config { name = "nope", patch = { data = { m = "2" } } }))
            ctx.log("delete %s", kube.delete(config { name = "page" }))
            ctx.log("delete none %s", kube.delete(config { name = "page" }))
            ctx.log("logs none %s", kube.logs { pod = "nope" })
            for _, bad in ipairs {
                function() kube.get { apiVersion = "v1", kind = "Konfig", name = "a" } end,
                function() kube.get { apiVersion = "v1", kind = "ConfigMap" } end,
                function() kube.get { apiVersion = "v1", kind = "ConfigMap", nam = "a" } end,
                function() kube.get { apiVersion = "v1", kind = "ConfigMap", name = "a", namespace = "../x" } end,
                function() kube.patch(config { name = "page", patch = { data = 1 } }) end,
                function() kube.patch { apiVersion = "v1", kind = "Namespace", name = "kube-system",
                    patch = { metadata = { name = "x" } } } end,
            } do
                ctx.log("%s", select(2, pcall(bad)))
            end
        end }]]))
        assert.equal(0, run.code, run.err)
        local lines = table.concat(told(run), "\n"):gsub("after_apply: ", "")
        assert.matches("^get 1\nnone nil\nelsewhere kube%-root%-ca.crt\nlist 1\nlist none 0\neverywhere true\n"
            .. "kind ConfigMap\ncluster kube%-system\npatch 2\njson 3\npatch none nil\ndelete true\ndelete none nil\n"
            .. "logs none nil\n", lines)
        assert.matches("profile.lua:%d+: the server has no kind Konfig in v1\n", lines)
        assert.matches("profile.lua:%d+: ctx.kube.get: no 'name'\n", lines)
        assert.matches("profile.lua:%d+: ctx.kube.get: no field 'nam'", lines)
        assert.matches("profile.lua:%d+: '../x' is no namespace\n", lines)
        assert.matches("profile.lua:%d+: [^\n]*the name of the object %(x\\?[^\n]*", lines)
    end)

    it("tells no value of a Secret, neither the profile's nor one that was read", function()
        support.kubectl("create namespace hook-secret")
        support.kubectl("create secret generic theirs -n hook-secret --from-literal=token=theirs-and-theirs-alone")
        local run = support.on_cluster("apply", profile("hook-secret", [[{ before_apply = function(ctx)
            local theirs = ctx.kube.get { apiVersion = "v1", kind = "Secret", name = "theirs" }
            ctx.log("%s ours-and-ours-alone", theirs.data.token)
            error("with theirs-and-theirs-alone and ours-and-ours-alone")
        end, on_failure = function(ctx) ctx.log("%s", ctx.error.message) end }]], "1",
            { parts = [[bk.secret "own" { word = "ours-and-ours-alone" }]] }))
        assert.equal(2, run.code)
        assert.matches("before_apply: %*%*%* %*%*%*", run.err)
        assert.matches("with %*%*%* and %*%*%*", run.err)
        local history = support.on_cluster("history", "hook-secret", "-n", "hook-secret", "-o", "json").out
        for _, text in ipairs { run.err, history } do
            assert.is_nil(text:find("alone", 1, true))
            assert.is_nil(text:find("dGhlaXJz", 1, true))
        end
    end)
end)

describe("ctx.http", function()
    local server
    setup(function()
        server = chat.start()
    end)
    teardown(function()
        server.stop()
    end)

    --- The run of an apply whose before_plan is this body; nothing is applied.
    local function ask(body, ...)
        server.requests()
        return support.on_cluster("apply", profile("hook-http", ("{ before_plan = function(ctx) %s error 'end' end }"):format(
            body), "1", server), ...)
    end

    it("tells a chat of the release, by https", function()
        local run = support.on_cluster("apply", profile("hook-chat", [[{ after_apply = function(ctx)
            local answer = ctx.http.post { url = url .. "/say", ca = ca, headers = { Authorization = "Bearer abc" },
                json = { text = ("%s: %d created"):format(ctx.release.name, ctx.results.created), none = bk.array {} } }
            ctx.log("%d %s %s %s %s", answer.status, answer.ok, answer.json.said, answer.json.none, answer.headers["x-seen"])
        end }]], "1", server))
        assert.equal(0, run.code, run.err)
        assert.same({ [[after_apply: 201 true {"none":[],"text":"hook-chat: 2 created"} nil here]] }, told(run))
        local got = server.requests()
        assert.equal(1, #got)
        assert.equal("POST", got[1].method)
        assert.equal("Bearer abc", got[1].headers.authorization)
        assert.equal("application/json", got[1].headers["content-type"])
    end)

    it("asks in every way, and answers with whatever status", function()
        local run = ask [[
            for _, method in ipairs { "GET", "HEAD", "PUT", "PATCH", "DELETE" } do
                local answer = ctx.http.request { method = method, url = url .. "/say", ca = ca }
                ctx.log("%s %d", method, answer.status)
            end
            ctx.http.post { url = url .. "/say", ca = ca, body = "a line", headers = { ["X-Number"] = 3 } }
            local answer = ctx.http.get { url = url .. "/refuse", ca = ca }
            ctx.log("%d %s %s %s", answer.status, answer.ok, answer.body, answer.json)
        ]]
        assert.equal(2, run.code, run.err)
        assert.same({ "before_plan: GET 201", "before_plan: HEAD 201", "before_plan: PUT 201", "before_plan: PATCH 201",
            "before_plan: DELETE 201", "before_plan: 403 false not you nil" }, told(run))
        local got = server.requests()
        assert.equal("a line", got[6].body)
        assert.equal("3", got[6].headers["x-number"])
        assert.matches("^text/plain", got[6].headers["content-type"])
    end)

    it("goes by plain http only if the operator says so", function()
        local body = [[ctx.log("%d", ctx.http.get(plain .. "/say").status)]]
        local run = ask(body)
        assert.matches("profile.lua:%d+: http://127.0.0.1:%d+: not sent: plain http is allowed by %-%-allow%-http only", run.err)
        assert.same({}, server.requests())
        run = ask(body, "--allow-http")
        assert.same({ "before_plan: 201" }, told(run))
        run = ask [[ctx.log("%s", ctx.http.get { url = url .. "/down", ca = ca }.status)]]
        assert.matches("http://127.0.0.1:%d+: not sent: plain http", run.err)
        assert.equal(1, #server.requests())
    end)

    it("follows a redirection of GET, and sends no headers to another server", function()
        local run = ask [[
            local headers = { ["X-Token"] = "abc" }
            ctx.log("%d", ctx.http.get { url = url .. "/moved", ca = ca, headers = headers }.status)
            ctx.log("%d", ctx.http.get { url = url .. "/away", ca = ca, headers = headers }.status)
            ctx.log("%d", ctx.http.post { url = url .. "/moved", ca = ca, json = {} }.status)
            ctx.http.get { url = url .. "/round", ca = ca }
        ]]
        assert.same({ "before_plan: 201", "before_plan: 201", "before_plan: 302" }, told(run))
        assert.matches("https://127.0.0.1:%d+: redirects more than 5 times", run.err)
        local got = server.requests()
        assert.equal("abc", got[2].headers["x-token"])
        assert.equal("/say", got[4].path)
        assert.is_nil(got[4].headers["x-token"])
        assert.equal(4 + 1 + 6, #got)
    end)

    local bad = {
        { "a certificate of an authority that is not known", [[ctx.http.get { url = url .. "/say" }]], "certificate" },
        { "a server that does not answer", [[ctx.http.get { url = url .. "/sleep?token=abc", ca = ca, timeout = 1 }]],
            "https://127.0.0.1:%d+: no answer within 1s" },
        { "a server that is not there", [[ctx.http.get "https://127.0.0.1:1/token"]], "https://127.0.0.1:1: Failed to connect" },
        { "a name that is none", [[ctx.http.get "https://no.such.host.invalid/token"]], "https://no.such.host.invalid: Could" },
        { "an answer without end", [[ctx.http.get { url = url .. "/big", ca = ca }]], "the answer has more than 1 MiB" },
        { "another scheme", [[ctx.http.get "file:///etc/passwd"]], "ctx.http: a URL begins with https://" },
        { "a user in the URL", [[ctx.http.get "https://me:abc@127.0.0.1:1/"]], "profile.lua:%d+: https://127.0.0.1:1: " },
        { "a header of two lines", [[ctx.http.get { url = url, headers = { A = "b\r\nC: d" } }]], "headers: 'A' is no header" },
        { "what is no text", [[ctx.http.post { url = url, body = "\xff" }]], "ctx.http: request.body: a string that is not UTF%-8" },
        { "an unknown field", [[ctx.http.get { uri = url }]], "ctx.http: no field 'uri'; did you mean 'url'" },
    }
    for _, row in ipairs(bad) do
        it("tells of " .. row[1], function()
            local started = os.time()
            local run = ask(row[2])
            assert.equal(2, run.code)
            assert.matches("hook before_plan: [%w/._-]+profile.lua:%d+: ", run.err)
            assert.matches(row[3], run.err)
            assert.is_nil(run.err:find("token", 1, true)) -- nothing of a URL beyond the server
            assert.is_nil(run.err:find("abc", 1, true))
            assert.is_true(os.time() - started < 8)
        end)
    end

    it("keeps the lock while it waits", function()
        local renewed = ("build/cluster/bin/kubectl --kubeconfig %s get lease -n hook-lock -o "
            .. "jsonpath={.items[0].spec.renewTime}"):format(support.kubeconfig)
        local run = support.during("sleeping", ("first=$(%s); sleep 6.5; second=$(%s); test \"$first\" != \"$second\"")
            :format(renewed, renewed), "apply", profile("hook-lock", [[{ before_apply = function(ctx)
            ctx.log("sleeping")
            ctx.http.get { url = url .. "/sleep", ca = ca, timeout = 8 }
        end }]], "1", server))
        assert.equal(2, run.code, run.err)
        assert.matches("no answer within 8s", run.err)
    end)
end)

describe("ctx.run", function()
    it("runs a program if the operator allows it", function()
        local folder = profile("hook-run", [[{ before_plan = function(ctx)
            ctx.log("%s", ctx.run { "printf", "%s-%s", "a b", "$HOME" })
            for _, words in ipairs { { "false" }, { "no-such-program" } } do
                ctx.log("%s", select(2, pcall(ctx.run, words)))
            end
            ctx.run { "sleep", "60" }
        end, timeout = 1 }]])
        local run = support.on_cluster("apply", folder)
        assert.equal(2, run.code)
        assert.matches("profile.lua:%d+: ctx.run: programs are run with %-%-allow%-exec only", run.err)
        run = support.on_cluster("apply", folder, "--allow-exec")
        assert.equal(2, run.code)
        assert.same({ "before_plan: a b-$HOME" }, { told(run)[1] })
        assert.matches("profile.lua:%d+: false: ended with 1\n", run.err)
        assert.matches("no%-such%-program: No such file", run.err)
        assert.matches("hook before_plan: .*: it is not done within 1s", run.err)
    end)
end)

describe("ctx.log", function()
    it("shows what a terminal would obey, and is bounded", function()
        local run = support.on_cluster("apply", profile("hook-log", [[{ before_plan = function(ctx)
            ctx.log("a\27[31m\rb\nsecond 100%")
            ctx.log("\xff%d", 1)
            print("\27[1m", nil)
            for i = 1, 2000 do ctx.log("%d", i) end
            error "end"
        end }]]))
        assert.equal(2, run.code)
        local lines = told(run)
        assert.same({ "before_plan: a\\x1B[31m\\rb", "before_plan: second 100%", "before_plan: ?1",
            "before_plan: \\x1B[1m\tnil" }, { lines[1], lines[2], lines[3], lines[4] })
        assert.equal("before_plan: (more of it is left out)", lines[#lines])
        assert.equal(1001, #lines)
    end)
end)

describe("an interrupt", function()
    for _, hook in ipairs { "before_plan", "before_apply", "before_component", "after_apply" } do
        it("during a wait of " .. hook .. " ends the apply and gives the lock back", function()
            local run = support.during("sleeping", "kill -INT $PID", "apply", profile("hook-int", ([[{ %s = function(ctx)
                ctx.log("sleeping")
                pcall(ctx.sleep, "50s")
                ctx.sleep "50s"
            end, on_failure = tell, after_component = { page = tell } }]]):format(hook), hook))
            assert.equal(130, run.code, run.err)
            assert.not_matches("hook      on_failure", run.err)
            assert.equal("", lock_of "hook-int")
        end)
    end

    it("by kill -9 leaves what the next apply goes on with", function()
        local sleeps = [[{ before_component = function(ctx) ctx.log("sleeping") ctx.sleep "50s" end }]]
        local run = support.during("sleeping", "kill -9 $PID", "apply", profile("hook-kill", sleeps))
        assert.equal(247, run.code, run.err)
        run = support.on_cluster("apply", profile("hook-kill", "{ before_component = tell }"))
        assert.equal(0, run.code, run.err)
        assert.matches("resuming at", run.err)
        assert.matches("before_component page: before_component page 2", run.err)
        assert.equal("", lock_of "hook-kill")
    end)
end)
