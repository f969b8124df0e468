#include "rollout/diagnosis_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"

/* ---- containers ---- */

/* What the message of a failed pull tells. */
static const struct pull {
    const char *part, *words;
    bool certain;
    const char *hint;
} pulls[] = {
    { "toomanyrequests", "the registry allows no more pulls for now", false,
      "wait, or pull with an account: image_pull_secrets" },
    { "429", "the registry allows no more pulls for now", false, "" },
    { "i/o timeout", "the registry does not answer", false, "" },
    { "deadline exceeded", "the registry does not answer", false, "" },
    { "TLS handshake timeout", "the registry does not answer", false, "" },
    { "connection refused", "the registry does not answer", false, "" },
    { "connection reset", "the registry does not answer", false, "" },
    { "no space left", "the node's disk is full", false, "" },
    { "no such host", "the registry's name is not known", true, "correct the image's registry" },
    { "x509", "the registry's certificate is not trusted", true, "" },
    { "no match for platform", "there is none for the node's processor", true, "" },
    { "not found", "the registry has no such image", true, "correct the image's name or tag" },
    { "manifest unknown", "the registry has no such image", true,
      "correct the image's name or tag" },
    { "does not exist", "the registry has no such image, or refuses access to it", true,
      "correct the image's name or tag; a private one needs image_pull_secrets" },
    { "unauthorized", "the registry refuses access to it", true,
      "give the pod image_pull_secrets that may read it" },
    { "denied", "the registry refuses access to it", true,
      "give the pod image_pull_secrets that may read it" },
    { "forbidden", "the registry refuses access to it", true,
      "give the pod image_pull_secrets that may read it" },
    { "authentication required", "the registry refuses access to it", true,
      "give the pod image_pull_secrets that may read it" },
    { "no basic auth credentials", "the registry refuses access to it", true,
      "give the pod image_pull_secrets that may read it" },
};

/* One container as its pod has it. */
struct container {
    const json_t *pod;
    const json_t *spec;   /* of the pod's spec */
    const json_t *status; /* of the pod's status */
    bool init;
    const struct diagnosis_world *world;
};

/* "container web", "init container wait". */
static const char *role(const struct container *container)
{
    return container->init ? "init container" : "container";
}

/* When the pod stopped being ready, or never was. */
const char *diagnosis_since(const json_t *pod)
{
    const json_t *row = diagnosis_condition(pod, "ContainersReady", "False");
    const char *since = text_at(row, "lastTransitionTime");
    return *since ? since : meta_text(pod, "creationTimestamp");
}

static bool say_image(const struct container *container, const json_t *waiting,
                      struct diagnosis *diagnosis)
{
    const char *reason = text_at(waiting, "reason"), *image = text_at(container->spec, "image");
    const char *message = text_at(waiting, "message"), *since = diagnosis_since(container->pod);
    if (strcmp(reason, "InvalidImageName") == 0) {
        diagnosis_say(diagnosis, DIAGNOSIS_IMAGE, true, since, "'%s' is not the name of an image",
                      image);
        diagnosis_advise(diagnosis, "correct the image's name");
        return true;
    }
    if (strcmp(reason, "ErrImageNeverPull") == 0) {
        diagnosis_say(diagnosis, DIAGNOSIS_IMAGE, true, since,
                      "image %s is not on the node, and imagePullPolicy Never forbids to pull it",
                      image);
        diagnosis_advise(diagnosis, "another imagePullPolicy, or load the image on the nodes");
        return true;
    }
    /* While it backs off the node may have told the reason only before. */
    const json_t *event = diagnosis_event(container->world, container->pod, "Failed", "pull");
    const char *texts[] = { message, text_at(event, "message") };
    for (size_t t = 0; t < 2; t++) {
        for (size_t i = 0; i < sizeof pulls / sizeof *pulls; i++) {
            if (!strstr(texts[t], pulls[i].part) || strstr(image, pulls[i].part))
                continue;
            diagnosis_say(diagnosis, DIAGNOSIS_IMAGE, pulls[i].certain, since,
                          "image %s can't be pulled: %s", image, pulls[i].words);
            diagnosis_advise(diagnosis, "%s", pulls[i].hint);
            return true;
        }
    }
    bool plain = !*message || strncmp(message, "Back-off pulling image", 22) == 0;
    diagnosis_say(diagnosis, DIAGNOSIS_IMAGE, strcmp(reason, "RegistryUnavailable") != 0, since,
                  "image %s can't be pulled%s%s", image, plain ? "" : ": ", plain ? "" : message);
    diagnosis_advise(diagnosis, "look whether the image is there, and may be read by the nodes");
    return true;
}

/* A Secret or ConfigMap that a message says is missing, or a key of it. `owner` is where it is
 * read: "container web", "volume config". */
static bool say_config(const char *message, const char *since, const struct diagnosis_world *world,
                       struct diagnosis *diagnosis)
{
    static const struct form {
        const char *kind, *before, *after;
    } forms[] = {
        { "Secret", "secret \"", "\" not found" },
        { "ConfigMap", "configmap \"", "\" not found" },
    };
    char key[254], where[254], name[254];
    if (strstr(message, "failed to sync")) /* the node has not heard of it yet */
        return false;
    if (diagnosis_between(message, "couldn't find key ", " in ", key, sizeof key) &&
        diagnosis_between(message, " in ", "", where, sizeof where)) {
        const char *kind = strncmp(where, "Secret ", 7) == 0 ? "Secret" : "ConfigMap";
        const char *slash = strrchr(where, '/');
        snprintf(name, sizeof name, "%s", slash ? slash + 1 : where + strlen(kind) + 1);
        diagnosis_say(diagnosis, DIAGNOSIS_CONFIG_MISSING, true, since, "%s %s has no key \"%s\"",
                      kind, name, key);
        diagnosis_lack(diagnosis, world, kind, name, key);
        diagnosis_advise(diagnosis, "give %s %s the key \"%s\", or correct the reference", kind,
                         name, key);
        return true;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!diagnosis_between(message, forms[i].before, forms[i].after, name, sizeof name))
            continue;
        /* A name never has a blank: it would be another sentence's. */
        if (strchr(name, ' '))
            continue;
        diagnosis_say(diagnosis, DIAGNOSIS_CONFIG_MISSING, true, since, "there is no %s %s",
                      forms[i].kind, name);
        diagnosis_lack(diagnosis, world, forms[i].kind, name, "");
        diagnosis_advise(diagnosis, "make %s %s, or correct the reference", forms[i].kind, name);
        return true;
    }
    return false;
}

static bool say_config_error(const struct container *container, const json_t *waiting,
                             struct diagnosis *diagnosis)
{
    const char *message = text_at(waiting, "message"), *since = diagnosis_since(container->pod);
    if (say_config(message, since, container->world, diagnosis))
        return true;
    bool transient = strstr(message, "failed to sync") != NULL;
    diagnosis_say(diagnosis, DIAGNOSIS_CONTAINER_REFUSED, !transient, since,
                  "it can't be started: %s", message);
    if (strstr(message, "runAsNonRoot"))
        diagnosis_advise(diagnosis, "set runAsUser, or an image that does not run as root");
    return true;
}

static bool say_start_error(const struct container *container, const json_t *waiting,
                            struct diagnosis *diagnosis)
{
    const char *message = text_at(waiting, "message");
    diagnosis_say(diagnosis, DIAGNOSIS_CONTAINER_REFUSED,
                  strstr(message, "deadline exceeded") == NULL, diagnosis_since(container->pod),
                  "it can't be started: %s", message);
    if (strstr(message, "executable file not found"))
        diagnosis_advise(diagnosis, "correct the command: the image has no such program");
    return true;
}

static const char *code_words(json_int_t code)
{
    switch (code) {
    case 126: return " (the command can't be executed)";
    case 127: return " (command not found)";
    case 134: return " (it aborted)";
    case 137: return " (it was killed)";
    case 139: return " (it crashed: segmentation fault)";
    case 143: return " (it was asked to end)";
    default: return "";
    }
}

/* Restarts that the node itself makes, because a probe tells it to. */
static const json_t *killing_probe(const struct container *container)
{
    const json_t *event =
        diagnosis_event(container->world, container->pod, "Unhealthy", "Liveness probe failed");
    return event ? event
                 : diagnosis_event(container->world, container->pod, "Unhealthy",
                                   "Startup probe failed");
}

static bool is_memory(const json_t *ended)
{
    return is(json_object_get(ended, "reason"), "OOMKilled");
}

/* How a container ended, as a verb: "exits with code 1". */
static void describe_end(const struct container *container, const json_t *ended, struct buf *out)
{
    const char *limit = text(json_object_get(
        json_object_get(json_object_get(container->spec, "resources"), "limits"), "memory"));
    json_int_t code = json_integer_value(json_object_get(ended, "exitCode"));
    const char *reason = text_at(ended, "reason"), *message = text_at(ended, "message");
    if (is_memory(ended)) {
        buf_adds(out, "runs out of memory and is killed");
        if (*limit)
            buf_addf(out, " (its limit is %s)", limit);
        return;
    }
    buf_addf(out, "exits with code %" JSON_INTEGER_FORMAT "%s", code, code_words(code));
    if (*reason && strcmp(reason, "Error") != 0 && strcmp(reason, "Completed") != 0)
        buf_addf(out, ", %s", reason);
    if (*message)
        buf_addf(out, ": %.200s", message);
}

static void advise_end(const struct container *container, const json_t *ended,
                       struct diagnosis *diagnosis)
{
    json_int_t code = json_integer_value(json_object_get(ended, "exitCode"));
    (void)container;
    if (is_memory(ended))
        diagnosis_advise(diagnosis, "a higher resources.limits.memory, or make it use less");
    else if (code == 126 || code == 127)
        diagnosis_advise(diagnosis, "correct the command");
    else
        diagnosis_advise(diagnosis, "its log tells more");
}

static bool say_crash(const struct container *container, bool certain, struct diagnosis *diagnosis)
{
    const json_t *ended =
        json_object_get(json_object_get(container->status, "lastState"), "terminated");
    const json_t *now = json_object_get(json_object_get(container->status, "state"), "terminated");
    json_int_t restarts = json_integer_value(json_object_get(container->status, "restartCount"));
    const json_t *probe = killing_probe(container);
    struct buf words_of_end = BUF_INIT;
    if (now)
        ended = now;
    diagnosis->has_log = true;
    diagnosis->previous = !now;
    if (probe && !is_memory(ended) &&
        json_integer_value(json_object_get(ended, "exitCode")) >= 128) {
        diagnosis_say(diagnosis, DIAGNOSIS_CRASH, certain, text_at(ended, "startedAt"),
                      "it is restarted again and again: %s", text_at(probe, "message"));
        diagnosis_advise(diagnosis, "correct the probe, give it more time, or mend what it asks");
        return true;
    }
    describe_end(container, ended, &words_of_end);
    if (restarts)
        buf_addf(&words_of_end, "; restarted %" JSON_INTEGER_FORMAT " time%s", restarts,
                 restarts == 1 ? "" : "s");
    diagnosis_say(diagnosis, is_memory(ended) ? DIAGNOSIS_OUT_OF_MEMORY : DIAGNOSIS_CRASH, certain,
                  text_at(ended, "startedAt"), "it %s", buf_text(&words_of_end));
    advise_end(container, ended, diagnosis);
    buf_release(&words_of_end);
    return true;
}

static bool say_backoff(const struct container *container, const json_t *waiting,
                        struct diagnosis *diagnosis)
{
    (void)waiting;
    return say_crash(container, true, diagnosis);
}

static const struct waiting_rule {
    const char *reason;
    bool (*say)(const struct container *container, const json_t *waiting,
                struct diagnosis *diagnosis);
} waiting_rules[] = {
    { "InvalidImageName", say_image },
    { "ErrImageNeverPull", say_image },
    { "ErrImagePull", say_image },
    { "ImagePullBackOff", say_image },
    { "ImageInspectError", say_image },
    { "RegistryUnavailable", say_image },
    { "SignatureValidationFailed", say_image },
    { "CreateContainerConfigError", say_config_error },
    { "CreateContainerError", say_start_error },
    { "RunContainerError", say_start_error },
    { "PostStartHookError", say_start_error },
    { "CrashLoopBackOff", say_backoff },
};

/* "must answer at :8080/healthz", for people who know the probe's place, not its form. */
static void describe_probe(const json_t *probe, struct buf *out)
{
    const json_t *http = json_object_get(probe, "httpGet"),
                 *tcp = json_object_get(probe, "tcpSocket");
    const json_t *exec = at(probe, "exec", "command"), *grpc = json_object_get(probe, "grpc");
    const json_t *port = json_object_get(http ? http : tcp ? tcp : grpc, "port");
    char number[32];
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(port));
    const char *where = json_is_string(port) ? text(port) : number;
    size_t i;
    json_t *word;
    if (http)
        buf_addf(out, "HTTP at :%s%s", where, text_at(http, "path"));
    else if (tcp)
        buf_addf(out, "TCP at :%s", where);
    else if (grpc)
        buf_addf(out, "gRPC at :%s", where);
    json_array_foreach(exec, i, word)
        buf_addf(out, "%s%.60s", i ? " " : "", text(word));
}

static bool say_unready(const struct container *container, struct diagnosis *diagnosis)
{
    static const char *const prefixes[] = { "Readiness probe failed", "Startup probe failed",
                                            "Liveness probe failed", "Readiness probe errored" };
    const json_t *event = NULL;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && !event; i++)
        event = diagnosis_event(container->world, container->pod, "Unhealthy", prefixes[i]);
    bool starting = json_is_false(json_object_get(container->status, "started")) &&
                    json_object_get(container->spec, "startupProbe");
    const json_t *probe =
        json_object_get(container->spec, starting ? "startupProbe" : "readinessProbe");
    struct buf place_of_probe = BUF_INIT;
    if (!event && !probe)
        return false;
    describe_probe(probe, &place_of_probe);
    diagnosis->has_log = true;
    diagnosis_say(diagnosis, DIAGNOSIS_PROBE, false,
                  event ? diagnosis_event_begin(event) : diagnosis_since(container->pod),
                  "it runs but is not ready: %s%s%s%s",
                  event ? text_at(event, "message") : "its probe has not succeeded yet",
                  place_of_probe.len ? " (" : "", buf_text(&place_of_probe),
                  place_of_probe.len ? ")" : "");
    diagnosis_advise(diagnosis, "its log tells more; the probe asks %s",
                     place_of_probe.len ? buf_text(&place_of_probe) : "too early, maybe");
    buf_release(&place_of_probe);
    return true;
}

static bool restarts_by_itself(const struct container *container)
{
    return is(json_object_get(container->spec, "restartPolicy"), "Always") ||
           (!container->init && !is(at(container->pod, "spec", "restartPolicy"), "Never") &&
            !is(at(container->pod, "spec", "restartPolicy"), "OnFailure"));
}

static bool look_container(const struct container *container, struct diagnosis *diagnosis)
{
    const json_t *state = json_object_get(container->status, "state");
    const json_t *waiting = json_object_get(state, "waiting");
    const json_t *running = json_object_get(state, "running");
    const json_t *ended = json_object_get(state, "terminated");
    const json_t *before = at(container->status, "lastState", "terminated");
    json_int_t code = json_integer_value(json_object_get(ended, "exitCode"));
    bool ready = json_is_true(json_object_get(container->status, "ready"));
    for (size_t i = 0; waiting && i < sizeof waiting_rules / sizeof *waiting_rules; i++)
        if (is(json_object_get(waiting, "reason"), waiting_rules[i].reason))
            return waiting_rules[i].say(container, waiting, diagnosis);
    if (ended &&
        (code != 0 || is_memory(ended) || (restarts_by_itself(container) && !container->init)))
        return say_crash(container, false, diagnosis); /* it will be tried again */
    if (running && !ready && before && json_integer_value(json_object_get(before, "exitCode")) != 0)
        return say_crash(container, false, diagnosis);
    if (running && !ready && !container->init)
        return say_unready(container, diagnosis);
    if (running && container->init && !restarts_by_itself(container)) {
        diagnosis->has_log = true;
        diagnosis_say(diagnosis, DIAGNOSIS_INIT_RUNS, false, text_at(running, "startedAt"),
                      "it has not ended yet; the pod's containers wait for it");
        return true;
    }
    return false;
}

bool diagnosis_look_containers(const json_t *pod, const struct diagnosis_world *world,
                               struct diagnosis *diagnosis)
{
    static const char *const lists[][2] = { { "initContainers", "initContainerStatuses" },
                                            { "containers", "containerStatuses" } };
    struct diagnosis weak = { .kind = DIAGNOSIS_NONE };
    for (size_t list = 0; list < 2; list++) {
        size_t i;
        json_t *status;
        json_array_foreach(at(pod, "status", lists[list][1]), i, status) {
            const char *name = text_at(status, "name");
            struct container container = {
                .pod = pod,
                .spec = diagnosis_named(at(pod, "spec", lists[list][0]), name),
                .status = status,
                .init = list == 0,
                .world = world,
            };
            struct diagnosis found = { .kind = DIAGNOSIS_NONE };
            if (!look_container(&container, &found))
                continue;
            snprintf(found.container, sizeof found.container, "%s", name);
            char *message = xasprintf("%s %s: %s", role(&container), name, found.message);
            snprintf(found.message, sizeof found.message, "%s", message);
            diagnosis_tidy(found.message, sizeof found.message);
            free(message);
            if (found.certain) {
                *diagnosis = found;
                return true;
            }
            if (weak.kind == DIAGNOSIS_NONE)
                weak = found;
        }
    }
    *diagnosis = weak;
    return weak.kind != DIAGNOSIS_NONE;
}

/* ---- volumes ---- */

bool diagnosis_look_volumes(const json_t *pod, const struct diagnosis_world *world,
                            struct diagnosis *diagnosis)
{
    static const char *const reasons[] = { "FailedMount", "FailedAttachVolume", "FailedMapVolume" };
    const json_t *event = NULL;
    char volume[254] = "", key[254], kind[16], name[254] = "";
    if (json_array_size(at(pod, "status", "containerStatuses")) > 0 &&
        diagnosis_condition(pod, "Initialized", "True") &&
        diagnosis_condition(pod, "Ready", "True"))
        return false;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons && !event; i++)
        event = diagnosis_event(world, pod, reasons[i], NULL);
    const char *message = text_at(event, "message");
    if (!event)
        return false;
    diagnosis_between(message, "for volume \"", "\"", volume, sizeof volume);
    if (say_config(message, diagnosis_event_begin(event), world, diagnosis))
        return true;
    if (diagnosis_between(message, "references non-existent ", " key: ", kind, sizeof kind) &&
        diagnosis_between(message, " key: ", "", key, sizeof key)) {
        const json_t *source = diagnosis_named(at(pod, "spec", "volumes"), volume);
        bool secret = strcmp(kind, "secret") == 0;
        snprintf(name, sizeof name, "%s",
                 secret ? text(at(source, "secret", "secretName"))
                        : text(at(source, "configMap", "name")));
        const char *what = secret ? "Secret" : "ConfigMap";
        diagnosis_say(diagnosis, DIAGNOSIS_CONFIG_MISSING, true, diagnosis_event_begin(event),
                      "%s %s has no key \"%s\" (volume %s)", what, name, key, volume);
        diagnosis_lack(diagnosis, world, what, name, key);
        diagnosis_advise(diagnosis, "give %s %s the key \"%s\", or correct the reference", what,
                         name, key);
        return true;
    }
    diagnosis_say(diagnosis, DIAGNOSIS_VOLUME, false, diagnosis_event_begin(event),
                  "%s%s is not %s: %s", *volume ? "volume " : "a volume", volume,
                  strcmp(text_at(event, "reason"), "FailedAttachVolume") == 0 ? "attached"
                                                                              : "mounted",
                  message);
    diagnosis_advise(diagnosis, strstr(message, "Multi-Attach")
                                    ? "another node holds the volume: wait for the pod there to end"
                                    : "look at the volume's driver on the node");
    return true;
}
