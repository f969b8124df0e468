local cjson = require "cjson"
local support = require "support"

--- The findings of a profile, as `check -o json` prints them, and the exit code.
local function check(path, ...)
    local run = support.run("check", path, "-o", "json", ...)
    local good, report = pcall(cjson.decode, run.out)
    assert(good, run.err .. run.out)
    return report.findings, run.code
end

--- What a broken profile expects: { { where, rule, text, ... } }, from the marks "-- <- rule text" in its files.
local function marks_of(path)
    local marks = {}
    local files = support.shell(("grep -rn -e '-- <- ' '%s' /dev/null"):format(path)).out
    for file, line, rule, text in files:gmatch "([^:\n]+):(%d+):[^\n]*%-%- <%- ([%w-]+) ?([^\n]*)" do
        marks[#marks + 1] = { where = file .. ":" .. line, rule = rule, text = text }
    end
    return marks
end

local warnings = { ["latest-tag"] = true, ["no-requests"] = true, ["no-limits"] = true, ["no-readiness"] = true,
    ["selector-shared"] = true, ["singleton-strategy"] = true, ["claim-strategy"] = true,
    ["ingress-collision"] = true, ["policy-without-pods"] = true, ["budget"] = true,
    ["deprecated-version"] = true, ["probe-undeclared"] = true, ["service-undeclared"] = true,
    ["null-value"] = true }

describe("check finds the mistake of", function()
    local listed = support.shell "ls tests/broken"
    local count = 0
    for name in listed.out:gmatch "%S+" do
        local path = "tests/broken/" .. name
        local marks = marks_of(path)
        if #marks > 0 then -- else it is what others extend
            count = count + 1
            it(name, function()
                local findings, code = check(path)
                assert.equal(#marks, #findings, cjson.encode(findings))
                local is_warning = true
                for i, mark in ipairs(marks) do
                    local finding = findings[i]
                    assert.equal(mark.rule .. " " .. mark.where, finding.rule .. " " .. finding.where, finding.message)
                    local said = finding.object and finding.field or (finding.field or "") .. " " .. finding.message
                    assert(said:find(mark.text, 1, true), ("'%s' is not in '%s'"):format(mark.text, said))
                    assert.equal(warnings[mark.rule] and "warning" or "error", finding.severity)
                    is_warning = is_warning and warnings[mark.rule]
                end
                assert.equal(is_warning and 1 or 2, code)
            end)
        end
    end

    it("at least 66 profiles", function()
        assert(count >= 66, count)
    end)

    it("both lines of what stands twice in a list", function()
        local path = "tests/broken/raw-duplicate-item.lua"
        local findings = check(path)
        assert.equal(path .. ":10", findings[1].where)
        assert.equal(('stands twice in this list, also as item 0 (port 80, protocol "TCP"), at %s:8'):format(path),
            findings[1].message)
    end)

    it("no profile that is only extended", function()
        assert.same({ {}, 0 }, { check "tests/broken/base" })
    end)
end)

-- A component that nothing is wrong with; `more` are further fields.
local function web(more)
    return ([[bk.deployment "web" {
    image = "hub.example.com/web:1", replicas = 2, ports = { http = 80 }, readiness = bk.http "/",
    resources = { cpu = "100m..1", memory = "64Mi" },
%s
}]]):format(more or "")
end

--- A profile of one component, whose further fields begin at line 4; `fields` are those of the profile.
local function profile(more, fields)
    return support.folder { ["profile.lua"] = 'local bk = require "bk"; local web = ' .. web(more)
        .. '\nreturn bk.profile "shop" { components = { web },\n' .. (fields or "") .. "\n}\n" }
end

--- The findings as { "line rule" }.
local function short(path, ...)
    local findings, code = check(path, ...)
    local all = {}
    for i, finding in ipairs(findings) do
        all[i] = ("%s %s"):format(finding.where:match ":(%d+)$", finding.rule)
    end
    return all, code
end

describe("check", function()
    it("finds nothing in the profiles that come along", function()
        for _, path in ipairs { "profiles/hello", "profiles/bklog", "profiles/sites/example" } do
            local run = support.run("check", path, "--all-environments")
            assert.same({ 0, "" }, { run.code, run.out }, path)
        end
    end)

    it("tells all mistakes at once, in the order of their lines", function()
        local all, code = short(profile("security = { runAsUser = \"0\" },\nworking = \"/\",\npull_policy = \"No\",\n"
            .. "env = {\nA = {},\n},"))
        assert.same({ "5 unknown-field", "6 wrong-type", "8 invalid" }, all)
        assert.equal(2, code)
        all = short(profile("security = { runAsUser = \"0\" },\npod = { hostNetwork = 1,\na = 1 },\n"))
        assert.same({ "4 wrong-type", "5 wrong-type", "6 unknown-field" }, all)
    end)

    it("goes on with the other components", function()
        local folder = support.folder { ["profile.lua"] = [[local bk = require "bk"
local one = bk.config "One" { a = "1" }
local two = bk.deployment "two" { imag = "a:1" }
local three = bk.deployment "three" { image = "a:1", replicas = -1 }
return bk.profile "shop" { components = { one, two, three } }]] }
        local all, code = short(folder)
        assert.same({ "2 invalid", "3 unknown-field", "4 wrong-type" }, { all[1], all[2], all[3] })
        assert.equal(2, code)
    end)

    it("does not miss what is there but wrong", function()
        for _, fields in ipairs { "image = 3", "imgae = 'a:1'" } do
            assert.equal(1, #check(support.profile("shop", ("return { bk.deployment 'web' { %s } }"):format(fields))))
        end
        for _, part in ipairs { "bk.claim 'c' { size = '10 Gi' }", "bk.claim 'c' { sise = '1Gi' }",
            "bk.service_account 'a' { rules = { { resource = { 'pods' }, verbs = { 'get' } } } }" } do
            assert.equal(1, #check(support.profile("shop", ("return { %s }"):format(part))), part)
        end
    end)

    it("names the environments of a finding where it is not in all", function()
        local folder = support.folder { ["profile.lua"] = [[local bk = require "bk"
return bk.profile "shop" { default = "dev",
    environments = { dev = { image = "a:1", user = "1" }, prod = { image = "a", user = "1" } },
    components = function(env)
        local resources = { cpu = "1", memory = "1Gi" }
        local web = bk.deployment "web" {
            image = env.image, resources = resources,
        }
        local api = bk.deployment "api" { image = "b:1", resources = resources,
            security = { runAsUser = env.user },
        }
        return { web, api }
    end }]] }
        local run = support.run("check", folder, "--all-environments")
        assert.equal(2, run.code)
        local image = run.out:match "[^\n]*%[latest%-tag%][^\n]*"
        local user = run.out:match "[^\n]*%[wrong%-type%][^\n]*"
        assert.matches(":7: warning: .* %(in prod%)$", image)
        assert.matches(":10: error: .*%[wrong%-type%]$", user)
        local findings = check(folder, "--all-environments")
        assert.same({ "prod" }, findings[1].environments)
        table.sort(findings[2].environments)
        assert.same({ "dev", "prod" }, findings[2].environments)
        assert.same({ "10 wrong-type" }, (short(folder)))
        run = support.run("check", folder, "--all-environments", "-e", "dev")
        assert.equal(2, run.code)
        assert.matches("exclude each other", run.err)
    end)

    it("leaves out what a component or the profile allows, for a reason", function()
        local image = "sidecars = { { name = 'a', image = 'a',\nresources = { cpu = '1', memory = '1Gi' } } },"
        local reason = 'allow = { ["latest-tag"] = "a mirror that never moves" },'
        assert.same({ "4 latest-tag" }, (short(profile(image))))
        assert.same({ {}, 0 }, { short(profile(image .. reason)) })
        assert.same({ {}, 0 }, { short(profile(image, reason)) })
        for _, wrong in ipairs { 'allow = { "latest-tag" },', 'allow = { ["latest-tag"] = " " },',
            'allow = { ["latest-tag"] = true },' } do
            assert.same({ "6 wrong-type" }, { short(profile(image .. "\n" .. wrong))[1] })
        end
    end)

    it("runs the profile's own rules", function()
        local rule = [[rules = { bk.rule "team" { severity = "warning", check = function(release, report)
    for entry in release:each "Deployment" do
        report(entry, "metadata.labels", "%s has no team", entry.name)
    end
    for pod in release:pods() do
        report(pod, "containers[0].image", "is %s", pod.spec.containers[1].image)
    end
end } },]]
        local findings, code = check(profile(nil, rule))
        assert.equal(1, code)
        assert.same({ "team", "warning", "is hub.example.com/web:1", "spec.template.spec.containers[0].image", "web" },
            { findings[2].rule, findings[2].severity, findings[2].message, findings[2].field, findings[2].object.name })
        assert.matches(":2$", findings[2].where)
        assert.same({ "web has no team", "metadata.labels" }, { findings[1].message, findings[1].field })
        assert.equal(2, select(2, check(profile(nil, (rule:gsub('severity = "warning", ', ""))))))
        assert.same({ {}, 0 }, { short(profile('allow = { team = "nobody" },', rule)) })
        assert.equal("7 wrong-type", short(profile(nil, (rule:gsub('"warning"', '"bad"'))))[1])
    end)

    it("asks a function for them, which other commands don't", function()
        local text = profile(nil, [[rules = function()
    return { bk.rule "team" { severity = "warning", check = function(release, report)
        report(release:find("Deployment", "web"), "spec", "x")
    end } }
end,]])
        assert.same({ { "1 team" }, 1 }, { short(text) })
        local broken = profile(nil, "rules = function()\nerror 'asked'\nend,")
        assert.same({ { "8 rule-failed" }, 2 }, { short(broken) })
        assert.equal(0, support.run("render", broken).code)
        assert.same({ "7 invalid" }, (short(profile(nil, "rules = function()\nreturn 'team'\nend,"))))
        assert.same({ "7 invalid" }, (short(profile(nil, "rules = function()\nreturn { 'team' }\nend,"))))
        assert.same({ "8 invalid" }, (short(profile(nil, "rules = function()\nreturn { bk.rule 'team' {} }\nend,"))))
    end)

    it("tells where a rule of the profile's own fails", function()
        local all, code = short(profile(nil, [[rules = { bk.rule "team" { check = function(release, report)
    local first = release.nothing.there
end } },]]))
        assert.same({ { "8 rule-failed" }, 2 }, { all, code })
        all = short(profile(nil, [[rules = { bk.rule "team" { check = function(release, report)
    report("web", "spec", "x")
end } },]]))
        assert.same({ "8 rule-failed" }, all)
    end)

    it("speaks SARIF", function()
        local run = support.run("check", "tests/broken/latest-tag.lua", "-o", "sarif")
        assert.equal(1, run.code)
        local report = cjson.decode(run.out)
        assert.equal("2.1.0", report.version)
        local one = report.runs[1]
        assert.same({ "bkdeploy", "latest-tag" }, { one.tool.driver.name, one.tool.driver.rules[1].id })
        local result = one.results[1]
        assert.same({ "latest-tag", "warning" }, { result.ruleId, result.level })
        local place = result.locations[1].physicalLocation
        assert.same({ "tests/broken/latest-tag.lua", 4 }, { place.artifactLocation.uri, place.region.startLine })
        report = cjson.decode(support.run("check", "profiles/hello", "-o", "sarif").out)
        assert.same({ "2.1.0", {} }, { report.version, report.runs[1].results })
    end)

    it("wants a format that there is", function()
        local run = support.run("check", "profiles/hello", "-o", "xml")
        assert.equal(2, run.code)
        assert.matches("xml", run.err)
    end)
end)

describe("explain", function()
    local folder = support.folder {
        ["shop/profile.lua"] = [[local bk = require "bk"
local function sized(memory)
    return { cpu = "100m..1", memory = memory }
end
return bk.profile "shop" {
    default = "prod",
    environments = {
        prod = { replicas = 2, password = "hunter2" },
    },
    components = function(env)
        local keys = bk.secret "keys" { password = env.password }
        local web = bk.deployment "web" {
            image = "hub.example.com/web:1",
            replicas = env.replicas,
            resources = sized "64Mi",
            env = { PASSWORD = keys:key "password" },
        }
        return { keys, web }
    end,
}]],
        ["here/profile.lua"] = [[local bk = require "bk"
return bk.extend "shop" {
    environments = { here = { base = "prod",
        replicas = 5 } },
    default = "here",
    override = { web = {
        pull_policy = "Always",
    } },
    transform = function(object)
        object.metadata.annotations = {
            town = "Shenzhen",
        }
    end,
}]],
    }
    local base, site = folder .. "/shop", folder .. "/here"

    --- Value and lines ("shop:5") of a field.
    local function explain(path, ...)
        local run = support.run("explain", path, ...)
        assert.equal("", run.err)
        local lines = {}
        for where in run.out:gmatch "\n([^\n ]+:%d+)" do
            lines[#lines + 1] = where:gsub("^.*/(%w+)/profile.lua", "%1")
        end
        return run.out:match "= ([^\n]*)", lines, run.out
    end

    it("goes through a helper to the line that calls it", function()
        local value, lines = explain(base, "deployment/web", "spec.template.spec.containers[web].resources.limits.memory")
        assert.same({ '"64Mi"', { "shop:12", "shop:15", "shop:3" } }, { value, lines })
    end)

    it("goes through the environment", function()
        local value, lines = explain(base, "Deployments/web", "spec.replicas")
        assert.same({ "2", { "shop:12", "shop:8", "shop:14" } }, { value, lines })
    end)

    it("goes through a site's environment, override and transform", function()
        local value, lines = explain(site, "deployment/web", "spec.replicas")
        assert.equal("5", value)
        assert.equal("shop:14", lines[#lines])
        assert.equal("here:4", lines[#lines - 1])
        value, lines = explain(site, "deployment/web", "spec.template.spec.containers[0].imagePullPolicy")
        assert.same({ '"Always"', "here:7" }, { value, lines[#lines] })
        value, lines = explain(site, "deployment/web", "metadata.annotations.town")
        assert.same({ '"Shenzhen"', "here:11" }, { value, lines[#lines] })
    end)

    it("names --set", function()
        local value, _, out = explain(base, "deployment/web", "spec.replicas", "--set", "replicas=7")
        assert.equal("7", value)
        assert.matches("%-%-set replicas\n[^\n]*:14 ", out)
        value, _, out = explain(base, "deployment/web", "spec.replicas", "--set", "web.replicas=9")
        assert.equal("9", value)
        assert.matches("%-%-set web.replicas\n$", out)
    end)

    it("speaks JSON", function()
        local report = cjson.decode(support.run("explain", base, "deployment/web", "spec.replicas", "-o", "json").out)
        assert.same({ "Deployment", "web", "spec.replicas", 2 },
            { report.object.kind, report.object.name, report.path, report.value })
        assert.same({ base .. "/profile.lua:14", "replicas = env.replicas," },
            { report.lines[#report.lines].where, report.lines[#report.lines].text })
    end)

    it("hides values of Secrets, in their lines too", function()
        for _, format in ipairs { "text", "json" } do
            for _, path in ipairs { "data.password", "" } do
                local run = support.run("explain", base, "secret/keys", path, "-o", format)
                assert.equal("", run.err)
                assert.is_nil(run.out:find("hunter2", 1, true))
                assert.is_nil(run.out:find("aHVudGVyMg", 1, true))
            end
        end
        local run = support.run("explain", base, "secret/keys", "data.password", "--show-secrets")
        assert.matches("hunter2", run.out)
    end)

    it("tells what there is when there is no such object or field", function()
        local function fails(pattern, ...)
            local run = support.run("explain", base, ...)
            assert.same({ 2, "" }, { run.code, run.out })
            assert.matches(pattern, run.err)
        end
        fails("has no object 'deployment/wbe'; of that kind it has: web", "deployment/wbe")
        fails("has no object 'job/web'\n", "job/web")
        fails("'foo' is not in spec; there is: ", "deployment/web", "spec.foo")
        fails("'web' is no object; write kind/name", "web")
    end)
end)

describe("init", function()
    it("makes a profile that has no mistakes and renders", function()
        local folder = support.folder() .. "/My Shop_1"
        local run = support.run("init", folder)
        assert.same({ 0, "", folder .. "/profile.lua\n" }, { run.code, run.err, run.out })
        run = support.run("check", folder, "--all-environments")
        assert.same({ 0, "" }, { run.code, run.out })
        run = support.run("render", folder, "-e", "prod")
        assert.equal(0, run.code)
        assert.matches("my%-shop%-1%.example%.com", run.out)
    end)

    it("leaves a profile alone that is there", function()
        local folder = support.folder { ["profile.lua"] = "return 1" }
        local run = support.run("init", folder)
        assert.equal(2, run.code)
        assert.matches("is there already", run.err)
        assert.equal("return 1", support.read(folder .. "/profile.lua"))
    end)
end)
