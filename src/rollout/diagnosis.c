#include "rollout/diagnosis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"
#include "rollout/diagnosis_parts.h"

static const char *const words[] = {
    [DIAGNOSIS_NONE] = "",
    [DIAGNOSIS_PODS_REFUSED] = "PodsRefused",
    [DIAGNOSIS_UNSCHEDULABLE] = "Unschedulable",
    [DIAGNOSIS_CLAIM_UNBOUND] = "ClaimUnbound",
    [DIAGNOSIS_VOLUME] = "Volume",
    [DIAGNOSIS_CONFIG_MISSING] = "ConfigMissing",
    [DIAGNOSIS_IMAGE] = "ImagePull",
    [DIAGNOSIS_CONTAINER_REFUSED] = "ContainerRefused",
    [DIAGNOSIS_OUT_OF_MEMORY] = "OutOfMemory",
    [DIAGNOSIS_CRASH] = "CrashLoop",
    [DIAGNOSIS_INIT_RUNS] = "InitRuns",
    [DIAGNOSIS_PROBE] = "ProbeFailing",
    [DIAGNOSIS_EVICTED] = "Evicted",
    [DIAGNOSIS_JOB_FAILED] = "JobFailed",
    [DIAGNOSIS_PROGRESS_DEADLINE] = "ProgressDeadline",
};

const char *diagnosis_word(enum diagnosis_kind kind)
{
    return words[kind];
}

/* ---- pods that are not made ---- */

/* What the message of a refusal tells. The first that fits counts. */
static const struct refusal {
    const char *part;
    const char *missing; /* the kind of what it names between `before` and `after` */
    const char *before, *after;
    bool certain;
    const char *hint;
} refusals[] = {
    { "exceeded quota", NULL, NULL, NULL, true,
      "raise the ResourceQuota of the namespace, ask for less, or remove what uses it up" },
    { "failed quota", NULL, NULL, NULL, true,
      "give every container the requests and limits that the ResourceQuota counts" },
    { "error looking up service account", "ServiceAccount", "serviceaccount \"", "\"", true,
      "make the ServiceAccount, or take another one" },
    { "no PriorityClass with name", "PriorityClass", "PriorityClass with name ", " was", true,
      "make the PriorityClass, or take another one" },
    { "failed calling webhook", NULL, NULL, NULL, false,
      "look at the Service and the pods of the webhook" },
    { "denied the request", NULL, NULL, NULL, true, "do as the admission webhook asks" },
    { "denied request", NULL, NULL, NULL, true, "do as the admission policy asks" },
    { "violates PodSecurity", NULL, NULL, NULL, true,
      "set securityContext as the Pod Security Standard of the namespace asks, or change the "
      "namespace's label" },
    { "usage per", NULL, NULL, NULL, true, "stay within the LimitRange of the namespace" },
    { "is forbidden", NULL, NULL, NULL, true, "" },
    { "is invalid", NULL, NULL, NULL, true, "" },
    { "", NULL, NULL, NULL, false, "" },
};

/* The message without what everyone knows: that creating pods "web-" is what failed. */
static const char *without_preamble(const char *message)
{
    static const char *const ends[] = { "is forbidden: ", "Error creating: ", "failed error: " };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *found = strstr(message, ends[i]);
        if (found)
            return found + strlen(ends[i]);
    }
    return message;
}

static bool say_refused(struct diagnosis *diagnosis, const struct diagnosis_world *world,
                        const char *kind, const json_t *object, const char *message,
                        const char *since)
{
    const struct refusal *row = refusals;
    char name[254];
    while (!strstr(message, row->part))
        row++;
    diagnosis_place(diagnosis, kind, object);
    diagnosis_say(diagnosis, DIAGNOSIS_PODS_REFUSED, row->certain, since,
                  "its pods are refused: %s", without_preamble(message));
    diagnosis_advise(diagnosis, "%s", row->hint);
    if (row->missing && diagnosis_between(message, row->before, row->after, name, sizeof name)) {
        diagnosis_say(diagnosis, DIAGNOSIS_PODS_REFUSED, row->certain, since,
                      "its pods are refused: there is no %s %s", row->missing, name);
        diagnosis_lack(diagnosis, world, row->missing, name, "");
    }
    return true;
}

/* Pods that a controller could not make, and still cannot. */
static bool look_refused(const char *kind, const json_t *object,
                         const struct diagnosis_world *world, struct diagnosis *diagnosis)
{
    const json_t *row = diagnosis_condition(object, "ReplicaFailure", "True");
    const json_t *failed = diagnosis_event(world, object, "FailedCreate", NULL);
    const json_t *made = diagnosis_event(world, object, "SuccessfulCreate", NULL);
    if (row)
        return say_refused(diagnosis, world, kind, object, text_at(row, "message"),
                           text_at(row, "lastTransitionTime"));
    if (!failed || (made && strcmp(diagnosis_event_time(made), diagnosis_event_time(failed)) > 0))
        return false;
    return say_refused(diagnosis, world, kind, object, text_at(failed, "message"),
                       diagnosis_event_begin(failed));
}

/* ---- pods ---- */

static bool look_failed(const json_t *pod, const struct diagnosis_world *world,
                        struct diagnosis *diagnosis)
{
    const json_t *status = json_object_get(pod, "status");
    const char *reason = text_at(status, "reason");
    (void)world;
    if (!is(json_object_get(status, "phase"), "Failed") || !*reason)
        return false;
    diagnosis_say(diagnosis, DIAGNOSIS_EVICTED, false, diagnosis_since(pod), "%s%s%s",
                  strcmp(reason, "Evicted") == 0 ? "evicted" : reason,
                  *text_at(status, "message") ? ": " : "", text_at(status, "message"));
    return true;
}

static bool diagnose_pod(const json_t *pod, const struct diagnosis_world *world,
                         struct diagnosis *diagnosis)
{
    static bool (*const looks[])(const json_t *, const struct diagnosis_world *,
                                 struct diagnosis *) = { look_failed, diagnosis_look_nodes,
                                                         diagnosis_look_containers,
                                                         diagnosis_look_volumes };
    if (is(at(pod, "status", "phase"), "Succeeded") || diagnosis_condition(pod, "Ready", "True"))
        return false;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        *diagnosis = (struct diagnosis){ .kind = DIAGNOSIS_NONE };
        if (!looks[i](pod, world, diagnosis))
            continue;
        if (!*diagnosis->object)
            diagnosis_place(diagnosis, "Pod", pod);
        return true;
    }
    return false;
}

/* ---- workloads ---- */

static bool is_being_deleted(const json_t *object)
{
    return at(object, "metadata", "deletionTimestamp") != NULL;
}

static long revision_of(const json_t *replicaset)
{
    return strtol(meta_annotation(replicaset, "deployment.kubernetes.io/revision"), NULL, 10);
}

/* The ReplicaSet of a Deployment's newest template: others are of the past. */
static const json_t *newest_replicaset(const json_t *deployment,
                                       const struct diagnosis_world *world)
{
    const json_t *newest = NULL;
    const char *name;
    json_t *one;
    json_object_foreach((json_t *)diagnosis_below(world, world->replicasets, deployment), name,
                        one) {
        if (diagnosis_is_owned(one, deployment) &&
            (!newest || revision_of(one) > revision_of(newest)))
            newest = one;
    }
    return newest;
}

/* Whose pods count: of a Deployment its newest ReplicaSet. */
const json_t *diagnosis_owner_of_pods(const json_t *workload, const struct diagnosis_world *world)
{
    return strcmp(kind_of(workload), "Deployment") == 0 ? newest_replicaset(workload, world)
                                                        : workload;
}

/* What of a pod makes it likely that others of the same workload will not fare better. */
static bool is_of_the_pod(enum diagnosis_kind kind)
{
    return kind == DIAGNOSIS_CRASH || kind == DIAGNOSIS_OUT_OF_MEMORY || kind == DIAGNOSIS_IMAGE ||
           kind == DIAGNOSIS_CONTAINER_REFUSED;
}

/* Whether `one` tells more than `other`: what is certain, then the smaller name, so that it does
 * not depend on the order of events. */
static bool tells_more(const struct diagnosis *one, const struct diagnosis *other)
{
    if (other->kind == DIAGNOSIS_NONE)
        return true;
    if (one->certain != other->certain)
        return one->certain;
    return strcmp(one->object, other->object) < 0;
}

static bool look_pods(const json_t *workload, const json_t *owner,
                      const struct diagnosis_world *world, struct diagnosis *diagnosis)
{
    struct diagnosis best = { .kind = DIAGNOSIS_NONE };
    size_t pods = 0, doomed = 0, ready = 0;
    const char *name;
    json_t *pod;
    json_object_foreach((json_t *)diagnosis_below(world, world->pods, owner), name, pod) {
        struct diagnosis found = { .kind = DIAGNOSIS_NONE };
        if (!diagnosis_is_owned(pod, owner) || is_being_deleted(pod))
            continue;
        pods++;
        ready += diagnosis_condition(pod, "Ready", "True") != NULL;
        if (!diagnose_pod(pod, world, &found))
            continue;
        doomed += found.certain;
        if (tells_more(&found, &best))
            best = found;
    }
    if (best.kind == DIAGNOSIS_NONE)
        return false;
    /* One pod of many equal ones may have bad luck; those of a StatefulSet or DaemonSet differ. */
    if (strcmp(kind_of(workload), "Deployment") == 0 && best.certain) {
        size_t alike = is_of_the_pod(best.kind) ? pods : pods - ready;
        best.certain = doomed == alike;
    }
    if (strcmp(kind_of(workload), "Job") == 0 && is_of_the_pod(best.kind) &&
        best.kind != DIAGNOSIS_IMAGE && best.kind != DIAGNOSIS_CONTAINER_REFUSED)
        best.certain = false; /* its backoffLimit tells */
    *diagnosis = best;
    return true;
}

/* The pod of a Job that failed last, and how many did. */
static const json_t *last_failed_pod(const json_t *job, const struct diagnosis_world *world,
                                     json_int_t *count)
{
    const json_t *last = NULL;
    const char *name;
    json_t *pod;
    *count = 0;
    json_object_foreach((json_t *)diagnosis_below(world, world->pods, job), name, pod) {
        const char *begun = meta_text(pod, "creationTimestamp");
        if (!diagnosis_is_owned(pod, job) || !is(at(pod, "status", "phase"), "Failed"))
            continue;
        ++*count;
        if (!last || strcmp(begun, meta_text(last, "creationTimestamp")) > 0)
            last = pod;
    }
    return last;
}

static bool look_job(const json_t *job, const struct diagnosis_world *world,
                     struct diagnosis *diagnosis)
{
    const json_t *row = diagnosis_condition(job, "Failed", "True");
    struct diagnosis pod = { .kind = DIAGNOSIS_NONE };
    struct buf sentence = BUF_INIT;
    if (!row)
        row = diagnosis_condition(job, "FailureTarget", "True");
    const char *reason = text_at(row, "reason"), *since = text_at(row, "lastTransitionTime");
    if (!row)
        return false;
    json_int_t times = json_integer_value(at(job, "status", "failed")), seen;
    const json_t *failed = last_failed_pod(job, world, &seen);
    if (failed && diagnosis_look_containers(failed, world, &pod))
        diagnosis_place(&pod, "Pod", failed);
    else
        look_pods(job, job, world, &pod);
    if (seen > times) /* its status may not have counted the last one yet */
        times = seen;
    if (strcmp(reason, "BackoffLimitExceeded") == 0)
        buf_addf(&sentence,
                 "failed %" JSON_INTEGER_FORMAT " time%s (backoffLimit %" JSON_INTEGER_FORMAT ")",
                 times, times == 1 ? "" : "s",
                 json_is_integer(at(job, "spec", "backoffLimit"))
                     ? json_integer_value(at(job, "spec", "backoffLimit"))
                     : 6);
    else if (strcmp(reason, "DeadlineExceeded") == 0)
        buf_addf(&sentence, "was not done within %" JSON_INTEGER_FORMAT " s (its deadline)",
                 json_integer_value(at(job, "spec", "activeDeadlineSeconds")));
    else
        buf_addf(&sentence, "%s: %s", reason, text_at(row, "message"));
    if (pod.kind != DIAGNOSIS_NONE)
        buf_addf(&sentence, "; %s", pod.message);
    *diagnosis = pod;
    if (pod.kind == DIAGNOSIS_NONE) {
        diagnosis_place(diagnosis, "Job", job);
        diagnosis_advise(diagnosis, strcmp(reason, "DeadlineExceeded") == 0
                                        ? "a longer deadline, or find out what it waits for"
                                        : "");
    }
    diagnosis_say(diagnosis, DIAGNOSIS_JOB_FAILED, true, since, "%s", buf_text(&sentence));
    buf_release(&sentence);
    return true;
}

/* The workload's own last word, when there is nothing below it that tells more. */
static bool look_deadline(const json_t *workload, struct diagnosis *diagnosis)
{
    const json_t *row = diagnosis_condition(workload, "Progressing", "False");
    if (!is(json_object_get(row, "reason"), "ProgressDeadlineExceeded"))
        return false;
    if (diagnosis->kind == DIAGNOSIS_NONE) {
        diagnosis_place(diagnosis, kind_of(workload), workload);
        diagnosis_say(diagnosis, DIAGNOSIS_PROGRESS_DEADLINE, true,
                      text_at(row, "lastTransitionTime"), "no progress within its deadline: %s",
                      text_at(row, "message"));
    }
    diagnosis->certain = true;
    return true;
}

bool diagnosis_covers(const char *kind)
{
    static const char *const kinds[] = { "Deployment", "StatefulSet",
                                         "DaemonSet",  "ReplicaSet",
                                         "Job",        "ReplicationController",
                                         "Pod",        "PersistentVolumeClaim" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

bool diagnosis_of(const json_t *workload, const struct diagnosis_world *world,
                  struct diagnosis *diagnosis)
{
    const char *kind = kind_of(workload);
    *diagnosis = (struct diagnosis){ .kind = DIAGNOSIS_NONE };
    if (strcmp(kind, "PersistentVolumeClaim") == 0)
        return diagnosis_look_claim(workload, world, diagnosis);
    if (strcmp(kind, "Pod") == 0)
        return diagnose_pod(workload, world, diagnosis);
    if (look_job(workload, world, diagnosis))
        return true;
    const json_t *owner = diagnosis_owner_of_pods(workload, world);
    if (owner)
        look_pods(workload, owner, world, diagnosis);
    if (diagnosis->kind == DIAGNOSIS_NONE || !diagnosis->certain) {
        struct diagnosis refused = { .kind = DIAGNOSIS_NONE };
        bool found = false;
        if (owner && owner != workload)
            found = look_refused("ReplicaSet", owner, world, &refused);
        if (!found)
            found = look_refused(kind, workload, world, &refused);
        if (found)
            *diagnosis = refused;
    }
    look_deadline(workload, diagnosis);
    return diagnosis->kind != DIAGNOSIS_NONE;
}
