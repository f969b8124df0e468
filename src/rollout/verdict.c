#include "rollout/verdict.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- reading objects ---- */

static const json_t *at(const json_t *object, const char *first, const char *second)
{
    return json_object_get(json_object_get(object, first), second);
}

static int number(const json_t *value, int otherwise)
{
    return json_is_integer(value) ? (int)json_integer_value(value) : otherwise;
}

static const char *text(const json_t *value)
{
    const char *found = json_string_value(value);
    return found ? found : "";
}

static const json_t *condition(const json_t *object, const char *type)
{
    size_t i;
    json_t *row;
    json_array_foreach(at(object, "status", "conditions"), i, row) {
        if (strcmp(text(json_object_get(row, "type")), type) == 0)
            return row;
    }
    return NULL;
}

static bool condition_is(const json_t *object, const char *type, const char *status)
{
    return strcmp(text(json_object_get(condition(object, type), "status")), status) == 0;
}

static void say(struct verdict *verdict, enum verdict_state state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct verdict *verdict, enum verdict_state state, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(verdict->message, sizeof verdict->message, fmt, args);
    va_end(args);
    verdict->state = state;
}

/* A condition's "Reason: message". */
static void say_condition(struct verdict *verdict, enum verdict_state state, const json_t *row)
{
    const char *reason = text(json_object_get(row, "reason"));
    const char *message = text(json_object_get(row, "message"));
    say(verdict, state, "%s%s%s", reason, *reason && *message ? ": " : "", message);
}

/* Whether the controller has not seen the newest spec yet; its status tells nothing then. */
static bool is_unseen(const json_t *object, struct verdict *verdict)
{
    const json_t *observed = at(object, "status", "observedGeneration");
    const json_t *generation = at(object, "metadata", "generation");
    if (json_is_integer(generation) &&
        json_integer_value(observed) < json_integer_value(generation)) {
        say(verdict, VERDICT_IN_PROGRESS, "waiting for its controller to see the change");
        return true;
    }
    return false;
}

/* Says "have of want what" unless they have been reached. */
static bool is_short(struct verdict *verdict, int have, int want, const char *what)
{
    if (have >= want)
        return false;
    say(verdict, VERDICT_IN_PROGRESS, "%d of %d %s", have, want, what);
    return true;
}

/* ---- one function a kind ---- */

static void judge_deployment(const json_t *object, struct verdict *verdict)
{
    const json_t *status = json_object_get(object, "status");
    const json_t *progressing = condition(object, "Progressing");
    int wanted = number(at(object, "spec", "replicas"), 1);
    int updated = number(json_object_get(status, "updatedReplicas"), 0);
    int all = number(json_object_get(status, "replicas"), 0);
    verdict->wanted = wanted;
    verdict->ready = number(json_object_get(status, "availableReplicas"), 0);
    if (is_unseen(object, verdict))
        return;
    if (strcmp(text(json_object_get(progressing, "reason")), "ProgressDeadlineExceeded") == 0)
        say_condition(verdict, VERDICT_FAILED, progressing);
    else if (is_short(verdict, updated, wanted, "updated"))
        return;
    else if (all > updated)
        say(verdict, VERDICT_IN_PROGRESS, "%d old still to end", all - updated);
    else
        is_short(verdict, verdict->ready, updated, "available");
}

static void judge_statefulset(const json_t *object, struct verdict *verdict)
{
    const json_t *spec = json_object_get(object, "spec");
    const json_t *status = json_object_get(object, "status");
    const json_t *strategy = json_object_get(spec, "updateStrategy");
    int wanted = number(json_object_get(spec, "replicas"), 1);
    int partition = number(at(strategy, "rollingUpdate", "partition"), 0);
    int updated = number(json_object_get(status, "updatedReplicas"), 0);
    const char *update = text(json_object_get(status, "updateRevision"));
    const char *current = text(json_object_get(status, "currentRevision"));
    verdict->wanted = wanted;
    verdict->ready = number(json_object_get(status, "readyReplicas"), 0);
    if (is_unseen(object, verdict) || is_short(verdict, verdict->ready, wanted, "ready"))
        return;
    if (strcmp(text(json_object_get(strategy, "type")), "OnDelete") == 0)
        return; /* pods are renewed when someone deletes them */
    if (partition > 0)
        is_short(verdict, updated, wanted - partition, "updated");
    else if (strcmp(update, current) != 0)
        say(verdict, VERDICT_IN_PROGRESS, "%d of %d updated", updated, wanted);
    else if (number(json_object_get(status, "replicas"), 0) > wanted)
        say(verdict, VERDICT_IN_PROGRESS, "surplus pods still to end");
}

static void judge_daemonset(const json_t *object, struct verdict *verdict)
{
    const json_t *status = json_object_get(object, "status");
    const char *strategy = text(json_object_get(at(object, "spec", "updateStrategy"), "type"));
    int wanted = number(json_object_get(status, "desiredNumberScheduled"), 0);
    verdict->wanted = wanted;
    verdict->ready = number(json_object_get(status, "numberAvailable"), 0);
    if (is_unseen(object, verdict))
        return;
    int updated = number(json_object_get(status, "updatedNumberScheduled"), 0);
    if (strcmp(strategy, "OnDelete") != 0 && is_short(verdict, updated, wanted, "updated"))
        return;
    is_short(verdict, verdict->ready, wanted, "available");
}

static void judge_replicaset(const json_t *object, struct verdict *verdict)
{
    verdict->wanted = number(at(object, "spec", "replicas"), 1);
    verdict->ready = number(at(object, "status", "availableReplicas"), 0);
    if (is_unseen(object, verdict))
        return;
    if (condition_is(object, "ReplicaFailure", "True"))
        say_condition(verdict, VERDICT_IN_PROGRESS, condition(object, "ReplicaFailure"));
    else
        is_short(verdict, verdict->ready, verdict->wanted, "available");
}

static void judge_job(const json_t *object, struct verdict *verdict)
{
    verdict->wanted = number(at(object, "spec", "completions"), 1);
    verdict->ready = number(at(object, "status", "succeeded"), 0);
    if (condition_is(object, "Complete", "True"))
        return;
    if (condition_is(object, "Failed", "True"))
        say_condition(verdict, VERDICT_FAILED, condition(object, "Failed"));
    else if (json_is_true(at(object, "spec", "suspend")))
        say(verdict, VERDICT_IN_PROGRESS, "suspended");
    else
        say(verdict, VERDICT_IN_PROGRESS, "%d of %d completed", verdict->ready, verdict->wanted);
}

static void judge_pod(const json_t *object, struct verdict *verdict)
{
    const char *phase = text(at(object, "status", "phase"));
    if (strcmp(phase, "Failed") == 0)
        say(verdict, VERDICT_FAILED, "the pod failed: %s", text(at(object, "status", "message")));
    else if (strcmp(phase, "Succeeded") != 0 && !condition_is(object, "Ready", "True"))
        say(verdict, VERDICT_IN_PROGRESS, "%s, not ready", *phase ? phase : "Pending");
}

static void judge_claim(const json_t *object, struct verdict *verdict)
{
    const char *phase = text(at(object, "status", "phase"));
    if (strcmp(phase, "Lost") == 0)
        say(verdict, VERDICT_FAILED, "its volume is lost");
    else if (strcmp(phase, "Bound") != 0)
        say(verdict, VERDICT_IN_PROGRESS, "not bound to a volume");
}

static void judge_crd(const json_t *object, struct verdict *verdict)
{
    if (condition_is(object, "NamesAccepted", "False"))
        say_condition(verdict, VERDICT_FAILED, condition(object, "NamesAccepted"));
    else if (!condition_is(object, "Established", "True"))
        say(verdict, VERDICT_IN_PROGRESS, "not established");
}

static void judge_apiservice(const json_t *object, struct verdict *verdict)
{
    const json_t *row = condition(object, "Available");
    if (strcmp(text(json_object_get(row, "status")), "True") != 0)
        say_condition(verdict, VERDICT_IN_PROGRESS, row);
}

static void judge_service(const json_t *object, struct verdict *verdict)
{
    bool balanced = strcmp(text(at(object, "spec", "type")), "LoadBalancer") == 0;
    const json_t *balancer = at(object, "status", "loadBalancer");
    if (balanced && json_array_size(json_object_get(balancer, "ingress")) == 0)
        say(verdict, VERDICT_IN_PROGRESS, "no address from the load balancer");
}

static void judge_nothing(const json_t *object, struct verdict *verdict)
{
    (void)object;
    (void)verdict;
}

/* Kinds of others: the conventions that kstatus goes by. */
static void judge_other(const json_t *object, struct verdict *verdict)
{
    if (json_is_integer(at(object, "status", "observedGeneration")) && is_unseen(object, verdict))
        return;
    if (condition_is(object, "Stalled", "True"))
        say_condition(verdict, VERDICT_FAILED, condition(object, "Stalled"));
    else if (condition_is(object, "Reconciling", "True"))
        say_condition(verdict, VERDICT_IN_PROGRESS, condition(object, "Reconciling"));
    else if (condition_is(object, "Ready", "False") || condition_is(object, "Ready", "Unknown"))
        say_condition(verdict, VERDICT_IN_PROGRESS, condition(object, "Ready"));
}

static const struct {
    const char *group; /* "" is the core group */
    const char *kind;
    void (*judge)(const json_t *object, struct verdict *verdict);
} rules[] = {
    { "apps", "Deployment", judge_deployment },
    { "apps", "StatefulSet", judge_statefulset },
    { "apps", "DaemonSet", judge_daemonset },
    { "apps", "ReplicaSet", judge_replicaset },
    { "batch", "Job", judge_job },
    { "", "Pod", judge_pod },
    { "", "PersistentVolumeClaim", judge_claim },
    { "", "Service", judge_service },
    { "apiextensions.k8s.io", "CustomResourceDefinition", judge_crd },
    { "apiregistration.k8s.io", "APIService", judge_apiservice },
    /* Its Ready-less conditions tell of scaling, not of having come up. */
    { "autoscaling", "HorizontalPodAutoscaler", judge_nothing },
};

void verdict_of(const json_t *object, struct verdict *verdict)
{
    const char *api_version = text(json_object_get(object, "apiVersion"));
    const char *kind = text(json_object_get(object, "kind"));
    const char *slash = strchr(api_version, '/');
    size_t length = slash ? (size_t)(slash - api_version) : 0;
    *verdict = (struct verdict){ .state = VERDICT_CURRENT };
    if (at(object, "metadata", "deletionTimestamp")) {
        say(verdict, VERDICT_IN_PROGRESS, "being deleted");
        return;
    }
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].kind, kind) == 0 && strlen(rules[i].group) == length &&
            strncmp(rules[i].group, api_version, length) == 0) {
            rules[i].judge(object, verdict);
            return;
        }
    }
    judge_other(object, verdict);
}
