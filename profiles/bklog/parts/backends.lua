-- What BK LOG keeps its state in, each bundled as a StatefulSet or lying elsewhere (mysql_host and the like).
-- Figures are those of the storage charts that BlueKing ships.
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

    local function kafka(zookeeper)
        return bk.statefulset "kafka" {
            image = "docker.io/bitnami/kafka:2.7.0-debian-10-r1", replicas = env.kafka_nodes,
            ports = { client = 9092, internal = 9093 },
            liveness = bk.tcp { port = "client", initial_delay = "10s" },
            readiness = bk.tcp { port = "client", initial_delay = "5s" },
            resources = { cpu = "200m..2", memory = "512Mi..2Gi" },
            env = {
                KAFKA_CFG_ZOOKEEPER_CONNECT = zookeeper.host .. ":2181", ALLOW_PLAINTEXT_LISTENER = "yes",
                KAFKA_CFG_LOG_RETENTION_HOURS = 48, KAFKA_CFG_LOG_RETENTION_BYTES = 524288000,
                KAFKA_CFG_LOG_SEGMENT_BYTES = 104857600, POD_NAME = bk.field "metadata.name",
            },
            claims = {
                data = { size = "30Gi", path = "/bitnami/kafka" },
                logs = { size = "30Gi", path = "/opt/bitnami/kafka/logs" },
            },
        }
    end

    local function zookeeper()
        return bk.statefulset "zookeeper" {
            image = "docker.io/bitnami/zookeeper:3.7.0", ports = { client = 2181 },
            readiness = bk.tcp "client", resources = { cpu = "100m..500m", memory = "256Mi..512Mi" },
            env = { ALLOW_ANONYMOUS_LOGIN = "yes" },
            claims = { data = { size = "10Gi", path = "/bitnami/zookeeper" } },
        }
    end

    -- Only bk-monitor asks it; the processes of BK LOG in a cluster do not.
    local function consul()
        local live, ready = exec_probes({ "consul", "members" }, "30s", "5s", "10s")
        return bk.statefulset "consul" {
            image = "docker.io/bitnami/consul:1.12.2", replicas = env.consul_nodes, pod_management = "Parallel",
            ports = { http = 8500, dns = "8600/UDP", rpc = 8400, server = 8300, serf = 8301 },
            liveness = live, readiness = ready, resources = { cpu = "100m..1", memory = "100Mi..1Gi" },
            env = {
                CONSUL_RETRY_JOIN = "consul", CONSUL_BOOTSTRAP_EXPECT = env.consul_nodes, CONSUL_DATACENTER = "dc1",
                CONSUL_BIND_INTERFACE = "eth0", CONSUL_NODE_NAME = bk.field "metadata.name",
            },
            claims = { data = { size = "10Gi", path = "/bitnami/consul" } },
        }
    end

    local pair = bk.tls_pair { names = { "elasticsearch-master", "*.elasticsearch-master", "*.elasticsearch-data" } }
    local certificate = bk.secret "elasticsearch-tls" { ["node.crt"] = pair["tls.crt"], ["node.key"] = pair["tls.key"] }

    --- The Elasticsearch nodes of one role. BK LOG is told of them by bk-monitor's metadata, not by a variable.
    local function elasticsearch(role, replicas, memory, heap, size)
        local live, ready = exec_probes(
            { "sh", "-c", "curl -sf -u elastic:$ELASTICSEARCH_PASSWORD "
                .. "http://127.0.0.1:9200/_cluster/health?local=true" },
            "90s", "90s", "10s")
        local certs = "/opt/bitnami/elasticsearch/config/certs"
        local fields = {
            image = "docker.io/bitnami/elasticsearch:7.16.2", replicas = replicas,
            ports = { rest = 9200, transport = 9300 }, liveness = live, readiness = ready,
            resources = { cpu = "500m..2", memory = memory }, apart = "kubernetes.io/hostname",
            env = {
                ELASTICSEARCH_CLUSTER_NAME = "bklog", ELASTICSEARCH_HEAP_SIZE = heap, ELASTICSEARCH_NODE_TYPE = role,
                ELASTICSEARCH_CLUSTER_HOSTS = "elasticsearch-master",
                ELASTICSEARCH_TOTAL_NODES = env.es.master + env.es.data,
                ELASTICSEARCH_CLUSTER_MASTER_HOSTS = "elasticsearch-master-0",
                ELASTICSEARCH_NODE_NAME = bk.field "metadata.name",
                ELASTICSEARCH_ENABLE_SECURITY = true, ELASTICSEARCH_ENABLE_REST_TLS = false,
                ELASTICSEARCH_TLS_USE_PEM = true, ELASTICSEARCH_TLS_VERIFICATION_MODE = "certificate",
                ELASTICSEARCH_PASSWORD = secrets:key "ES_PASSWORD",
            },
            files = {
                [certs .. "/tls.crt"] = certificate:key "node.crt", [certs .. "/ca.crt"] = certificate:key "node.crt",
                [certs .. "/tls.key"] = certificate:key "node.key",
            },
            init = { {
                name = "sysctl", image = "docker.io/library/busybox:1.34.0",
                command = { "sysctl", "-w", "vm.max_map_count=262144" }, security = { privileged = true },
            } },
        }
        if not size then
            return bk.deployment("elasticsearch-" .. role)(fields)
        end
        fields.claims = { data = { size = size, path = "/bitnami/elasticsearch/data" } }
        fields.pod_management = "Parallel"
        return bk.statefulset("elasticsearch-" .. role)(fields)
    end

    local function elsewhere_or(name, bundled)
        local host = env[name .. "_host"]
        return host ~= "" and bk.external(name) { host = host } or bundled()
    end

    local list = { elsewhere_or("mysql", mysql), elsewhere_or("redis", redis), elsewhere_or("rabbitmq", rabbitmq) }
    local stores = { mysql = list[1], redis = list[2], rabbitmq = list[3] }
    if env.es_host == "" then
        list[#list + 1] = elasticsearch("master", env.es.master, "256Mi..2Gi", "512m", "10Gi")
        list[#list + 1] = elasticsearch("data", env.es.data, "2Gi..4Gi", "1024m", env.es.size)
        list[#list + 1] = elasticsearch("coordinating", env.es.coordinating, "256Mi..2Gi", "512m")
    end
    if env.kafka then
        list[#list + 1] = zookeeper()
        stores.kafka = kafka(list[#list])
        list[#list + 1] = stores.kafka
    end
    list[#list + 1] = env.consul and consul() or nil
    return list, stores
end
