local cjson = require "cjson"
local support = require "support"

local profiles = {
    { "profiles/hello" },
    { "profiles/bklog", "dev" }, { "profiles/bklog", "stag" }, { "profiles/bklog", "prod" },
    { "profiles/sites/example" },
}

local function render(profile, environment, format)
    local words = { "render", profile, "--show-secrets", "-o", format or "json" }
    if environment then
        words[#words + 1], words[#words + 2] = "-e", environment
    end
    local run = support.run(table.unpack(words))
    assert.equal("", run.err)
    return run.out
end

local function items(profile, environment)
    return cjson.decode(render(profile, environment)).items
end

local function pods_of(list)
    local found = {}
    for _, object in ipairs(list) do
        if type(object.spec) == "table" and object.spec.template then
            found[object.metadata.name] = object.spec.template.spec
        end
    end
    return found
end

for _, row in ipairs(profiles) do
    local profile, environment = row[1], row[2]
    describe(profile .. " " .. (environment or ""), function()
        it("renders the same bytes twice", function()
            assert.equal(render(profile, environment, "yaml"), render(profile, environment, "yaml"))
        end)

        it("is the same in another YAML reader as in JSON", function()
            local folder = support.folder({
                ["a.yaml"] = render(profile, environment, "yaml"), ["a.json"] = render(profile, environment),
            })
            local run = support.shell(("python3 -c '%s' %s"):format([[
import json, sys, yaml
made = list(yaml.safe_load_all(open(sys.argv[1] + "/a.yaml", encoding="utf-8")))
given = json.load(open(sys.argv[1] + "/a.json"))["items"]
assert made == given, "they differ"
print(len(made))]], folder))
            assert.equal("", run.err)
            assert.is_true(tonumber(run.out) >= 5)
        end)

        it("gives every workload a selector of its own that its pods have", function()
            local seen = {}
            for _, object in ipairs(items(profile, environment)) do
                local selector = type(object.spec) == "table" and object.spec.selector
                selector = selector and selector.matchLabels
                if selector and object.spec.template then
                    local labels = object.spec.template.metadata.labels
                    local key = object.metadata.namespace
                    for name, value in pairs(selector) do
                        assert.equal(value, labels[name])
                    end
                    key = key .. "/" .. selector["app.kubernetes.io/name"]
                    assert.is_nil(seen[key])
                    seen[key] = true
                end
            end
            assert.is_true(next(seen) ~= nil)
        end)

        it("has no secret's value outside of Secrets", function()
            local others, values = {}, {}
            for _, object in ipairs(items(profile, environment)) do
                if object.kind == "Secret" then
                    for _, value in pairs(object.data) do
                        values[#values + 1] = value
                    end
                else
                    others[#others + 1] = cjson.encode(object)
                end
            end
            local text = table.concat(others)
            for _, value in ipairs(values) do
                local plain = support.shell("printf %s " .. value .. " | base64 -d").out
                assert.is_true(#plain > 8)
                assert.is_nil(text:find(plain, 1, true))
                assert.is_nil(text:find(value, 1, true))
            end
        end)
    end)
end

describe("BK LOG", function()
    --- The variables of a container, its ConfigMaps' included.
    local function variables(list, spec)
        local found, maps = {}, {}
        for _, object in ipairs(list) do
            if object.kind == "ConfigMap" then
                maps[object.metadata.name] = object.data
            end
        end
        for _, source in ipairs(spec.containers[1].envFrom or {}) do
            for name, value in pairs(maps[source.configMapRef.name]) do
                found[name] = value
            end
        end
        for _, variable in ipairs(spec.containers[1].env or {}) do
            found[variable.name] = variable.value or variable.valueFrom
        end
        return found
    end

    local own = { "web", "api", "web-worker", "async-worker", "oworker", "pworker", "web-beat", "migrate" }

    for _, environment in ipairs { "dev", "stag", "prod" } do
        it("stays 'prod' towards its image in " .. environment, function()
            local list = items("profiles/bklog", environment)
            local pods = pods_of(list)
            for _, name in ipairs(own) do
                local env = variables(list, pods[name])
                assert.same({ "prod", "production", "kubernetes" },
                    { env.BKPAAS_ENVIRONMENT, env.BK_ENV, env.DEPLOY_MODE })
                assert.equal(name == "api" and "1" or nil, env.BKAPP_IS_BKLOG_API)
                assert.equal("bklog-secrets", env.DB_PASSWORD.secretKeyRef.name)
            end
        end)

        it("never has two beats in " .. environment, function()
            for _, object in ipairs(items("profiles/bklog", environment)) do
                if object.metadata.name == "web-beat" then
                    assert.same({ 1, "Recreate" }, { object.spec.replicas, object.spec.strategy.type })
                end
            end
        end)
    end

    it("has every process and backend, and names each image's version", function()
        local pods = pods_of(items("profiles/bklog", "dev"))
        for _, name in ipairs { "mysql", "redis", "rabbitmq", "elasticsearch-master", "elasticsearch-data", "elasticsearch-coordinating",
            "grafana", table.unpack(own) } do
            assert.is_table(pods[name], name)
            assert.matches("^[%w./-]+:[%w.-]+$", pods[name].containers[1].image)
        end
    end)

    --- The queues that the worker of each component takes.
    local function queues(...)
        local run = support.run("render", "profiles/bklog", "-o", "json", ...)
        assert.equal("", run.err)
        local found = {}
        for name, pod in pairs(pods_of(cjson.decode(run.out).items)) do
            local words = pod.containers[1].command or {}
            for k, word in ipairs(words) do
                for queue in (word == "-Q" and words[k + 1] or ""):gmatch "[^,]+" do
                    assert.is_nil(found[queue], queue)
                    found[queue] = name
                end
            end
        end
        return found
    end

    it("has one worker for each queue, with and without the optional ones", function()
        local all = { "default", "celery", "async_export", "pipeline", "pipeline_priority", "service_schedule",
            "service_schedule_priority", "pipeline_additional_task", "pipeline_additional_task_priority" }
        for worker, words in pairs { pworker = {}, sworker = { "--set", "sworker=true", "--set", "tgpa=true" } } do
            local found = queues(table.unpack(words))
            for _, queue in ipairs(all) do
                assert.is_string(found[queue], queue)
            end
            assert.equal(worker, found.service_schedule)
            assert.equal(worker == "sworker" and "tgpa-worker" or nil, found.tgpa_task)
        end
    end)

    it("takes what the platform gives as inputs", function()
        local run = support.shell(("BKLOG_APP_SECRET=of-the-paas %s render profiles/bklog --show-secrets"):format(
            os.getenv("BKDEPLOY") or "build/bkdeploy"))
        assert.matches('BKPAAS_APP_SECRET: "b2YtdGhlLXBhYXM="\n', run.out)
    end)

    it("is described in at most 500 lines", function()
        local lines = 0
        for _, path in ipairs { "profile", "parts/app", "parts/backends", "parts/collector" } do
            for line in io.lines("profiles/bklog/" .. path .. ".lua") do
                lines = lines + (line:find "^%s*%-%-" and 0 or line:find "%S" and 1 or 0)
            end
        end
        assert.is_true(lines <= 500, lines .. " lines")
    end)
end)

describe("a profile of ten thousand components", function()
    it("renders, each with its object and Service", function()
        local folder = support.folder({ ["profile.lua"] = [[
            local bk = require "bk"
            local list = {}
            for i = 1, 10000 do
                list[i] = bk.deployment("web-" .. i) { image = "i", ports = { http = 80 }, needs = { list[i - 1] } }
            end
            return bk.profile "big" { components = list }]] })
        local run = support.shell(("%s render %s | grep -c ^kind:"):format(os.getenv("BKDEPLOY") or "build/bkdeploy", folder))
        assert.equal("", run.err)
        assert.equal("20001\n", run.out)
    end)
end)

describe("the example site", function()
    it("has its registry, hosts, database and hook", function()
        local list = items("profiles/sites/example")
        for name, pod in pairs(pods_of(list)) do
            for _, container in ipairs(pod.containers) do
                assert.matches("^registry.dc1.example.net/", container.image, name)
            end
        end
        local by_name = {}
        for _, object in ipairs(list) do
            by_name[object.kind .. "/" .. object.metadata.name] = object
            assert.equal("dc1", object.metadata.labels["example.net/data-centre"])
        end
        assert.equal("mysql.dc1.example.net", by_name["Service/mysql"].spec.externalName)
        assert.equal("logs.dc1.example.net", by_name["Ingress/web"].spec.rules[1].host)
        assert.is_nil(by_name["Deployment/grafana"])
        assert.is_nil(by_name["Secret/bklog-secrets"])
        assert.is_nil(by_name["Deployment/web-worker"].spec.replicas)
        assert.equal(6, by_name["HorizontalPodAutoscaler/web-worker"].spec.maxReplicas)
        assert.is_table(by_name["CronJob/clear-sessions"])
    end)
end)
