-- The events that commands print with -o json, held against docs/events.schema.json.
local cjson = require "cjson"
local support = require "support"

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"

--- Asserts that each line of a text is a valid event and only the last one an end; returns the events.
local function valid(text)
    local folder = support.folder { ["events"] = text, ["validate.py"] = [[
import json, sys
import jsonschema
validator = jsonschema.Draft202012Validator(json.load(open("docs/events.schema.json")))
for line in open(sys.argv[1], encoding="utf-8"):
    for problem in validator.iter_errors(json.loads(line)):
        print(problem.message, "in", line, end="")
]] }
    local run = support.shell(("python3 %s/validate.py %s/events"):format(folder, folder))
    assert.equal("", run.out .. run.err)
    local list = support.feed(text)
    for i, event in ipairs(list) do
        assert.equal(i == #list, event.type == "result" or event.type == "error", text)
    end
    return list
end

local function types(list)
    local found, last = {}, nil
    for _, event in ipairs(list) do
        if event.type ~= last then
            found[#found + 1] = event.type
        end
        last = event.type
    end
    return table.concat(found, " ")
end

local function profile(image)
    return support.profile("feed", ([[
    local web = bk.deployment "web" { image = %q, progress_deadline = "2s" }
    return { web, bk.config "page" { a = "b" } }]]):format(image or "nginx:1.27"))
end

describe("the events of", function()
    it("an apply, a status, a wait, logs and a deletion are as documented", function()
        local folder = profile()
        local list = valid(support.on_cluster("apply", folder, "-o", "json").out)
        assert.equal("start plan component result", types(list))
        assert.same({ 3, 0 }, { list[#list].objects.created, list[#list].exit })
        local states = {}
        for _, event in ipairs(list) do
            states[event.component or ""] = event.state
        end
        assert.equal("ready", states.web)
        assert.equal("object result", types(valid(support.on_cluster("wait", "feed", "-o", "json").out)))
        assert.equal("result", types(valid(support.on_cluster("logs", "feed", "web", "-o", "json").out)))
        local watched = support.shell(("timeout -s INT 2 %s status feed -w -o json --kubeconfig %s"):format(program,
            support.kubeconfig))
        list = valid(watched.out)
        assert.same({ "object result", 130 }, { types(list), list[#list].exit })
        watched = support.shell(("timeout -s INT 2 %s events feed -w --json --kubeconfig %s"):format(program,
            support.kubeconfig))
        assert.equal("event result", types(valid(watched.out)))
        list = valid(support.on_cluster("delete", folder, "--json").out)
        assert.matches("^start deleted.* result$", types(list))
    end)

    it("a rollout that fails end with the error and its report", function()
        local folder = support.profile("feed-fails", [[return { bk.deployment "web" { image = "i:1",
            progress_deadline = "1s", pod = { nodeSelector = { nowhere = "1" } } } }]])
        local run = support.on_cluster("apply", folder, "-o", "json", "--grace", "1s")
        local list = valid(run.out)
        local last = list[#list]
        assert.same({ 4, 4, "rollout" }, { run.code, last.exit, last.error.kind })
        assert.equal("web", last.report.components[1].component)
        assert.matches("^bkdeploy: ", run.err:match "[^\n]*\n$")
        support.on_cluster("delete", "feed-fails", "-n", "feed-fails")
    end)

    it("wrong usage, a profile in error and a cluster that is not there are one error", function()
        local rows = {
            { { "apply", "nix.lua", "--nope", "-o", "json" }, 2, "usage" },
            { { "apply", "tests/broken/syntax-error.lua", "-o", "json" }, 2, "profile" },
            { { "render", "tests/broken/syntax-error.lua", "-o", "json" }, 2, "profile" },
            { { "status", "profiles/hello", "-o", "json", "--kubeconfig", "/nix" }, nil, nil },
            { { "plan", "profiles/hello", "--json", "--kubeconfig", "/nix" }, nil, nil },
            { { "import", "/nix", "--json" }, nil, nil },
        }
        for _, row in ipairs(rows) do
            local run = support.run(table.unpack(row[1]))
            local list = valid(run.out)
            assert.equal(1, #list, run.out)
            assert.equal(run.code, list[1].exit)
            assert.same({ row[2] or run.code, row[3] or list[1].error.kind }, { run.code, list[1].error.kind })
        end
    end)
end)

describe("-o json", function()
    it("is there on every command", function()
        local commands = cjson.decode(support.run("help", "-o", "json").out).commands
        assert(#commands > 15)
        for _, command in ipairs(commands) do
            local names = {}
            for _, option in ipairs(command.options) do
                names[option.name] = true
            end
            assert.is_true(names.json and names.color, command.name)
        end
        assert.equal("bkdeploy/v1", cjson.decode(support.run("version", "-o", "json").out).schema)
        local folder = support.folder()
        assert.same({ files = { folder .. "/new/profile.lua" } },
            cjson.decode(support.run("init", folder .. "/new", "--json").out))
    end)
end)

describe("in CI", function()
    --- What an apply writes to standard error with these variables.
    local function told(variables, ...)
        return support.shell(("%s %s %s --yes --kubeconfig %s"):format(variables, program, table.concat({ ... }, " "),
            support.kubeconfig))
    end

    it("parts of the output are groups that GitHub and GitLab fold", function()
        local folder = support.profile("feed-ci", "return { bk.config 'page' { a = 'b' } }")
        local err = told("GITHUB_ACTIONS=true", "apply", folder).err
        assert.matches("\n::group::plan\n.*1 to create[^\n]*\n::endgroup::\n.*::group::rollout\n.*ready     page[^\n]*\n::endgroup::\n",
            (err:gsub("2 to create", "1 to create")))
        err = told("GITLAB_CI=true", "apply", folder).err
        assert.matches("\n\27%[0Ksection_start:%d+:bkdeploy_rollout\r\27%[0Krollout\n.*"
            .. "\27%[0Ksection_end:%d+:bkdeploy_rollout\r\27%[0K\n", err)
        support.on_cluster("delete", "feed-ci", "-n", "feed-ci")
    end)

    it("errors are marked at their lines, and texts of the cluster are no commands", function()
        local run = support.shell("GITHUB_ACTIONS=true " .. program .. " check tests/broken/no-image.lua")
        assert.matches("\n::error file=tests/broken/no%-image.lua,line=%d+::[^\n]+\n", "\n" .. run.err)
        local folder = support.profile("feed-hold", [[return { bk.deployment "web" { image = "i:1",
            progress_deadline = "1s", pod = { nodeSelector = { nowhere = "1" } } } }]])
        run = told("GITHUB_ACTIONS=true", "apply", folder, "--grace", "1s")
        local token, report = run.err:match "\n::group::report\n::stop%-commands::(%x+)\n(.-)\n::endgroup::\n"
        assert(token and #token == 32, run.err)
        assert.equal("::" .. token .. "::", report:match "[^\n]*$")
        assert.matches("\n::error file=[^,]+profile.lua,line=%d+::[^\n]+\n::group::report", run.err)
        support.on_cluster("delete", "feed-hold", "-n", "feed-hold")
    end)
end)
