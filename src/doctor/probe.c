#include "doctor/probe.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "doctor/finding.h"
#include "doctor/listing.h"
#include "object/meta.h"
#include "rollout/follow.h"

enum { PROBE_MS = 90000, DEADLINE_SECONDS = 60, TARGETS_MAX = 50, HTTP_CREATED = 201 };

/* Hosts and ports are its arguments, never part of it. */
static const char script[] =
    "while [ $# -ge 2 ]; do if nc -z -w 3 \"$1\" \"$2\"; then r=open; else r=closed; fi; "
    "echo \"PROBE $1 $2 $r\"; shift 2; done";

/* ---- targets ---- */

static void add_target(json_t *targets, const char *host, const char *port, const char *component)
{
    size_t i;
    json_t *other;
    json_array_foreach(targets, i, other) {
        if (strcmp(object_text(other, "host"), host) == 0 &&
            strcmp(object_text(other, "port"), port) == 0)
            return;
    }
    if (json_array_size(targets) < TARGETS_MAX)
        json_array_append_new(targets, json_pack("{s:s, s:s, s:s}", "host", host, "port", port,
                                                 "component", component));
}

/* The Service of the profile that a host names: "mysql", "mysql.ns", "mysql.ns.svc..."; NULL. */
static const json_t *service_of(const struct doctor_world *world, const char *host,
                                const char *namespace)
{
    size_t length = strcspn(host, ".");
    char *name = xstrndup(host, length), *of = NULL;
    if (host[length])
        of = xstrndup(host + length + 1, strcspn(host + length + 1, "."));
    const json_t *found = world_wanted(world, "Service", of ? of : namespace, name);
    free(name);
    free(of);
    return found;
}

static bool is_outside(const struct doctor_world *world, const char *host, const char *namespace)
{
    const json_t *service = service_of(world, host, namespace);
    if (service)
        return json_object_size(world_at(service, "spec.selector")) == 0;
    return strchr(host, '.') != NULL && strncmp(host, "127.", 4) != 0 && !strstr(host, ".svc");
}

/* A container's variables with values that stand in the profile: { name: value }. */
static json_t *variables_of(const struct doctor_world *world, const json_t *container,
                            const char *namespace)
{
    json_t *variables = json_object(), *row;
    size_t i;
    json_array_foreach(json_object_get(container, "envFrom"), i, row) {
        const json_t *config =
            world_wanted(world, "ConfigMap", namespace, world_text(row, "configMapRef.name"));
        json_object_update(variables, json_object_get(config, "data"));
    }
    json_array_foreach(json_object_get(container, "env"), i, row) {
        if (json_is_string(json_object_get(row, "value")))
            json_object_set(variables, object_text(row, "name"), json_object_get(row, "value"));
    }
    return variables;
}

static void add_pairs(const struct doctor_world *world, json_t *targets, const json_t *variables,
                      const char *namespace, const char *component)
{
    static const char end[] = "HOST";
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)variables, name, value) {
        size_t length = strlen(name), stem = length - (sizeof end - 1);
        const char *host = json_string_value(value);
        if (length < sizeof end || strcmp(name + stem, end) != 0 || !host || !*host)
            continue;
        char *other = xasprintf("%.*sPORT", (int)stem, name);
        const char *port = object_text(variables, other);
        if (*port && strspn(port, "0123456789") == strlen(port) &&
            is_outside(world, host, namespace))
            add_target(targets, host, port, component);
        free(other);
    }
}

json_t *probe_targets(const struct doctor_world *world)
{
    json_t *targets = json_array(), *entry, *row;
    size_t i, k;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const json_t *spec = json_object_get(world_template(object), "spec");
        const char *component = object_text(entry, "component");
        const char *namespace = meta_text(object, "namespace");
        if (strcmp(object_text(object, "kind"), "Service") == 0 &&
            json_object_size(world_at(object, "spec.selector")) == 0) {
            json_array_foreach(world_at(object, "spec.ports"), k, row) {
                char *port = xasprintf("%" JSON_INTEGER_FORMAT,
                                       json_integer_value(json_object_get(row, "port")));
                char *host = xasprintf("%s.%s", meta_text(object, "name"), namespace);
                add_target(targets, host, port, component);
                free(port);
                free(host);
            }
        }
        json_array_foreach(json_object_get(spec, "containers"), k, row) {
            json_t *variables = variables_of(world, row, namespace);
            add_pairs(world, targets, variables, namespace, component);
            json_decref(variables);
        }
    }
    return targets;
}

/* ---- the Job ---- */

static json_t *job_of(const json_t *targets, const char *image)
{
    json_t *command = json_pack("[s, s, s, s]", "sh", "-c", script, "sh"), *target;
    size_t i;
    json_array_foreach((json_t *)targets, i, target) {
        json_array_append(command, json_object_get(target, "host"));
        json_array_append(command, json_object_get(target, "port"));
    }
    json_t *container = json_pack(
        "{s:s, s:s, s:o, s:{s:{s:s, s:s}, s:{s:s, s:s}}, s:{s:b, s:b, s:i, s:{s:[s]}, s:{s:s}}}",
        "name", "probe", "image", image, "command", command, "resources", "requests", "cpu", "10m",
        "memory", "16Mi", "limits", "cpu", "100m", "memory", "32Mi", "securityContext",
        "allowPrivilegeEscalation", 0, "runAsNonRoot", 1, "runAsUser", 65534, "capabilities",
        "drop", "ALL", "seccompProfile", "type", "RuntimeDefault");
    return json_pack("{s:s, s:s, s:{s:s, s:{s:s}}, s:{s:i, s:i, s:i, s:{s:{s:s, s:b, s:[o]}}}}",
                     "apiVersion", "batch/v1", "kind", "Job", "metadata", "generateName",
                     "bkdeploy-probe-", "labels", "app.kubernetes.io/managed-by", "bkdeploy",
                     "spec", "backoffLimit", 0, "activeDeadlineSeconds", DEADLINE_SECONDS,
                     "ttlSecondsAfterFinished", DEADLINE_SECONDS, "template", "spec",
                     "restartPolicy", "Never", "automountServiceAccountToken", 0, "containers",
                     container);
}

struct probe {
    struct kube_client *client;
    const char *namespace;
    json_t *section, *seen; /* "host port": "open" */
    struct verdict last;
    bool over;
    struct err err; /* of a watch that failed, or of the log */
};

static void on_changed(size_t index, const json_t *object, const struct verdict *verdict, void *arg)
{
    struct probe *probe = arg;
    (void)index;
    (void)object;
    probe->last = *verdict;
    probe->over = verdict_is_final(verdict->state);
}

static void on_failed(const struct err *err, void *arg)
{
    struct probe *probe = arg;
    probe->err = *err;
    probe->over = true;
}

static int wait_for(struct probe *probe, const char *collection, const char *name, struct err *err)
{
    const struct follow_hooks hooks = { on_changed, on_failed, NULL, probe };
    struct follow *follow = follow_new(probe->client, &hooks);
    follow_add(follow, collection, name, false);
    follow_start(follow);
    int result = kube_run(probe->client, &probe->over, PROBE_MS, err);
    follow_free(follow);
    return result;
}

static void on_line(const char *bytes, size_t length, bool whole, void *arg)
{
    struct probe *probe = arg;
    char line[512], host[256], port[16], state[16];
    snprintf(line, sizeof line, "%.*s", (int)(length < sizeof line ? length : sizeof line - 1),
             bytes);
    if (!whole || sscanf(line, "PROBE %255s %15s %15s", host, port, state) != 3)
        return;
    char *key = xasprintf("%s %s", host, port);
    json_object_set_new(probe->seen, key, json_string(state));
    free(key);
}

static void on_log(const struct kube_response *response, void *arg)
{
    struct probe *probe = arg;
    if (response->err)
        probe->err = *response->err;
    probe->over = true;
}

static int read_log(struct probe *probe, const char *name, struct err *err)
{
    struct listing pods = { .kind = "Pod", .version = "v1" };
    pods.path = xasprintf("/api/v1/namespaces/%s/pods?labelSelector=job-name%%3D%s",
                          probe->namespace, name);
    int result = listing_run(probe->client, &pods, 1, err);
    const char *pod = meta_text(json_array_get(pods.items, 0), "name");
    if (result == 0 && *pod) {
        char *path =
            xasprintf("/api/v1/namespaces/%s/pods/%s/log?container=probe", probe->namespace, pod);
        struct kube_request request = {
            .method = "GET",
            .path = path,
            .accept = "*/*",
            .line = on_line,
            .done = on_log,
            .arg = probe,
        };
        probe->over = false;
        kube_send(probe->client, &request);
        result = kube_run(probe->client, &probe->over, -1, err);
        free(path);
    }
    listing_release(&pods, 1);
    return result;
}

/* Also after an interrupt. */
static void delete_job(struct probe *probe, const char *collection, const char *name)
{
    struct err ignored = ERR_INIT;
    json_t *answer = NULL;
    char *path = xasprintf("%s/%s?propagationPolicy=Background", collection, name);
    struct kube_request request = { .method = "DELETE", .path = path, .parting = true };
    kube_ask(probe->client, &request, &answer, &ignored);
    json_decref(answer);
    free(path);
}

static void tell(const struct probe *probe, const json_t *targets, const char *image)
{
    size_t i, missing = 0;
    json_t *target;
    json_array_foreach((json_t *)targets, i, target) {
        const char *host = object_text(target, "host"), *port = object_text(target, "port");
        const char *component = object_text(target, "component");
        char *key = xasprintf("%s %s", host, port);
        const char *state = object_text(probe->seen, key);
        free(key);
        missing += !*state;
        if (!*state || strcmp(state, "open") == 0)
            continue;
        json_t *finding = finding_add(probe->section, "error",
                                      "%s:%s, which %s needs, can't be reached from a pod of "
                                      "namespace %s",
                                      host, port, component, probe->namespace);
        finding_component(finding, component);
        finding_remedy(finding,
                       "see to its name, its firewall and the way there: kubectl run -it "
                       "--rm probe -n %s --image=%s -- nc -z -v %s %s",
                       probe->namespace, image, host, port);
    }
    if (!missing)
        return;
    if (probe->err.kind != ERR_NONE)
        section_note(probe->section, "the probe pod tells nothing: %s", probe->err.message);
    else
        section_note(probe->section, "%zu of %zu backends were not tried; the probe's Job: %s",
                     missing, json_array_size(targets),
                     *probe->last.message ? probe->last.message : "it did not end");
}

/* Runs the Job that was made. */
static int run(struct probe *probe, const json_t *job, const json_t *targets, const char *image,
               struct err *err)
{
    const char *name = meta_text(job, "name");
    char *collection = xasprintf("/apis/batch/v1/namespaces/%s/jobs", probe->namespace);
    int result = wait_for(probe, collection, name, err);
    if (result >= 0 && probe->err.kind == ERR_NONE)
        result = read_log(probe, name, err);
    delete_job(probe, collection, name);
    free(collection);
    if (result >= 0)
        tell(probe, targets, image);
    return result < 0 ? -1 : 0;
}

int probe_look(const struct doctor_world *world, struct kube_client *client, const char *namespace,
               const char *image, json_t *section, struct err *err)
{
    struct probe probe = { .client = client,
                           .namespace = namespace,
                           .section = section,
                           .seen = json_object(),
                           .err = ERR_INIT };
    json_t *targets = probe_targets(world), *job = NULL;
    int result = 0;
    if (json_array_size(targets) == 0) {
        section_note(section, "the profile names no backends outside of the cluster to probe");
    } else {
        json_t *body = job_of(targets, image);
        char *path = xasprintf("/apis/batch/v1/namespaces/%s/jobs", namespace);
        struct kube_request request = { .method = "POST",
                                        .path = path,
                                        .content_type = "application/json",
                                        .body = json_dumps(body, JSON_COMPACT) };
        struct err refusal = ERR_INIT;
        if (kube_ask(client, &request, &job, &refusal) == HTTP_CREATED)
            result = run(&probe, job, targets, image, err);
        else
            section_note(section, "the probe can't be made: %s", refusal.message);
        free(path);
        json_decref(body);
    }
    json_decref(job);
    json_decref(targets);
    json_decref(probe.seen);
    return result;
}
