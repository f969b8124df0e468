-- What `bkdeploy check` holds this profile, and the sites that extend it, against: what the processes of BK LOG take
-- for granted without saying so when they start. Values of Secrets are looked at, never shown.
local bk = require "bk"

local function table_of(value)
    return type(value) == "table" and value or {}
end

local function below(path, ...)
    local longer = table.move(path, 1, #path, 1, {})
    for _, key in ipairs { ... } do
        longer[#longer + 1] = key
    end
    return longer
end

local function set(...)
    local made = {}
    for _, name in ipairs { ... } do
        made[name] = true
    end
    return made
end

local function sorted(map)
    local keys = {}
    for key in pairs(map) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64_text(text)
    local made, bits, count = {}, 0, 0
    for letter in text:gmatch "[%w+/]" do
        bits, count = (bits << 6 | alphabet:find(letter, 1, true) - 1) & 0xffff, count + 6
        if count >= 8 then
            count = count - 8
            made[#made + 1] = string.char(bits >> count & 0xff)
        end
    end
    return table.concat(made)
end

-- Variables --------------------------------------------------------------------------------------------------------

--- What a key of a ConfigMap or Secret of the release holds: { kind, entry, path, value or generated }. Nil when the
--- release has the object but not the key; { kind, is_elsewhere } when it doesn't have the object.
local function held(release, kind, name, namespace, key)
    local entry = release:find(kind, name, namespace)
    if not entry then
        return { kind = kind, is_elsewhere = true }
    end
    for _, field in ipairs { "stringData", "data" } do
        local value = table_of(entry.object[field])[key]
        if type(value) == "table" then
            return { kind = kind, entry = entry, path = { field, key }, generated = value }
        elseif value ~= nil then
            local is_encoded = kind == "Secret" and field == "data"
            return { kind = kind, entry = entry, path = { field, key },
                value = is_encoded and base64_text(tostring(value)) or tostring(value) }
        end
    end
end

local contents = setmetatable({}, { __mode = "k" })

--- What the keys of a ConfigMap or Secret hold, by key. Looked up once, since most processes read the same ones.
local function contents_of(release, entry)
    if not contents[entry] then
        local all = {}
        contents[entry] = all
        for _, field in ipairs { "data", "stringData" } do
            for key in next, table_of(entry.object[field]) do
                all[key] = held(release, entry.kind, entry.name, entry.namespace, key)
            end
        end
    end
    return contents[entry]
end

--- The variables of a container by name, and whether there may be others that can't be seen from here.
local function variables_of(release, pod, container)
    local found, may_have_more = {}, false
    for _, source in ipairs(table_of(container.spec.envFrom)) do
        for field, kind in pairs { configMapRef = "ConfigMap", secretRef = "Secret" } do
            local name = table_of(source[field]).name
            local entry = name and release:find(kind, name, pod.namespace)
            may_have_more = may_have_more or (name ~= nil and not entry)
            for key, one in next, entry and contents_of(release, entry) or {} do
                found[(source.prefix or "") .. key] = one
            end
        end
    end
    for i, variable in ipairs(table_of(container.spec.env)) do
        local path = below(container.path, "env", i - 1)
        local from = table_of(variable.valueFrom)
        local one = { kind = "literal", value = variable.value or "", path = below(path, "value") }
        if from.secretKeyRef or from.configMapKeyRef then
            local kind = from.secretKeyRef and "Secret" or "ConfigMap"
            local reference = from.secretKeyRef or from.configMapKeyRef
            one = held(release, kind, reference.name, pod.namespace, reference.key)
                or not reference.optional and { kind = kind } or nil -- "missing-reference" tells of the key
        elseif variable.valueFrom then
            one = { kind = "field" }
        end
        if one then
            one.entry, one.path = one.entry or pod.entry, one.path or path
            one.set_at = path
        end
        found[variable.name] = one
    end
    for _, one in next, found do
        one.entry, one.path = one.entry or pod.entry, one.path or container.path
    end
    return found, may_have_more
end

local python_words = set("manage.py", "gunicorn", "celery", "python")

local function words_of(container)
    local words = {}
    for _, field in ipairs { "command", "args" } do
        for _, text in ipairs(table_of(container.spec[field])) do
            for word in tostring(text):gmatch "%S+" do
                words[#words + 1] = word
            end
        end
    end
    return words
end

local function is_python(container, words)
    local image = tostring(container.spec.image):gsub("@.*$", ""):match "[^/]*$"
    if image:match "^[^:]*" == "bk-log-search" then
        return true
    end
    for _, word in ipairs(words) do
        if word == "manage.py" or python_words[word:match "[^/]*$"] and word:find "^/app/venv/" then
            return true
        end
    end
    return false
end

local function replicas_of(pod)
    local replicas = table_of(pod.object.spec).replicas
    return math.tointeger(replicas) or 1
end

local known = setmetatable({}, { __mode = "k" })

--- The processes of BK LOG's own image: { pod, container, words, variables, may_have_more }. Looked up once a release.
local function processes(release)
    if known[release] then
        return known[release]
    end
    local list = {}
    known[release] = list
    for pod in release:pods() do
        for _, container in pod:containers() do
            local words = words_of(container)
            if is_python(container, words) then
                local variables, may_have_more = variables_of(release, pod, container)
                list[#list + 1] = { pod = pod, container = container, words = words, variables = variables,
                    may_have_more = may_have_more, is_api = pod.entry.component.name == "api" }
            end
        end
    end
    return list
end

--- The text of a variable; nil when it has none or it can't be seen.
local function text_of(process, name)
    local variable = process.variables[name]
    return variable and variable.value, variable
end

--- report() that tells of one thing once, though many processes read it.
local function once(report)
    local seen = {}
    return function(entry, path, format, ...)
        local message = format:format(...)
        local of = seen[entry.object] or {}
        seen[entry.object] = of
        local key = table.concat(path, "\0") .. "\0" .. message
        if not of[key] then
            of[key] = true
            report(entry, path, "%s", message)
        end
    end
end

local rules = {}

local function add(name, severity, doc, check)
    rules[#rules + 1] = bk.rule(name) { severity = severity, doc = doc, check = check }
end

--- A rule for every process.
local function add_process(name, severity, doc, each)
    add(name, severity, doc, function(release, report)
        local tell = once(report)
        for _, process in ipairs(processes(release)) do
            each(process, tell)
        end
    end)
end

-- Secrets ----------------------------------------------------------------------------------------------------------

local secrets = { "BKPAAS_APP_SECRET", "BKAPP_BCS_API_GATEWAY_TOKEN", "DB_PASSWORD", "RABBITMQ_PASSWORD",
    "REDIS_PASSWORD" }

local function where_set(process)
    return below(process.container.path, process.container.spec.env and "env" or nil)
end

add_process("bklog-secret-missing", "error", "every process of BK LOG reads its settings, and with them each password",
    function(process, tell)
        for _, name in ipairs(secrets) do
            if not process.variables[name] and not process.may_have_more then
                tell(process.pod.entry, where_set(process), "container '%s' has no %s, which every process of BK LOG "
                    .. "needs", process.container.spec.name, name)
            end
        end
    end)

add_process("bklog-secret-literal", "error", "passwords stand in Secrets only", function(process, tell)
    for _, name in ipairs(secrets) do
        local variable = process.variables[name]
        if variable and variable.kind ~= "Secret" then
            tell(variable.entry, variable.path, "%s does not come from a Secret, so everyone who may see the %s reads "
                .. "it; give secret:key \"%s\"", name, variable.kind == "ConfigMap" and "ConfigMap" or "workload", name)
        end
    end
end)

local function is_placeholder(value)
    return value:lower():gsub("[%s_-]+", " "):match "^%s*(.-)%s*$" == "need to change"
end

add_process("bklog-secret-placeholder", "error", "a password is not empty, nor what a chart has in its place",
    function(process, tell)
        for _, name in ipairs(secrets) do
            local value, variable = text_of(process, name)
            if value and not value:find "%S" then
                tell(variable.entry, variable.path, "%s is empty; give a value, or bk.generated()", name)
            elseif value and is_placeholder(value) then
                tell(variable.entry, variable.path, "%s is still the placeholder of the chart; give a value, or "
                    .. "bk.generated()", name)
            end
        end
    end)

-- The broker's password stands in amqp://user:password@host/ as it is.
local function is_url_safe(text)
    return not text:find "[^%w%-._~!$&'()*+,;=]"
end

add_process("bklog-rabbitmq-password", "error", "the password of RabbitMQ goes into a URL as it is",
    function(process, tell)
        local value, variable = text_of(process, "RABBITMQ_PASSWORD")
        local letters = variable and variable.generated and variable.generated.alphabet
        if value and not is_url_safe(value) and not is_placeholder(value) then
            tell(variable.entry, variable.path, "RABBITMQ_PASSWORD goes into an amqp URL as it is, and has characters "
                .. "that end or change one; use letters and digits")
        elseif letters and not is_url_safe(letters) then
            tell(variable.entry, variable.path, "RABBITMQ_PASSWORD goes into an amqp URL as it is, and its alphabet "
                .. "has characters that end or change one; use letters and digits")
        end
    end)

-- Processes --------------------------------------------------------------------------------------------------------

add_process("bklog-api-only", "error", "BKAPP_IS_BKLOG_API makes a process an API server, whatever its text",
    function(process, tell)
        local value, variable = text_of(process, "BKAPP_IS_BKLOG_API")
        if process.is_api then
            if value == "" or not variable and not process.may_have_more then
                tell(process.pod.entry, variable and variable.path or where_set(process), "the API server has no "
                    .. "BKAPP_IS_BKLOG_API; give \"1\"")
            end
        elseif variable and value ~= "" then
            tell(variable.set_at and process.pod.entry or variable.entry, variable.set_at or variable.path,
                "BKAPP_IS_BKLOG_API makes '%s' an API server, with any text, \"0\" too; set it on 'api' only",
                process.pod.name)
        end
    end)

--- The queues that a celery worker takes as a list, and where they are named; nil when it is none.
local function queues_of(process)
    local words, is_worker, text = process.words, false, nil
    for i, word in ipairs(words) do
        if word == "worker" then
            for k = 1, i - 1 do
                is_worker = is_worker or words[k]:match "[^/]*$" == "celery"
            end
        elseif word == "-Q" or word == "--queues" or word == "-queues" then
            text = words[i + 1] or ""
        else
            text = word:match "^%-%-?queues=(.*)$" or word:match "^%-Q=?(.+)$" or text
        end
    end
    if not is_worker then
        return nil
    end
    local list = {}
    for name in (text or "celery"):gmatch "[^,%s\"']+" do
        list[#list + 1] = name
    end
    local path = process.container.path
    for _, field in ipairs { "args", "command" } do
        for i, word in ipairs(table_of(process.container.spec[field])) do
            if text and text ~= "" and tostring(word):find(text, 1, true) then
                return list, below(path, field, i - 1)
            end
        end
    end
    return list, below(path, process.container.spec.command and "command" or nil)
end

local function is_service(pod)
    return pod.kind == "Deployment" or pod.kind == "StatefulSet" or pod.kind == "DaemonSet"
end

--- Who takes each queue: { [queue] = { { process, path }, ... } }, of those that run and of those that have no replica.
local function workers_of(list)
    local running, idle = {}, {}
    for _, process in ipairs(list) do
        local queues, path = queues_of(process)
        for _, queue in ipairs(queues and is_service(process.pod) and queues or {}) do
            local of = replicas_of(process.pod) > 0 and running or idle
            of[queue] = of[queue] or {}
            table.insert(of[queue], { process = process, path = path })
        end
    end
    return running, idle
end

local queues = { "default", "celery", "async_export", "pipeline", "pipeline_priority", "pipeline_additional_task",
    "pipeline_additional_task_priority", "service_schedule", "service_schedule_priority" }

--- The queues that BK LOG sends tasks to.
local function wanted_queues(list)
    local wanted = table.move(queues, 1, #queues, 1, {})
    for _, process in ipairs(list) do
        if (text_of(process, "BKAPP_FEATURE_TGPA_TASK") or ""):lower() == "on" then
            wanted[#wanted + 1] = "tgpa_task"
            break
        end
    end
    return wanted
end

add("bklog-queue-unserved", "error", "tasks of a queue that no worker takes wait for ever", function(release, report)
    local list = processes(release)
    local running, idle = workers_of(list)
    local first = list[1]
    for _, process in ipairs(list) do
        if queues_of(process) then
            first = process
            break
        end
    end
    for _, queue in ipairs(first and wanted_queues(list) or {}) do
        local off = idle[queue] and idle[queue][1].process.pod
        if not running[queue] and off then
            report(off.entry, { "spec", "replicas" }, "no worker takes the queue '%s': '%s' would, and has no replica",
                queue, off.name)
        elseif not running[queue] then
            local _, path = queues_of(first)
            report(first.pod.entry, path or first.container.path, "no worker takes the queue '%s', so its tasks wait "
                .. "for ever; name it in the -Q of one", queue)
        end
    end
end)

add("bklog-queue-shared", "error", "each queue has one worker, whose concurrency and disk are made for it",
    function(release, report)
        local running = workers_of(processes(release))
        for _, queue in ipairs(sorted(running)) do
            local takers = running[queue]
            for i = 2, #takers do
                report(takers[i].process.pod.entry, takers[i].path, "the queue '%s' is taken by '%s' already; only one "
                    .. "worker should", queue, takers[1].process.pod.name)
            end
        end
    end)

add("bklog-high-priority-queue", "error", "the queue of BKAPP_HIGH_PRIORITY_QUEUE has a worker",
    function(release, report)
        local list = processes(release)
        local running, tell = workers_of(list), once(report)
        local wanted = set(table.unpack(wanted_queues(list)))
        for _, process in ipairs(list) do
            local queue, variable = text_of(process, "BKAPP_HIGH_PRIORITY_QUEUE")
            if queue and queue ~= "" and not running[queue] and not wanted[queue] then
                tell(variable.entry, variable.path, "no worker takes the queue '%s' of BKAPP_HIGH_PRIORITY_QUEUE, so "
                    .. "container collectors are never released; name it in the -Q of one", queue)
            end
        end
    end)

local function is_beat(process)
    local is_celery = false
    for _, word in ipairs(process.words) do
        if is_celery and word == "beat" then
            return is_service(process.pod)
        end
        is_celery = is_celery or word:match "[^/]*$" == "celery"
    end
    return false
end

add("bklog-beat", "error", "beat runs once: without it no periodic task is sent, with two each is sent twice",
    function(release, report)
        local list, running = processes(release), nil
        local has_beat = false
        for _, process in ipairs(list) do
            local pod = process.pod
            if is_beat(process) then
                has_beat = true
                if pod.kind == "DaemonSet" then
                    report(pod.entry, {}, "beat runs on every node here, and each sends every task; use bk.deployment")
                elseif replicas_of(pod) ~= 1 then
                    report(pod.entry, { "spec", "replicas" }, "beat runs %d times here, not once; give replicas = 1",
                        replicas_of(pod))
                elseif running then
                    report(pod.entry, process.container.path, "beat runs in '%s' already, and each sends every task",
                        running)
                end
                for scaler in release:each "HorizontalPodAutoscaler" do
                    local target = table_of(table_of(scaler.object.spec).scaleTargetRef)
                    if target.kind == pod.kind and target.name == pod.name and scaler.namespace == pod.namespace then
                        report(scaler, { "spec", "scaleTargetRef" }, "beat must run once, and an autoscaler may run "
                            .. "more of it; leave out its scale")
                    end
                end
                running = running or pod.name
            end
        end
        if list[1] and not has_beat then
            local one = list[1]
            for _, process in ipairs(list) do
                if queues_of(process) then
                    one = process
                    break
                end
            end
            report(one.pod.entry, one.container.path, "there are workers and no beat, so no periodic task is ever sent")
        end
    end)

-- Settings ---------------------------------------------------------------------------------------------------------

add_process("bklog-url-slash", "error", "a URL that a path is put behind as it is ends in \"/\"",
    function(process, tell)
        for _, name in ipairs { "BKAPP_BCS_APIGATEWAY_HOST", "BKAPP_BCS_CC_APIGATEWAY_HOST" } do
            local value, variable = text_of(process, name)
            if value and value ~= "" and not value:find "/$" and not value:find "%$%([%w_.-]+%)$" then
                tell(variable.entry, variable.path, "%s must end in \"/\": a path is put behind it as it is", name)
            end
        end
    end)

local effects = {
    dev = "with dev BK LOG takes its database from 127.0.0.1 and its broker from localhost, whatever DB_* and "
        .. "RABBITMQ_* say",
    stag = "with stag BK LOG takes its database from MYSQL_*, not from DB_*, and lets every origin in",
}
local names = { development = "dev", testing = "stag", production = "prod" }

add_process("bklog-environment", "warning", "BK LOG takes DB_* from the environment in prod only",
    function(process, tell)
        local chosen, variable = text_of(process, "BKPAAS_ENVIRONMENT")
        local why = "BK LOG knows dev, stag and prod only, and ends for want of a settings file"
        if chosen and chosen ~= "prod" then
            tell(variable.entry, variable.path, "BKPAAS_ENVIRONMENT is '%s', not 'prod': %s", chosen,
                effects[chosen] or why)
        end
        local old, old_variable = text_of(process, "BK_ENV")
        if old and old ~= "production" then
            tell(old_variable.entry, old_variable.path, "BK_ENV is '%s', not 'production': %s", old,
                effects[names[old] or ""] or "BK LOG knows development, testing and production only, and ends for want "
                .. "of a settings file")
        end
        if not variable and not old_variable and not process.may_have_more then
            tell(process.pod.entry, where_set(process), "neither BKPAAS_ENVIRONMENT nor BK_ENV is set: %s", effects.dev)
        end
    end)

local sentinel = { "HOST", "PORT", "MASTER_NAME", "MASTER_PASSWORD" }

add_process("bklog-redis-sentinel", "error", "Redis by sentinels has variables of its own, and api has others",
    function(process, tell)
        local mode, variable = text_of(process, "BKAPP_REDIS_MODE")
        if not variable then
            mode, variable = text_of(process, "BK_BKLOG_REDIS_MODE")
        end
        if mode and mode ~= "" and mode ~= "single" and mode ~= "sentinel" then
            tell(variable.entry, variable.path, "the mode of Redis is '%s'; BK LOG knows single and sentinel", mode)
        elseif mode == "sentinel" and not process.may_have_more then
            local missing = {}
            for _, name in ipairs(sentinel) do
                name = (process.is_api and "BK_BKLOG_REDIS_SENTINEL_" or "BKAPP_REDIS_SENTINEL_") .. name
                local value, given = text_of(process, name)
                -- Sentinels may well have no password: then it is given, and empty.
                if not given or value == "" and not name:find "PASSWORD$" then
                    missing[#missing + 1] = name
                end
            end
            if missing[1] then
                local path = variable.kind == "literal" and variable.path or where_set(process)
                tell(process.pod.entry, path, "the mode of Redis is sentinel, and "
                    .. "'%s' has no %s (api reads BK_BKLOG_REDIS_SENTINEL_*, the others BKAPP_REDIS_SENTINEL_*)",
                    process.pod.name, table.concat(missing, ", "))
            end
        end
    end)

-- BkLogConfigs -----------------------------------------------------------------------------------------------------

local function add_config(name, severity, doc, each)
    add(name, severity, doc, function(release, report)
        for entry in release:each "BkLogConfig" do
            each(table_of(entry.object.spec), function(path, format, ...)
                report(entry, below({ "spec" }, table.unpack(path)), format, ...)
            end)
        end
    end)
end

local types = set("container_log_config", "node_log_config", "std_log_config")

add_config("bklog-config-type", "error", "a collector knows three types of logs", function(spec, report)
    if not types[spec.logConfigType or ""] then
        report(spec.logConfigType and { "logConfigType" } or {}, "logConfigType is %s; it is one of "
            .. "container_log_config, node_log_config and std_log_config",
            spec.logConfigType and ("'%s'"):format(spec.logConfigType) or "not given")
    end
end)

add_config("bklog-config-path", "error", "files are collected by their paths", function(spec, report)
    local kind, paths = spec.logConfigType, table_of(spec.path)
    if (kind == "container_log_config" or kind == "node_log_config") and #paths == 0 then
        report(spec.path and { "path" } or {}, "%s collects files, and has no path", kind)
    end
    for i, path in ipairs(paths) do
        if type(path) ~= "string" or not path:find "%S" then
            report({ "path", i - 1 }, "a path is a text that is not empty")
        end
    end
end)

add_config("bklog-config-encoding", "warning", "the platform's form wants encodings in capitals", function(spec, report)
    local encoding = spec.encoding
    if type(encoding) == "string" and encoding ~= encoding:upper() then
        report({ "encoding" }, "encoding '%s' is refused by the platform's form, though not by the collector; write "
            .. "'%s'", encoding, encoding:upper())
    end
end)

local function any_of(value)
    return type(value) == "table" and next(value) ~= nil or type(value) == "string" and value ~= ""
end

add_config("bklog-config-namespaces", "warning", "of several ways to choose namespaces only the first counts",
    function(spec, report)
        local selector = table_of(spec.namespaceSelector)
        local first = selector.any == true and "any" or any_of(selector.excludeNames) and "excludeNames"
            or any_of(selector.matchNames) and "matchNames" or nil
        local order = { any = 1, excludeNames = 2, matchNames = 3 }
        for _, name in ipairs { "excludeNames", "matchNames" } do
            if first and order[first] < order[name] and any_of(selector[name]) then
                report({ "namespaceSelector", name }, "%s does not count beside namespaceSelector.%s", name, first)
            end
        end
        if first and any_of(spec.namespace) then
            report({ "namespace" }, "namespace does not count beside namespaceSelector.%s", first)
        end
    end)

local choosing = { "workloadType", "workloadName", "containerNameMatch", "containerNameExclude", "labelSelector",
    "annotationSelector" }

add_config("bklog-config-selectors", "warning", "selectors that don't count look as if they did", function(spec, report)
    for _, name in ipairs(choosing) do
        if any_of(spec[name]) and spec.logConfigType == "node_log_config" then
            report({ name }, "%s does not count: files of a node are not chosen by container", name)
        elseif any_of(spec[name]) and spec.allContainer == true then
            report({ name }, "%s does not count beside allContainer", name)
        end
    end
    if any_of(spec.containerNameMatch) and any_of(spec.containerNameExclude) then
        report({ "containerNameExclude" }, "the platform's form takes containerNameMatch or containerNameExclude, not "
            .. "both")
    end
end)

local operators = set("In", "NotIn", "Exists", "DoesNotExist")

add_config("bklog-config-expressions", "error", "matchExpressions have a key, an operator and its values",
    function(spec, report)
        for _, field in ipairs { "labelSelector", "annotationSelector" } do
            for i, one in ipairs(table_of(table_of(spec[field]).matchExpressions)) do
                local path = { field, "matchExpressions", i - 1 }
                one = table_of(one)
                local wants_values = one.operator == "In" or one.operator == "NotIn"
                if type(one.key) ~= "string" or one.key == "" then
                    report(path, "an expression has no key")
                elseif not operators[one.operator or ""] then
                    report(below(path, one.operator and "operator" or nil), "operator '%s' is none of In, NotIn, "
                        .. "Exists and DoesNotExist", tostring(one.operator))
                elseif wants_values ~= any_of(one.values) then
                    report(path, "operator %s %s", one.operator, wants_values and "wants values" or "takes no values")
                end
            end
        end
    end)

add_config("bklog-config-meta", "error", "keys of extMeta have no dots", function(spec, report)
    local meta = table_of(spec.extMeta)
    for _, key in ipairs(sorted(meta)) do
        if tostring(key):find(".", 1, true) then
            report({ "extMeta", key }, "'%s' has a dot, which parts fields; use '_'", key)
        end
    end
end)

add_config("bklog-config-multiline", "error", "records of several lines have 5000 at most", function(spec, report)
    local multiline = table_of(spec.multiline)
    local lines = math.tointeger(multiline.maxLines)
    if lines and (lines > 5000 or lines < 1) then
        report({ "multiline", "maxLines" }, "maxLines is %d; it is 1 to 5000", lines)
    end
end)

add_config("bklog-config-filters", "error", "a condition has an index, a key and an operator, all texts",
    function(spec, report)
        for i, filter in ipairs(table_of(spec.filters)) do
            for k, condition in ipairs(table_of(table_of(filter).conditions)) do
                for _, name in ipairs { "index", "key", "op" } do
                    if type(table_of(condition)[name]) ~= "string" then
                        local path = { "filters", i - 1, "conditions", k - 1 }
                        report(below(path, table_of(condition)[name] and name or nil), "a condition wants '%s', as a "
                            .. "text", name)
                    end
                end
            end
        end
    end)

return rules
