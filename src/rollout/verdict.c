#include "rollout/verdict.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* How long a pod may look for a node before that counts as a failure: kstatus' time. */
enum { SCHEDULE_SECONDS = 15 };

/* ---- reading objects ---- */

static const json_t *at(const json_t *object, const char *first, const char *second)
{
    return json_object_get(json_object_get(object, first), second);
}

static int number(const json_t *value, int otherwise)
{
    json_int_t found = json_integer_value(value);
    if (!json_is_integer(value))
        return otherwise;
    return found > INT_MAX ? INT_MAX : found < INT_MIN ? INT_MIN : (int)found;
}

static const char *text(const json_t *value)
{
    const char *found = json_string_value(value);
    return found ? found : "";
}

static bool is(const json_t *value, const char *word)
{
    return strcmp(text(value), word) == 0;
}

static const json_t *condition(const json_t *object, const char *type)
{
    size_t i;
    json_t *row;
    json_array_foreach(at(object, "status", "conditions"), i, row) {
        if (is(json_object_get(row, "type"), type))
            return row;
    }
    return NULL;
}

/* The condition when it has that status, else NULL. */
static const json_t *condition_is(const json_t *object, const char *type, const char *status)
{
    const json_t *row = condition(object, type);
    return row && is(json_object_get(row, "status"), status) ? row : NULL;
}

/* ---- saying ---- */

/* One line of text that ends at a whole character. */
static void tidy(char *line, size_t size)
{
    size_t length = strlen(line);
    if (length + 1 == size) { /* it may have been cut */
        size_t start = length;
        while (start > 0 && ((unsigned char)line[start - 1] & 0xc0) == 0x80)
            start--;
        if (start > 0 && (unsigned char)line[start - 1] >= 0xc0)
            line[start - 1] = '\0';
        else if (start < length)
            line[start] = '\0';
    }
    json_t *probe = json_string(line); /* scripts may say anything; JSON takes only text */
    for (char *at_char = line; *at_char; at_char++) {
        if ((unsigned char)*at_char < ' ' || *at_char == 0x7f)
            *at_char = ' ';
        else if (!probe && (unsigned char)*at_char >= 0x80)
            *at_char = '?';
    }
    json_decref(probe);
    length = strlen(line);
    while (length && line[length - 1] == ' ')
        line[--length] = '\0';
}

void verdict_say(struct verdict *verdict, enum verdict_state state, const char *reason,
                 const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(verdict->message, sizeof verdict->message, fmt, args);
    va_end(args);
    snprintf(verdict->reason, sizeof verdict->reason, "%s", reason);
    tidy(verdict->message, sizeof verdict->message);
    tidy(verdict->reason, sizeof verdict->reason);
    verdict->state = state;
    verdict->detail = 0;
}

static const char unseen_reason[] = "LatestGenerationNotObserved";
static const char unseen_message[] = "waiting for its controller to see the change";

/* A condition's, or a container state's, "Reason: message". */
static void say_row(struct verdict *verdict, enum verdict_state state, const json_t *row)
{
    const char *reason = text(json_object_get(row, "reason"));
    const char *message = text(json_object_get(row, "message"));
    if (!*reason && !*message) {
        verdict_say(verdict, state, "", "%s is %s", text(json_object_get(row, "type")),
                    text(json_object_get(row, "status")));
        return;
    }
    verdict_say(verdict, state, reason, "%s%s%s", reason, *reason && *message ? ": " : "", message);
    size_t detail = strlen(reason) + (*message ? 2 : 0), length = strlen(verdict->message);
    if (*reason)
        verdict->detail = (int)(detail < length ? detail : length);
}

/* Says "have of want what" unless they have been reached. */
static bool is_short(struct verdict *verdict, int have, int want, const char *reason,
                     const char *what)
{
    if (have >= want)
        return false;
    verdict_say(verdict, VERDICT_IN_PROGRESS, reason, "%d of %d %s", have, want, what);
    return true;
}

/* Says that there are more pods than wanted. */
static bool is_over(struct verdict *verdict, int have, int want, const char *what)
{
    if (have <= want)
        return false;
    verdict_say(verdict, VERDICT_IN_PROGRESS, "ExtraPods", "%d %s still to end", have - want, what);
    return true;
}

/* Adds why no pods are made, where the controller says so. */
static void add_replica_failure(const json_t *object, struct verdict *verdict)
{
    const json_t *row = condition_is(object, "ReplicaFailure", "True");
    if (!row || verdict->state != VERDICT_IN_PROGRESS)
        return;
    struct verdict counted = *verdict;
    verdict_say(verdict, VERDICT_IN_PROGRESS, text(json_object_get(row, "reason")), "%s; %s: %s",
                counted.message, text(json_object_get(row, "reason")),
                text(json_object_get(row, "message")));
}

/* ---- one function a kind ---- */

static void judge_deployment(const json_t *object, const struct verdict_extra *extra,
                             struct verdict *verdict)
{
    (void)extra;
    const json_t *status = json_object_get(object, "status");
    const json_t *progressing = condition(object, "Progressing");
    int wanted = number(at(object, "spec", "replicas"), 1);
    int updated = number(json_object_get(status, "updatedReplicas"), 0);
    int all = number(json_object_get(status, "replicas"), 0);
    verdict->wanted = wanted;
    verdict->ready = number(json_object_get(status, "availableReplicas"), 0);
    if (is(json_object_get(progressing, "reason"), "ProgressDeadlineExceeded")) {
        say_row(verdict, VERDICT_FAILED, progressing);
        return;
    }
    if (!is_short(verdict, updated, wanted, "LessUpdated", "updated") &&
        !is_over(verdict, all, updated, "old") && !is_over(verdict, all, wanted, "surplus"))
        is_short(verdict, verdict->ready, updated, "LessAvailable", "available");
    add_replica_failure(object, verdict);
    if (json_is_true(at(object, "spec", "paused")) && verdict->state == VERDICT_IN_PROGRESS) {
        struct verdict counted = *verdict;
        verdict_say(verdict, VERDICT_IN_PROGRESS, "DeploymentPaused", "paused: %s",
                    counted.message);
    }
}

/* The ordinals that the pods begin at change nothing: partition and replicas count from there. */
static void judge_statefulset(const json_t *object, const struct verdict_extra *extra,
                              struct verdict *verdict)
{
    (void)extra;
    const json_t *spec = json_object_get(object, "spec");
    const json_t *status = json_object_get(object, "status");
    const json_t *strategy = json_object_get(spec, "updateStrategy");
    const json_t *partition = at(strategy, "rollingUpdate", "partition");
    int wanted = number(json_object_get(spec, "replicas"), 1);
    int updated = number(json_object_get(status, "updatedReplicas"), 0);
    verdict->wanted = wanted;
    verdict->ready = number(json_object_get(status, "readyReplicas"), 0);
    if (is_short(verdict, verdict->ready, wanted, "LessReady", "ready") ||
        is_over(verdict, number(json_object_get(status, "replicas"), 0), wanted, "surplus"))
        return;
    if (is(json_object_get(strategy, "type"), "OnDelete"))
        return; /* pods are renewed when someone deletes them */
    if (json_is_integer(partition))
        is_short(verdict, updated, wanted - number(partition, 0), "PartitionRollout", "updated");
    else if (strcmp(text(json_object_get(status, "updateRevision")),
                    text(json_object_get(status, "currentRevision"))) != 0)
        verdict_say(verdict, VERDICT_IN_PROGRESS, "RevisionMismatch", "%d of %d updated", updated,
                    wanted);
}

static void judge_daemonset(const json_t *object, const struct verdict_extra *extra,
                            struct verdict *verdict)
{
    (void)extra;
    const json_t *status = json_object_get(object, "status");
    const json_t *desired = json_object_get(status, "desiredNumberScheduled");
    const json_t *strategy = json_object_get(at(object, "spec", "updateStrategy"), "type");
    int wanted = number(desired, 0);
    verdict->wanted = wanted;
    verdict->ready = number(json_object_get(status, "numberAvailable"), 0);
    if (!json_is_integer(desired)) {
        verdict_say(verdict, VERDICT_IN_PROGRESS, "NoDesiredNumber",
                    "waiting for its controller to count the nodes");
        return;
    }
    int scheduled = number(json_object_get(status, "currentNumberScheduled"), 0);
    int updated = number(json_object_get(status, "updatedNumberScheduled"), 0);
    if (is_short(verdict, scheduled, wanted, "LessCurrent", "scheduled"))
        return;
    /* Pods are renewed when someone deletes them there. */
    if (!is(strategy, "OnDelete") && is_short(verdict, updated, wanted, "LessUpdated", "updated"))
        return;
    is_short(verdict, verdict->ready, wanted, "LessAvailable", "available");
}

static void judge_replicaset(const json_t *object, const struct verdict_extra *extra,
                             struct verdict *verdict)
{
    (void)extra;
    const json_t *status = json_object_get(object, "status");
    int labelled = number(json_object_get(status, "fullyLabeledReplicas"), 0);
    verdict->wanted = number(at(object, "spec", "replicas"), 1);
    verdict->ready = number(json_object_get(status, "availableReplicas"), 0);
    if (!is_short(verdict, labelled, verdict->wanted, "LessLabelled", "made") &&
        !is_short(verdict, verdict->ready, verdict->wanted, "LessAvailable", "available"))
        is_over(verdict, number(json_object_get(status, "replicas"), 0), verdict->wanted,
                "surplus");
    add_replica_failure(object, verdict);
}

static void judge_job(const json_t *object, const struct verdict_extra *extra,
                      struct verdict *verdict)
{
    (void)extra;
    const json_t *failed = condition_is(object, "Failed", "True");
    const json_t *completions = at(object, "spec", "completions");
    verdict->wanted = number(completions, 1);
    verdict->ready = number(at(object, "status", "succeeded"), 0);
    if (!failed) /* decided, while the last pods still end */
        failed = condition_is(object, "FailureTarget", "True");
    if (condition_is(object, "Complete", "True"))
        return;
    if (failed)
        say_row(verdict, VERDICT_FAILED, failed);
    else if (condition_is(object, "SuccessCriteriaMet", "True"))
        verdict_say(verdict, VERDICT_IN_PROGRESS, "SuccessCriteriaMet",
                    "succeeded; its last pods still to end");
    else if (json_is_true(at(object, "spec", "suspend")))
        verdict_say(verdict, VERDICT_IN_PROGRESS, "Suspended", "suspended");
    else if (!json_is_string(at(object, "status", "startTime")))
        verdict_say(verdict, VERDICT_IN_PROGRESS, "JobNotStarted", "not started");
    else
        verdict_say(verdict, VERDICT_IN_PROGRESS, "Running", "%d of %d completed", verdict->ready,
                    verdict->wanted);
}

/* Nothing to wait for: it acts when its time comes. */
static void judge_cronjob(const json_t *object, const struct verdict_extra *extra,
                          struct verdict *verdict)
{
    (void)extra;
    if (json_is_true(at(object, "spec", "suspend")))
        verdict_say(verdict, VERDICT_CURRENT, "Suspended", "suspended");
}

/* Says what the first container that is in such a state tells of it; sidecars and init containers
 * too. `reason` NULL: any. */
static bool say_container(const json_t *object, const char *state, const char *reason,
                          enum verdict_state then, struct verdict *verdict)
{
    static const char *const lists[] = { "initContainerStatuses", "containerStatuses" };
    for (int list = 0; list < 2; list++) {
        size_t i;
        json_t *row;
        json_array_foreach(at(object, "status", lists[list]), i, row) {
            const json_t *found = at(row, "state", state);
            const char *why = text(json_object_get(found, "reason"));
            const char *name = text(json_object_get(row, "name"));
            if (!*why || (reason && strcmp(reason, why) != 0) || strcmp(why, "Completed") == 0 ||
                strcmp(why, "ContainerCreating") == 0 || strcmp(why, "PodInitializing") == 0)
                continue;
            const char *message = text(json_object_get(found, "message"));
            int code = number(json_object_get(found, "exitCode"), 0);
            if (code)
                verdict_say(verdict, then, why, "%s: container %s: exit code %d%s%s", why, name,
                            code, *message ? ": " : "", message);
            else
                verdict_say(verdict, then, why, "%s: container %s%s%s", why, name,
                            *message ? ": " : "", message);
            return true;
        }
    }
    return false;
}

/* Timestamps of the API are UTC to the second, so their text has their order. */
static bool is_younger(const json_t *object, int seconds)
{
    char since[32];
    time_t when = time(NULL) - seconds;
    struct tm parts;
    strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &parts));
    return strcmp(text(at(object, "metadata", "creationTimestamp")), since) > 0;
}

static void judge_pod(const json_t *object, const struct verdict_extra *extra,
                      struct verdict *verdict)
{
    (void)extra;
    const json_t *status = json_object_get(object, "status");
    const char *phase = text(json_object_get(status, "phase"));
    const json_t *scheduled = condition_is(object, "PodScheduled", "False");
    const char *reason = text(json_object_get(status, "reason"));
    if (strcmp(phase, "Succeeded") == 0)
        return;
    if (strcmp(phase, "Failed") == 0) {
        if (*reason)
            say_row(verdict, VERDICT_FAILED, status); /* Evicted and such */
        else if (!say_container(object, "terminated", NULL, VERDICT_FAILED, verdict))
            verdict_say(verdict, VERDICT_FAILED, "PodFailed", "the pod failed");
        return;
    }
    if (strcmp(phase, "Running") == 0 && condition_is(object, "Ready", "True"))
        return;
    if (say_container(object, "waiting", "CrashLoopBackOff", VERDICT_FAILED, verdict))
        return;
    if (scheduled && is(json_object_get(scheduled, "reason"), "Unschedulable")) {
        say_row(verdict,
                is_younger(object, SCHEDULE_SECONDS) ? VERDICT_IN_PROGRESS : VERDICT_FAILED,
                scheduled);
        return;
    }
    if (scheduled && is(json_object_get(scheduled, "reason"), "SchedulingGated")) {
        say_row(verdict, VERDICT_IN_PROGRESS, scheduled);
        return;
    }
    if (!say_container(object, "waiting", NULL, VERDICT_IN_PROGRESS, verdict))
        verdict_say(verdict, VERDICT_IN_PROGRESS,
                    strcmp(phase, "Running") == 0 ? "PodRunningNotReady" : "PodPending",
                    "%s, not ready", *phase ? phase : "Pending");
}

/* A class that binds on first use leaves the claim as it is until a pod with it has a node. */
static bool waits_for_consumer(const json_t *claim, const struct verdict_extra *extra)
{
    const char *class_name = text(at(claim, "spec", "storageClassName"));
    if (!extra->find || !*class_name ||
        json_object_get(at(claim, "metadata", "annotations"), "volume.kubernetes.io/selected-node"))
        return false;
    const json_t *class = extra->find("storage.k8s.io", "StorageClass", class_name, extra->arg);
    return is(json_object_get(class, "volumeBindingMode"), "WaitForFirstConsumer");
}

static void judge_claim(const json_t *object, const struct verdict_extra *extra,
                        struct verdict *verdict)
{
    const char *phase = text(at(object, "status", "phase"));
    if (strcmp(phase, "Bound") == 0)
        return;
    if (strcmp(phase, "Lost") == 0)
        verdict_say(verdict, VERDICT_FAILED, "Lost", "its volume is lost");
    else if (waits_for_consumer(object, extra))
        verdict_say(verdict, VERDICT_CURRENT, "WaitForFirstConsumer",
                    "bound when the first pod uses it");
    else
        verdict_say(verdict, VERDICT_IN_PROGRESS, "NotBound", "not bound to a volume");
}

static void judge_volume(const json_t *object, const struct verdict_extra *extra,
                         struct verdict *verdict)
{
    (void)extra;
    const json_t *status = json_object_get(object, "status");
    if (is(json_object_get(status, "phase"), "Failed")) {
        const char *message = text(json_object_get(status, "message"));
        verdict_say(verdict, VERDICT_FAILED, "VolumeFailed", "%s",
                    *message ? message : "the volume failed");
    } else if (is(json_object_get(status, "phase"), "Pending")) {
        verdict_say(verdict, VERDICT_IN_PROGRESS, "VolumePending", "not available yet");
    }
}

static void judge_crd(const json_t *object, const struct verdict_extra *extra,
                      struct verdict *verdict)
{
    (void)extra;
    const json_t *refused = condition_is(object, "NamesAccepted", "False");
    const json_t *closed = condition_is(object, "Established", "False");
    if (refused)
        say_row(verdict, VERDICT_FAILED, refused);
    else if (closed && !is(json_object_get(closed, "reason"), "Installing"))
        say_row(verdict, VERDICT_FAILED, closed);
    else if (!condition_is(object, "Established", "True"))
        verdict_say(verdict, VERDICT_IN_PROGRESS, "Installing", "not established");
}

static void judge_apiservice(const json_t *object, const struct verdict_extra *extra,
                             struct verdict *verdict)
{
    (void)extra;
    const json_t *row = condition(object, "Available");
    if (!row)
        verdict_say(verdict, VERDICT_IN_PROGRESS, "NotAvailable", "not available");
    else if (!is(json_object_get(row, "status"), "True"))
        say_row(verdict, VERDICT_IN_PROGRESS, row);
}

static bool has_address(const json_t *object)
{
    return json_array_size(json_object_get(at(object, "status", "loadBalancer"), "ingress")) > 0;
}

static void judge_service(const json_t *object, const struct verdict_extra *extra,
                          struct verdict *verdict)
{
    (void)extra;
    if (is(at(object, "spec", "type"), "LoadBalancer") && !has_address(object))
        verdict_say(verdict, VERDICT_IN_PROGRESS, "NoAddress", "no address from the load balancer");
}

/* Not every controller tells the address, so none can be waited for. */
static void judge_ingress(const json_t *object, const struct verdict_extra *extra,
                          struct verdict *verdict)
{
    (void)extra;
    if (!has_address(object))
        verdict_say(verdict, VERDICT_CURRENT, "NoAddress", "no address yet");
}

/* Its conditions tell of scaling, not of having come up: without metrics it does nothing, and every
 * new one is without them for a while. */
static void judge_autoscaler(const json_t *object, const struct verdict_extra *extra,
                             struct verdict *verdict)
{
    (void)extra;
    const json_t *row = condition_is(object, "AbleToScale", "False");
    if (!row)
        row = condition_is(object, "ScalingActive", "False");
    if (row)
        say_row(verdict, VERDICT_CURRENT, row);
}

/* A sync that failed leaves no generation, only its condition. */
static void judge_budget(const json_t *object, const struct verdict_extra *extra,
                         struct verdict *verdict)
{
    (void)extra;
    const json_t *row = condition_is(object, "DisruptionAllowed", "False");
    if (row && is(json_object_get(row, "reason"), "SyncFailed"))
        say_row(verdict, VERDICT_IN_PROGRESS, row);
    else if (!json_is_integer(at(object, "status", "observedGeneration")))
        verdict_say(verdict, VERDICT_IN_PROGRESS, unseen_reason, "%s", unseen_message);
}

/* What `kubectl get` and the API server say of an object that isn't there. */
static void judge_answer(const json_t *object, const struct verdict_extra *extra,
                         struct verdict *verdict)
{
    (void)extra;
    if (!is(json_object_get(object, "status"), "Failure"))
        return;
    bool missing = is(json_object_get(object, "reason"), "NotFound");
    say_row(verdict, missing ? VERDICT_GONE : VERDICT_UNKNOWN, object);
}

/* A condition of another generation than the object's: not of what was applied. */
static bool is_stale(const json_t *object, const json_t *row)
{
    const json_t *observed = json_object_get(row, "observedGeneration");
    const json_t *generation = at(object, "metadata", "generation");
    return json_is_integer(observed) && json_integer_value(observed) > 0 &&
           json_is_integer(generation) &&
           json_integer_value(observed) != json_integer_value(generation);
}

/* Kinds of others: the Ready condition, where they have one. */
static void judge_other(const json_t *object, const struct verdict_extra *extra,
                        struct verdict *verdict)
{
    (void)extra;
    const json_t *ready = condition(object, "Ready");
    const json_t *status = json_object_get(ready, "status");
    if (ready && is_stale(object, ready))
        verdict_say(verdict, VERDICT_IN_PROGRESS, unseen_reason, "%s", unseen_message);
    else if (is(status, "False") || is(status, "Unknown"))
        say_row(verdict, VERDICT_IN_PROGRESS, ready);
}

static const struct rule {
    const char *group; /* "" is the core group */
    const char *kind;
    void (*judge)(const json_t *object, const struct verdict_extra *extra, struct verdict *verdict);
    bool observes; /* its controller always tells the generation that it has seen */
} rules[] = {
    { "apps", "Deployment", judge_deployment, true },
    { "apps", "StatefulSet", judge_statefulset, true },
    { "apps", "DaemonSet", judge_daemonset, true },
    { "apps", "ReplicaSet", judge_replicaset, true },
    { "", "ReplicationController", judge_replicaset, true },
    { "batch", "Job", judge_job, false },
    { "batch", "CronJob", judge_cronjob, false },
    { "", "Pod", judge_pod, false },
    { "", "PersistentVolumeClaim", judge_claim, false },
    { "", "PersistentVolume", judge_volume, false },
    { "", "Service", judge_service, false },
    { "networking.k8s.io", "Ingress", judge_ingress, false },
    { "autoscaling", "HorizontalPodAutoscaler", judge_autoscaler, false },
    { "policy", "PodDisruptionBudget", judge_budget, false },
    { "apiextensions.k8s.io", "CustomResourceDefinition", judge_crd, false },
    { "apiregistration.k8s.io", "APIService", judge_apiservice, false },
    { "", "Status", judge_answer, false },
};

static const struct rule other = { "", "", judge_other, false };

static const struct rule *rule_of(const char *api_version, const char *kind)
{
    const char *slash = strchr(api_version, '/');
    size_t length = slash ? (size_t)(slash - api_version) : 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].kind, kind) == 0 && strlen(rules[i].group) == length &&
            strncmp(rules[i].group, api_version, length) == 0)
            return &rules[i];
    return &other;
}

static const struct rule *find_rule(const json_t *object)
{
    return rule_of(text(json_object_get(object, "apiVersion")),
                   text(json_object_get(object, "kind")));
}

bool verdict_is_plain(const char *api_version, const char *kind)
{
    /* Groups of Kubernetes itself, whose kinds without a rule have no conditions to wait for. */
    static const char *const versions[] = { "v1",
                                            "rbac.authorization.k8s.io/v1",
                                            "networking.k8s.io/v1",
                                            "storage.k8s.io/v1",
                                            "scheduling.k8s.io/v1",
                                            "node.k8s.io/v1",
                                            "admissionregistration.k8s.io/v1" };
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strcmp(versions[i], api_version) == 0)
            return rule_of(api_version, kind) == &other;
    return false;
}

/* ---- what holds for every kind ---- */

/* What a Namespace tells of its end, the most telling first. */
static const char *const namespace_rows[] = {
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
};

/* What is being deleted, and what keeps it. */
static bool is_deleted(const json_t *object, struct verdict *verdict)
{
    if (!at(object, "metadata", "deletionTimestamp"))
        return false;
    const json_t *finalizers = at(object, "metadata", "finalizers");
    size_t i, more = json_array_size(finalizers);
    const json_t *row;
    verdict_say(verdict, VERDICT_TERMINATING, "Terminating", "being deleted");
    for (i = 0; i < sizeof namespace_rows / sizeof *namespace_rows; i++) {
        row = condition_is(object, namespace_rows[i], "True");
        if (!row)
            continue;
        verdict_say(verdict, VERDICT_TERMINATING, text(json_object_get(row, "reason")),
                    "being deleted: %s", text(json_object_get(row, "message")));
        return true;
    }
    if (more > 1)
        verdict_say(verdict, VERDICT_TERMINATING, "Terminating",
                    "being deleted; waits for finalizer %s and %zu more",
                    text(json_array_get(finalizers, 0)), more - 1);
    else if (more)
        verdict_say(verdict, VERDICT_TERMINATING, "Terminating",
                    "being deleted; waits for finalizer %s", text(json_array_get(finalizers, 0)));
    return true;
}

/* Whether its status is that of another generation, which tells nothing. */
static bool is_unseen(const json_t *object, const struct rule *rule, struct verdict *verdict)
{
    const json_t *observed = at(object, "status", "observedGeneration");
    const json_t *generation = at(object, "metadata", "generation");
    if (!json_is_integer(generation) || (!json_is_integer(observed) && !rule->observes) ||
        (json_is_integer(observed) &&
         json_integer_value(observed) == json_integer_value(generation)))
        return false;
    verdict_say(verdict, VERDICT_IN_PROGRESS, unseen_reason, "%s", unseen_message);
    return true;
}

/* The conditions that kstatus asks of everyone. */
static bool says_itself(const json_t *object, struct verdict *verdict)
{
    const json_t *stalled = condition_is(object, "Stalled", "True");
    const json_t *reconciling = condition_is(object, "Reconciling", "True");
    if (stalled && !is_stale(object, stalled))
        say_row(verdict, VERDICT_FAILED, stalled);
    else if (reconciling)
        say_row(verdict, VERDICT_IN_PROGRESS, reconciling);
    else
        return false;
    return true;
}

void verdict_with(const json_t *object, const struct verdict_extra *extra, struct verdict *verdict)
{
    const struct rule *rule = find_rule(object);
    *verdict = (struct verdict){ .state = VERDICT_CURRENT };
    rule->judge(object, extra, verdict); /* also for the numbers */
    if (is_deleted(object, verdict) || is_unseen(object, rule, verdict))
        return;
    struct verdict own = { .state = VERDICT_CURRENT };
    if (extra->own && extra->own(object, &own, extra->arg)) {
        own.ready = verdict->ready;
        own.wanted = verdict->wanted;
        *verdict = own;
        return;
    }
    says_itself(object, verdict);
}

void verdict_of(const json_t *object, struct verdict *verdict)
{
    static const struct verdict_extra nothing = { NULL, NULL, NULL };
    verdict_with(object, &nothing, verdict);
}

bool verdict_is_final(enum verdict_state state)
{
    return state == VERDICT_CURRENT || state == VERDICT_FAILED || state == VERDICT_GONE;
}

const char *verdict_word(enum verdict_state state)
{
    switch (state) {
    case VERDICT_CURRENT: return "Current";
    case VERDICT_IN_PROGRESS: return "InProgress";
    case VERDICT_FAILED: return "Failed";
    case VERDICT_TERMINATING: return "Terminating";
    case VERDICT_GONE: return "NotFound";
    case VERDICT_UNKNOWN: return "Unknown";
    }
    return "Unknown";
}

const char *verdict_detail(const struct verdict *verdict)
{
    return verdict->message + verdict->detail;
}
