-- The processes of BK LOG itself: one image, one component for each command.
local bk = require "bk"

local python = "/app/venv/bin/python"
local http_port = { http = 80 }

return function(env, secrets, backends, env_files)
    local image = "hub.bktencent.com/blueking/bk-log-search:" .. env.tag
    local std = { cpu = "100m..2", memory = "100Mi..2Gi" }

    local settings = bk.config "bklog-env" {
        DJANGO_SETTINGS_MODULE = "settings",
        DEPLOY_MODE = "kubernetes",
        -- Not the environment of this profile: with dev or stag here the image takes its databases
        -- from other variables, or from 127.0.0.1.
        BK_ENV = "production",
        BKPAAS_ENVIRONMENT = "prod",
        BKPAAS_MAJOR_VERSION = 3,
        BKPAAS_APP_ID = "bk_log_search",
        BK_PAAS_HOST = env.paas_url,
        BK_PAAS2_URL = env.paas_url,
        BK_COMPONENT_API_URL = env.api_url,
        BK_BKLOG_HOST = ("%s://%s/"):format(env.tls ~= "" and "https" or "http", env.host),
        BKAPP_IAM_RESOURCE_API_HOST = "http://api",
        BK_IAM_V3_INNER_HOST = "http://bkiam-web",
        BK_IAM_V3_APP_CODE = "bk_iam",
        BKAPP_SSM_HOST = "http://bkssm-web/api/v1/auth/",
        -- These two are concatenated with a path: they must end in "/".
        BKAPP_BCS_APIGATEWAY_HOST = "http://bcs-api-gateway.bcs-system.svc.cluster.local/",
        BKAPP_BCS_CC_APIGATEWAY_HOST = "http://bcs-ui-cc.bcs-system.svc.cluster.local:5000/",
        BKAPP_BCS_CC_SSM_SWITCH = "on",
        BKAPP_GRAFANA_URL = env.grafana and "http://grafana:3000" or "",
        BKAPP_FEATURE_TGPA_TASK = env.tgpa and "on" or "off",
        BKAPP_ES_SHARDS = env.es_shards, BKAPP_ES_REPLICAS = env.es_replicas,
        BKAPP_MONITOR_REPORT = "off",
        LOG_LEVEL = env.log_level,
    }

    -- Every process has these; `more` adds to them.
    local function variables(more)
        local all = {
            BKPAAS_APP_SECRET = secrets:key "BKPAAS_APP_SECRET",
            BKAPP_BCS_API_GATEWAY_TOKEN = secrets:key "BKAPP_BCS_API_GATEWAY_TOKEN",
            DB_NAME = "bk_log_search", DB_USERNAME = "root", DB_HOST = backends.mysql.host, DB_PORT = 3306,
            DB_PASSWORD = secrets:key "DB_PASSWORD",
            REDIS_HOST = backends.redis.host, REDIS_PORT = 6379, BKAPP_REDIS_MODE = "single",
            REDIS_PASSWORD = secrets:key "REDIS_PASSWORD",
            RABBITMQ_HOST = backends.rabbitmq.host, RABBITMQ_PORT = 5672,
            RABBITMQ_USER = "bklog", RABBITMQ_VHOST = "bklog",
            RABBITMQ_PASSWORD = secrets:key "RABBITMQ_PASSWORD",
        }
        if backends.kafka then
            all.BKAPP_DEFAULT_KAFKA_HOST = backends.kafka.host
        end
        for name, value in pairs(more or {}) do
            all[name] = value
        end
        return all
    end

    local files = {}
    for _, name in ipairs { "dev", "stag", "prod" } do
        files[("/app/code/%s.env.yml"):format(name)] = env_files:key(name .. ".env.yml")
    end

    local migrate = bk.job "migrate" {
        image = image, resources = std, env = variables(), env_from = { settings }, files = files,
        command = { python, "manage.py", "migrate" },
        backoff_limit = 10, deadline = "10m",
        init = { {
            name = "wait-for-mysql", image = "docker.io/library/busybox:1.34.0",
            command = { "sh", "-c", "until nc -z mysql 3306; do sleep 1; done" },
        } },
    }

    --- gunicorn, which serves the pages and the API alike.
    local function server(name, more)
        return bk.deployment(name) {
            image = image, resources = std, env = variables(more.env), env_from = { settings }, files = files,
            command = { "/app/venv/bin/gunicorn", "wsgi", "-w", 4, "-k", "gevent", "-b", ":80", "-t", 180,
                "--max-requests", 30000, "--max-requests-jitter", 50 },
            apart = "kubernetes.io/hostname", disruption = env.servers > 1 and { max_unavailable = 1 } or nil,
            ports = http_port, replicas = env.servers, ingress = more.ingress, needs = { migrate },
            startup = bk.tcp { port = "http", period = "5s", failure = 30 },
            liveness = bk.tcp { port = "http", period = "10s", timeout = "5s", failure = 3 },
            readiness = bk.http { path = "/readiness/", initial_delay = "10s", period = "10s", timeout = "5s",
                success = 1, failure = 3 },
            strategy = { max_surge = "25%", max_unavailable = 0 },
        }
    end

    --- A celery worker of some queues. Work in hand is ended before the pod is.
    local function worker(name, queues, replicas, more, concurrency)
        return bk.deployment(name) {
            image = image, resources = std, env = variables(more and more.env), env_from = { settings }, files = files,
            command = { python, "manage.py", "celery", "worker", "-O", "fair", "-l", "info", "-c", concurrency or 1,
                "-Q", queues },
            replicas = replicas, needs = { migrate }, grace_period = "2m", volumes = more and more.volumes,
            liveness = bk.exec { initial_delay = "60s", period = "60s", timeout = "30s",
                command = { "/app/venv/bin/celery", "-A", "blueapps.core.celery", "inspect", "ping" } },
        }
    end

    -- Those that take files apart or build them, on the node's own disk.
    local storage = "/data/bklog"
    local extract = {
        env = { BK_BKLOG_NODE_IP = bk.field "status.hostIP", BK_BKLOG_STORAGE_ROOT_PATH = storage },
        volumes = { [storage] = bk.host_path(storage) },
    }

    -- Each queue has one worker that takes it.
    local schedule = "service_schedule,service_schedule_priority"
    local list = {
        settings,
        migrate,
        server("web", { ingress = { host = env.host, class = env.ingress_class, tls = env.tls ~= "" and env.tls or nil,
            path_type = "ImplementationSpecific" } }),
        -- Any text in this variable, "0" too, makes a process an API server: only here.
        server("api", { env = { BKAPP_IS_BKLOG_API = "1" } }),
        worker("web-worker", "celery,default", env.servers),
        worker("async-worker", "async_export", env.workers, extract),
        worker("oworker", "pipeline_additional_task,pipeline_additional_task_priority", env.workers, extract),
        worker("pworker", "pipeline,pipeline_priority" .. (env.sworker and "" or "," .. schedule), env.workers,
            extract),
        -- Never two at once, not during an update either: each would send every task.
        bk.deployment "web-beat" {
            image = image, resources = { cpu = "100m..500m", memory = "100Mi..512Mi" },
            env = variables(), env_from = { settings }, files = files, needs = { migrate },
            command = { python, "manage.py", "celery", "beat", "-l", "info" },
            replicas = 1, strategy = "Recreate",
        },
    }

    local function job(name, command, more)
        local own, all_files = more or {}, {}
        for _, some in ipairs { files, own.files or {} } do
            for path, key in pairs(some) do
                all_files[path] = key
            end
        end
        return bk.job(name) {
            image = image, resources = std, env = variables(own.env), env_from = { settings }, files = all_files,
            needs = { migrate }, command = { python, "manage.py", command }, backoff_limit = 3, deadline = "10m",
        }
    end

    local function grafana()
        local ini = bk.config "grafana-ini" { ["grafana.ini"] = bk.read "files/grafana.ini" }
        return bk.deployment "grafana" {
            image = "hub.bktencent.com/blueking/bk-log-search-grafana:8.1.8-alpha.401",
            ports = { http = 3000 }, strategy = "Recreate", needs = { migrate },
            resources = { cpu = "100m..1", memory = "128Mi..1Gi" },
            env = {
                PORT = 3000, BKPAAS_SUB_PATH = "/", DB_NAME = "bklog_grafana", DB_USERNAME = "root",
                DB_HOST = backends.mysql.host, DB_PORT = 3306, DB_PASSWORD = secrets:key "DB_PASSWORD",
            },
            files = { ["/opt/bitnami/grafana/conf/grafana.ini"] = ini:key "grafana.ini" },
            claims = { data = { size = "10Gi", path = "/opt/bitnami/grafana/data" } },
            liveness = bk.http { path = "/api/health", initial_delay = "120s", timeout = "5s", failure = 6 },
            readiness = bk.http { path = "/api/health", initial_delay = "30s", timeout = "5s", failure = 6 },
        }
    end

    for _, optional in ipairs {
        env.sworker and worker("sworker", schedule, env.workers) or {},
        env.tgpa and worker("tgpa-worker", "tgpa_task", env.workers, nil, 4) or {},
        env.grafana and grafana() or {},
        env.sync_apigw and job("sync-apigw", "sync_apigw") or {},
        -- Its list is the site's own: a ConfigMap that is there.
        env.builtin_collect and job("builtin-collect", "sync_built_in_platform_collect", {
            env = { BK_LOG_BUILTIN_COLLECT_CONFIG_PATH = "/app/code/builtin_collect.yaml" },
            files = { ["/app/code/builtin_collect.yaml"] =
                bk.existing_config "builtin-collect":key "builtin_collect_config.yaml" },
        }) or {},
    } do
        list[#list + 1] = optional.name and optional or nil
    end
    return list
end
