-- MySQL, Redis, RabbitMQ and Elasticsearch: what BK LOG keeps its state in, one StatefulSet each.
-- Figures are those of the storage charts that BlueKing ships. A site with databases of its own
-- leaves these out and gives the app their hosts and a bk.existing_secret.
local bk = require "bk"

local function exec_probes(command, live_after, ready_after, period)
    return bk.exec { command = command, initial_delay = live_after, period = period, timeout = "5s", failure = 6 },
        bk.exec { command = command, initial_delay = ready_after, period = period, timeout = "5s", failure = 3 }
end

return function(env, secrets)
    local function mysql()
        local live, ready = exec_probes(
            { "sh", "-c", "mysqladmin ping -uroot -p\"$MYSQL_ROOT_PASSWORD\"" }, "120s", "30s", "10s")
        local conf = bk.config "mysql-conf" { ["my.cnf"] = bk.read "files/my.cnf" }
        return bk.statefulset "mysql" {
            image = "docker.io/bitnami/mysql:5.7.26",
            ports = { mysql = 3306 }, liveness = live, readiness = ready,
            resources = { cpu = "200m..1", memory = "512Mi..2Gi" },
            env = { MYSQL_ROOT_PASSWORD = secrets:key "DB_PASSWORD", MYSQL_DATABASE = "bk_log_search" },
            files = { ["/opt/bitnami/mysql/conf/my_custom.cnf"] = conf:key "my.cnf" },
            claims = { data = { size = env.mysql_size, path = "/bitnami/mysql" } },
            grace_period = "60s",
        }
    end

    local function redis()
        local live, ready = exec_probes({ "sh", "-c", "redis-cli -a \"$REDIS_PASSWORD\" ping" }, "20s", "20s", "5s")
        return bk.statefulset "redis" {
            image = "docker.io/bitnami/redis:6.2.5",
            ports = { redis = 6379 }, liveness = live, readiness = ready,
            resources = { cpu = "100m..1", memory = "64Mi..1Gi" },
            env = { REDIS_PASSWORD = secrets:key "REDIS_PASSWORD" },
            claims = { data = { size = "10Gi", path = "/data" } },
        }
    end

    local function rabbitmq()
        local live, ready = exec_probes({ "rabbitmq-diagnostics", "-q", "ping" }, "120s", "10s", "30s")
        return bk.statefulset "rabbitmq" {
            image = "docker.io/bitnami/rabbitmq:3.9.11",
            ports = { amqp = 5672, manager = 15672 }, liveness = live, readiness = ready,
            resources = { cpu = "100m..1", memory = "256Mi..1Gi" },
            env = {
                RABBITMQ_USERNAME = "bklog", RABBITMQ_VHOST = "bklog",
                RABBITMQ_PASSWORD = secrets:key "RABBITMQ_PASSWORD",
                RABBITMQ_ERL_COOKIE = secrets:key "RABBITMQ_ERL_COOKIE",
            },
            claims = { data = { size = "10Gi", path = "/bitnami/rabbitmq/mnesia" } },
            grace_period = "120s",
        }
    end

    -- BK LOG is told of it by bk-monitor's metadata, not by a variable.
    local function elasticsearch()
        local live, ready = exec_probes(
            { "sh", "-c", "curl -sf http://127.0.0.1:9200/_cluster/health?local=true" }, "90s", "90s", "10s")
        return bk.statefulset "elasticsearch" {
            image = "docker.io/bitnami/elasticsearch:7.16.2", replicas = env.es_nodes,
            ports = { rest = 9200, transport = 9300 }, liveness = live, readiness = ready,
            resources = { cpu = "500m..2", memory = "2Gi..4Gi" },
            env = {
                ELASTICSEARCH_CLUSTER_NAME = "bklog", ELASTICSEARCH_HEAP_SIZE = "1024m",
                ELASTICSEARCH_PASSWORD = secrets:key "ES_PASSWORD", POD_NAME = bk.field "metadata.name",
            },
            claims = { data = { size = env.es_size, path = "/bitnami/elasticsearch/data" } },
            pod_management = "Parallel",
            init = { {
                name = "sysctl", image = "docker.io/library/busybox:1.34.0",
                command = { "sysctl", "-w", "vm.max_map_count=262144" }, security = { privileged = true },
            } },
        }
    end

    return { mysql = mysql(), redis = redis(), rabbitmq = rabbitmq(), elasticsearch = elasticsearch() }
end
