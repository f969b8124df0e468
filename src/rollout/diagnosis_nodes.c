#include "rollout/diagnosis_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"

/* ---- claims ---- */

bool diagnosis_look_claim(const json_t *claim, const struct diagnosis_world *world,
                          struct diagnosis *diagnosis)
{
    const json_t *failed = diagnosis_event(world, claim, "ProvisioningFailed", NULL);
    const json_t *unbound = diagnosis_event(world, claim, "FailedBinding", NULL);
    const json_t *external = diagnosis_event(world, claim, "ExternalProvisioning", NULL);
    const char *message = text_at(failed, "message"), *name = meta_text(claim, "name");
    const char *class_name = text(at(claim, "spec", "storageClassName"));
    const char *phase = text(at(claim, "status", "phase"));
    if (strcmp(phase, "Bound") == 0)
        return false;
    diagnosis_place(diagnosis, "PersistentVolumeClaim", claim);
    if (strcmp(phase, "Lost") == 0) {
        diagnosis_say(diagnosis, DIAGNOSIS_CLAIM_UNBOUND, true, "",
                      "the volume of claim %s is lost", name);
        diagnosis_advise(diagnosis, "restore the volume, or delete the claim and what it held");
    } else if (failed && strstr(message, "storageclass") && strstr(message, "not found")) {
        diagnosis_say(diagnosis, DIAGNOSIS_CLAIM_UNBOUND, true, diagnosis_event_begin(failed),
                      "claim %s is not bound: there is no StorageClass %s", name, class_name);
        diagnosis_advise(diagnosis,
                         "kubectl get storageclass tells what there is; the class of a claim can't "
                         "be changed: delete the claim first");
        diagnosis_lack(diagnosis, world, "StorageClass", class_name, "");
    } else if (failed) {
        diagnosis_say(diagnosis, DIAGNOSIS_CLAIM_UNBOUND,
                      strstr(message, "no volume plugin matched") != NULL,
                      diagnosis_event_begin(failed), "claim %s gets no volume: %s", name, message);
        diagnosis_advise(diagnosis, "look at the provisioner of StorageClass %s", class_name);
    } else if (unbound) {
        diagnosis_say(diagnosis, DIAGNOSIS_CLAIM_UNBOUND, true, diagnosis_event_begin(unbound),
                      "claim %s is not bound: %s", name,
                      *class_name ? "no volume fits it, and its StorageClass makes none"
                                  : "it has no StorageClass, and no volume fits it");
        diagnosis_advise(diagnosis, "name a StorageClass, or make a PersistentVolume that fits");
        if (world->is_coming && world->is_coming("PersistentVolume", "", "", world->arg))
            diagnosis->certain = false;
    } else if (external) {
        diagnosis_say(diagnosis, DIAGNOSIS_CLAIM_UNBOUND, false, diagnosis_event_begin(external),
                      "claim %s waits for its provisioner: %s", name, text_at(external, "message"));
        diagnosis_advise(diagnosis, "look whether the provisioner of StorageClass %s runs",
                         class_name);
    } else {
        *diagnosis = (struct diagnosis){ .kind = DIAGNOSIS_NONE };
    }
    return diagnosis->kind != DIAGNOSIS_NONE;
}

/* The first claim of the pod that has something to tell. */
bool diagnosis_look_claims(const json_t *pod, const struct diagnosis_world *world,
                           struct diagnosis *diagnosis)
{
    size_t i;
    json_t *volume;
    json_array_foreach(at(pod, "spec", "volumes"), i, volume) {
        const char *name = text(at(volume, "persistentVolumeClaim", "claimName"));
        const json_t *claim = *name ? json_object_get(world->claims, name) : NULL;
        if (claim && diagnosis_look_claim(claim, world, diagnosis)) {
            snprintf(diagnosis->pod, sizeof diagnosis->pod, "%s", meta_text(pod, "name"));
            return true;
        }
    }
    return false;
}

/* ---- nodes ---- */

/* The scheduler's reasons, in words for one node and for several. */
static const struct node_words {
    const char *part, *one, *many;
} node_words[] = {
    { "node(s) didn't match Pod's node affinity/selector",
      "does not match the pod's node selector or affinity",
      "don't match the pod's node selector or affinity" },
    { "node(s) didn't match pod anti-affinity rules", "has a pod that it must not be with",
      "have a pod that it must not be with" },
    { "node(s) didn't match pod affinity rules", "has no pod that it must be with",
      "have no pod that it must be with" },
    { "node(s) didn't satisfy existing pods anti-affinity rules",
      "has a pod that wants to be without it", "have a pod that wants to be without it" },
    { "node(s) didn't match pod topology spread constraints", "would make the pods uneven",
      "would make the pods uneven" },
    { "node(s) didn't have free ports", "has its host port in use", "have its host port in use" },
    { "node(s) were unschedulable", "is cordoned", "are cordoned" },
    { "node(s) had volume node affinity conflict", "can't reach its volume",
      "can't reach its volume" },
    { "node(s) didn't find available persistent volumes", "has no volume for its claim",
      "have no volume for its claim" },
    { "node(s) exceed max volume count", "holds as many volumes as it may",
      "hold as many volumes as they may" },
    { "node(s) were not ready", "is not ready", "are not ready" },
    { "Too many pods", "holds as many pods as it may", "hold as many pods as they may" },
};

static bool is_tolerated(const json_t *pod, const json_t *taint)
{
    size_t i;
    json_t *row;
    json_array_foreach(at(pod, "spec", "tolerations"), i, row) {
        const char *key = text_at(row, "key"), *effect = text_at(row, "effect");
        bool any_value = is(json_object_get(row, "operator"), "Exists");
        if ((*effect && !is(json_object_get(taint, "effect"), effect)) ||
            (*key && !is(json_object_get(taint, "key"), key)))
            continue;
        if (any_value || strcmp(text_at(row, "value"), text_at(taint, "value")) == 0)
            return true;
    }
    return false;
}

/* "a=b, c": the taints of the nodes that keep the pod off. */
static void list_taints(const json_t *pod, const json_t *nodes, struct buf *out)
{
    const char *name;
    json_t *node, *seen = json_object();
    json_object_foreach((json_t *)nodes, name, node) {
        size_t i;
        json_t *taint;
        json_array_foreach(at(node, "spec", "taints"), i, taint) {
            const char *value = text_at(taint, "value");
            if (is(json_object_get(taint, "effect"), "PreferNoSchedule") ||
                is_tolerated(pod, taint))
                continue;
            char *words_of_it =
                xasprintf("%s%s%s", text_at(taint, "key"), *value ? "=" : "", value);
            if (!json_object_get(seen, words_of_it))
                buf_addf(out, "%s%s", out->len ? ", " : "", words_of_it);
            json_object_set_new(seen, words_of_it, json_true());
            free(words_of_it);
        }
    }
    json_decref(seen);
}

/* "2 lack memory", for "2 Insufficient memory". `taints`: those that keep the pod off, if known. */
static void add_node_reason(struct buf *out, const char *part, const char *taints)
{
    char *rest;
    long count = strtol(part, &rest, 10);
    char taint[128];
    while (*rest == ' ')
        rest++;
    if (rest == part || count == 0) {
        buf_adds(out, part);
        return;
    }
    if (strncmp(rest, "Insufficient ", 13) == 0) {
        buf_addf(out, "%ld %s %s", count, count == 1 ? "lacks" : "lack", rest + 13);
        return;
    }
    if (strncmp(rest, "node(s) had untolerated taint", 29) == 0) {
        if (!diagnosis_between(rest, "{", "}", taint,
                               sizeof taint)) { /* newer ones don't tell which */
            if (*taints)
                buf_addf(out, "%ld %s the taint %s", count, count == 1 ? "has" : "have", taints);
            else
                buf_addf(out, "%ld %s a taint that the pod does not tolerate", count,
                         count == 1 ? "has" : "have");
            return;
        }
        char *colon = strstr(taint, ": "); /* "key: value", the value maybe empty */
        if (colon && colon[2]) {
            *colon = '=';
            memmove(colon + 1, colon + 2, strlen(colon + 2) + 1);
        } else if (colon) {
            *colon = '\0';
        }
        buf_addf(out, "%ld %s the taint %s", count, count == 1 ? "has" : "have", taint);
        return;
    }
    for (size_t i = 0; i < sizeof node_words / sizeof *node_words; i++) {
        if (strncmp(rest, node_words[i].part, strlen(node_words[i].part)) != 0)
            continue;
        buf_addf(out, "%ld %s", count, count == 1 ? node_words[i].one : node_words[i].many);
        return;
    }
    buf_addf(out, "%ld %s", count, rest);
}

/* "3 nodes: 2 lack memory, 1 has the taint x", for "0/3 nodes are available: ..."; other messages
 * as they are. */
static char *node_sentence(const char *message, const char *taints)
{
    struct buf out = BUF_INIT;
    const char *list = strstr(message, "nodes are available: ");
    const char *slash = strchr(message, '/');
    if (!list || !slash || slash > list)
        return xstrdup(message);
    long nodes = strtol(slash + 1, NULL, 10);
    char reasons[1024];
    snprintf(reasons, sizeof reasons, "%s", list + strlen("nodes are available: "));
    static const char *const ends[] = { " preemption:", ". no new claims" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *end = strstr(reasons, ends[i]);
        if (end)
            *end = '\0';
    }
    size_t length = strlen(reasons);
    while (length &&
           (reasons[length - 1] == '.' || reasons[length - 1] == ' ' || reasons[length - 1] == ','))
        reasons[--length] = '\0';
    buf_addf(&out, "%ld node%s: ", nodes, nodes == 1 ? "" : "s");
    /* Reasons are parted by ", " and begin with their number. */
    bool first = true;
    for (char *part = reasons; *part;) {
        char *end = part;
        while (*end && !(end[0] == ',' && end[1] == ' ' && isdigit((unsigned char)end[2])))
            end++;
        char *next = *end ? end + 2 : end;
        *end = '\0';
        if (!first)
            buf_adds(&out, ", ");
        add_node_reason(&out, part, taints);
        first = false;
        part = next;
    }
    return buf_detach(&out);
}

bool diagnosis_look_nodes(const json_t *pod, const struct diagnosis_world *world,
                          struct diagnosis *diagnosis)
{
    const json_t *row = diagnosis_condition(pod, "PodScheduled", "False");
    const char *message = text_at(row, "message"), *since = text_at(row, "lastTransitionTime");
    char name[254];
    if (!row)
        return false;
    if (is(json_object_get(row, "reason"), "SchedulingGated")) {
        diagnosis_say(diagnosis, DIAGNOSIS_UNSCHEDULABLE, false, since,
                      "no node may be looked for yet: %s", message);
        return true;
    }
    if (!is(json_object_get(row, "reason"), "Unschedulable"))
        return false;
    if (diagnosis_between(message, "persistentvolumeclaim \"", "\" not found", name, sizeof name)) {
        diagnosis_say(diagnosis, DIAGNOSIS_CLAIM_UNBOUND, true, since, "there is no claim %s",
                      name);
        diagnosis_lack(diagnosis, world, "PersistentVolumeClaim", name, "");
        return true;
    }
    if (strstr(message, "unbound immediate PersistentVolumeClaims")) {
        if (diagnosis_look_claims(pod, world, diagnosis))
            return true;
        return diagnosis_say(diagnosis, DIAGNOSIS_CLAIM_UNBOUND, false, since,
                             "its claims are not bound yet");
    }
    /* Who makes nodes says so. */
    const json_t *growing = diagnosis_event(world, pod, "TriggeredScaleUp", NULL);
    if (!growing)
        growing = diagnosis_event(world, pod, "Nominated", NULL);
    struct buf taints = BUF_INIT;
    list_taints(pod, world->nodes, &taints);
    char *sentence = node_sentence(message, buf_text(&taints));
    buf_release(&taints);
    diagnosis_say(diagnosis, DIAGNOSIS_UNSCHEDULABLE, growing == NULL, since,
                  "no node takes it: %s%s", sentence, growing ? " (a new one is on its way)" : "");
    free(sentence);
    if (strstr(message, "Insufficient"))
        diagnosis_advise(diagnosis, "ask for less in resources.requests, or add nodes");
    else if (strstr(message, "taint"))
        diagnosis_advise(diagnosis,
                         "add a toleration, or take the taint from a node (kubectl taint)");
    else if (strstr(message, "affinity") || strstr(message, "selector"))
        diagnosis_advise(diagnosis, "kubectl get nodes --show-labels tells what could be selected");
    else if (strstr(message, "unschedulable"))
        diagnosis_advise(diagnosis, "kubectl uncordon");
    return true;
}
