local cjson = require "cjson"
local support = require "support"

--- Findings of a site that extends bklog: its text from line 2 on, with more options.
local function findings(site, options)
    local folder = support.folder({ ["sites/here/profile.lua"] = "local bk = require 'bk'\n" .. site })
    support.shell(("cp -r profiles/bklog %s/bklog"):format(folder))
    local words = { "check", folder .. "/sites/here", "-o", "json" }
    for _, option in ipairs(options or {}) do
        words[#words + 1], words[#words + 2] = "--set", option
    end
    local run = support.run(table.unpack(words))
    assert.equal("", run.err)
    return cjson.decode(run.out).findings, run.out
end

local function extend(fields)
    return "return bk.extend 'bklog' {\n" .. fields .. " }"
end

local function override(name, fields)
    return extend(("override = { ['%s'] = { %s } }"):format(name, fields))
end

local function transform(kind, name, code)
    return extend(("transform = function(o) if o.kind == '%s' and o.metadata.name == '%s' then\n%s end end")
        :format(kind, name, code))
end

local function setting(name, value)
    return transform("ConfigMap", "bklog-env", ("o.data.%s = %s"):format(name, value))
end

local function secret(name, value)
    return transform("Secret", "bklog-secrets", ("o.data.%s = '%s'"):format(name, value))
end

local function config(code)
    return { transform("BkLogConfig", "bk-log-search-self", "local s = o.spec " .. code), "BkLogConfig/bk-log-search-self",
        { "collector=true", "self_log=true" } }
end

-- The rule, the site, the object, options, a pattern of the message, and the file whose line it has: the site's, or the
-- base's when what is wrong there is what stands beside it, or what is no longer there.
local cases = {}

local function case(rule, site, object, options, pattern, file)
    cases[#cases + 1] = { rule = rule, site = site, object = object, options = options, pattern = pattern,
        file = file or "/sites/here/profile%.lua:%d+$" }
end

local app, collector = "/bklog/parts/app%.lua:%d+$", "/bklog/parts/collector%.lua:%d+$"

for _, name in ipairs { "BKPAAS_APP_SECRET", "BKAPP_BCS_API_GATEWAY_TOKEN", "DB_PASSWORD", "RABBITMQ_PASSWORD",
    "REDIS_PASSWORD" } do
    case("bklog-secret-missing", override("web", ("env = { %s = bk.remove }"):format(name)), "Deployment/web", nil, name,
        app)
    case("bklog-secret-literal", override("api", ("env = { %s = 'tellnobody' }"):format(name)), "Deployment/api", nil, name)
    case("bklog-secret-placeholder", secret(name, "bmVlZCB0byBjaGFuZ2U="), "Secret/bklog-secrets", nil, name)
end
case("bklog-secret-placeholder", secret("DB_PASSWORD", ""), "Secret/bklog-secrets", nil, "is empty")
case("bklog-rabbitmq-password", secret("RABBITMQ_PASSWORD", "dGVsbEBub2JvZHkvIw=="), "Secret/bklog-secrets")
case("bklog-rabbitmq-password", transform("Secret", "bklog-secrets",
    "o.data.RABBITMQ_PASSWORD = bk.generated { alphabet = 'ab@/' }"), "Secret/bklog-secrets", nil, "alphabet")

case("bklog-api-only", override("web", "env = { BKAPP_IS_BKLOG_API = '0' }"), "Deployment/web", nil, "'web' an API server")
case("bklog-api-only", override("api", "env = { BKAPP_IS_BKLOG_API = bk.remove }"), "Deployment/api", nil, "has no", app)
case("bklog-queue-unserved", override("async-worker", "replicas = 0"), "Deployment/async-worker", nil, "'async_export'")
case("bklog-queue-unserved", setting("BKAPP_FEATURE_TGPA_TASK", "'on'"), "Deployment/web-worker", nil, "'tgpa_task'", app)
case("bklog-queue-unserved", override("web-worker", "command = { '/app/venv/bin/celery', 'worker', '--queues=celery' }"),
    "Deployment/web-worker", nil, "'default'")
case("bklog-queue-shared", override("async-worker",
    "command = { 'sh', '-c', 'exec /app/venv/bin/celery worker -Q async_export,pipeline' }"), "Deployment/pworker", nil,
    "'pipeline' is taken by 'async%-worker'", app)
case("bklog-high-priority-queue", setting("BKAPP_HIGH_PRIORITY_QUEUE", "'urgent'"), "ConfigMap/bklog-env", nil, "'urgent'")
case("bklog-beat", override("web-beat", "replicas = 2"), "Deployment/web-beat", nil, "2 times")
case("bklog-beat", override("web-beat", "replicas = 0"), "Deployment/web-beat", nil, "0 times")
case("bklog-beat", override("web-beat", "replicas = bk.remove, scale = { min = 1, max = 2, cpu = '70%' }"),
    "HorizontalPodAutoscaler/web-beat", nil, "autoscaler", app)
case("bklog-beat", extend "remove = { 'web-beat' }", "Deployment/web-worker", nil, "no beat", app)

for _, name in ipairs { "BKAPP_BCS_APIGATEWAY_HOST", "BKAPP_BCS_CC_APIGATEWAY_HOST" } do
    case("bklog-url-slash", setting(name, "'http://bcs'"), "ConfigMap/bklog-env", nil, name)
end
case("bklog-environment", setting("BKPAAS_ENVIRONMENT", "'stag'"), "ConfigMap/bklog-env", nil, "MYSQL_")
case("bklog-environment", setting("BKPAAS_ENVIRONMENT", "'dev'"), "ConfigMap/bklog-env", nil, "127.0.0.1")
case("bklog-environment", setting("BK_ENV", "'testing'"), "ConfigMap/bklog-env", nil, "BK_ENV")
local sentinel = [[for _, p in ipairs { %s } do for _, n in ipairs { "HOST", "PORT", "MASTER_NAME", "MASTER_PASSWORD" } do
    o.data[p .. "_REDIS_SENTINEL_" .. n] = "x" end end]]
local by_sentinel = [[
if o.kind == "Deployment" and o.spec.template.spec.containers[1].env then
    for _, v in ipairs(o.spec.template.spec.containers[1].env) do
        if v.name == "BKAPP_REDIS_MODE" then v.value = "%s" end
    end
end]]
local function redis(prefixes, mode)
    return extend(("transform = function(o)\nif o.metadata.name == 'bklog-env' then %s end %s end"):format(
        sentinel:format(prefixes), by_sentinel:format(mode or "sentinel")))
end
case("bklog-redis-sentinel", redis "'BKAPP'", "Deployment/api", nil, "BK_BKLOG_REDIS_SENTINEL_HOST")
case("bklog-redis-sentinel", redis "'BK_BKLOG'", "Deployment/web", nil, "BKAPP_REDIS_SENTINEL_HOST")
case("bklog-redis-sentinel", redis("'BKAPP', 'BK_BKLOG'", "cluster"), "Deployment/web", nil, "single and sentinel")

for _, row in ipairs {
    { "type", "s.logConfigType = 'std'" }, { "type", "s.logConfigType = nil", "not given", collector },
    { "path", "s.logConfigType = 'container_log_config'", "has no path", collector },
    { "path", "s.logConfigType = 'container_log_config' s.path = { '' }" },
    { "encoding", "s.encoding = 'utf-8'", "'UTF%-8'" },
    { "namespaces", "s.namespace = 'x'", "namespace does not count" },
    { "namespaces", "s.namespaceSelector.any = true", "matchNames does not count", collector },
    { "namespaces", "s.namespaceSelector.excludeNames = { 'x' }", "matchNames does not count", collector },
    { "selectors", "s.allContainer = true", "labelSelector", collector },
    { "selectors", "s.logConfigType = 'node_log_config' s.path = { '/x' }", "of a node", collector },
    { "selectors", "s.containerNameMatch = { 'x' } s.containerNameExclude = { 'y' }", "not both" },
    { "expressions", "s.labelSelector.matchExpressions = { { key = 'a', operator = 'Is', values = { 'x' } } }", "'Is'" },
    { "expressions", "s.labelSelector.matchExpressions = { { key = 'a', operator = 'In' } }", "wants values" },
    { "meta", "s.extMeta = { ['a.b'] = 'x' }", "'a.b'" },
    { "multiline", "s.multiline = { maxLines = 5001 }", "5001" },
    { "filters", "s.filters = { { conditions = { { index = '1', key = 'x' } } } }", "'op'" },
} do
    local made = config(row[2])
    case("bklog-config-" .. row[1], made[1], made[2], made[3], row[3], row[4])
end

describe("the rules of bklog", function()
    for i, one in ipairs(cases) do
        it(("%d: %s %s"):format(i, one.rule, one.pattern or ""), function()
            local found, out = findings(one.site, one.options)
            local has = false
            for _, finding in ipairs(found) do
                -- It breaks nothing else of these.
                assert.equal(one.rule, finding.rule:find "^bklog%-" and finding.rule or one.rule, out)
                has = has or finding.rule == one.rule and finding.object.kind .. "/" .. finding.object.name == one.object
                    and finding.message:find(one.pattern or "") and finding.where:find(one.file)
            end
            assert.truthy(has, out)
            assert.is_nil(out:find "tellnobody")
            assert.is_nil(out:find("tell@nobody", 1, true))
        end)
    end

    it("find nothing where variables come from what is elsewhere", function()
        local found = findings(extend [[add = { bk.deployment "more" {
            image = "x/bk-log-search:1", resources = { cpu = "1", memory = "1Gi" },
            env_from = { bk.existing_secret "there" } } }]])
        assert.same({}, found)
    end)

    it("let Redis be found by sentinels when both sets are there", function()
        assert.same({}, (function()
            local left = {}
            for _, finding in ipairs(findings(redis "'BKAPP', 'BK_BKLOG'")) do
                left[#left + 1] = finding.message
            end
            return left
        end)())
    end)
end)
