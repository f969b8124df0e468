/*
 * What keeps a workload from coming up, told from the live objects below it (ReplicaSets and pods
 * by their owner references, claims by the pods' volumes) and their events. Pure and table-driven:
 * no clock, no requests. Whose pods count, and what is hopeless, follows krane
 * (github.com/Shopify/krane, lib/krane/kubernetes_resource/pod.rb and deployment.rb).
 */
#ifndef ROLLOUT_DIAGNOSIS_H
#define ROLLOUT_DIAGNOSIS_H

#include <jansson.h>
#include <stdbool.h>

enum diagnosis_kind {
    DIAGNOSIS_NONE,
    DIAGNOSIS_PODS_REFUSED,      /* quota, admission, no service account */
    DIAGNOSIS_UNSCHEDULABLE,     /* no node takes the pod */
    DIAGNOSIS_CLAIM_UNBOUND,     /* no class, no provisioner, no volume */
    DIAGNOSIS_VOLUME,            /* it is not attached or not mounted */
    DIAGNOSIS_CONFIG_MISSING,    /* a Secret, a ConfigMap, or a key of one */
    DIAGNOSIS_IMAGE,             /* can't be pulled */
    DIAGNOSIS_CONTAINER_REFUSED, /* the node can't start it */
    DIAGNOSIS_OUT_OF_MEMORY,     /* killed for it again and again */
    DIAGNOSIS_CRASH,             /* ends by itself again and again */
    DIAGNOSIS_INIT_RUNS,         /* an init container has not ended yet */
    DIAGNOSIS_PROBE,             /* runs, but its probe fails */
    DIAGNOSIS_EVICTED,
    DIAGNOSIS_JOB_FAILED,
    DIAGNOSIS_PROGRESS_DEADLINE, /* with nothing to see that would explain it */
};

struct diagnosis {
    enum diagnosis_kind kind;
    bool certain;     /* waiting is pointless, if it stays so for a while */
    char object[320]; /* where it shows: "Pod web-5d9-x2k", "PersistentVolumeClaim data" */
    char pod[254];    /* "" when it is not in a pod */
    char container[254];
    bool has_log;      /* the container has run, so there may be a log */
    bool previous;     /* and it is that of the run before */
    char message[600]; /* one sentence for people, without the names above */
    char since[40];    /* RFC 3339, "" when unknown */
    char hint[320];    /* what to try; may be "" */
    struct {           /* what it lacks, if that is one object (or one key of it) */
        char kind[64], name[254], key[254];
    } missing;
};

/* What is around a workload in its namespace: maps of name to object, each may be NULL. */
struct diagnosis_world {
    const json_t *replicasets, *pods, *claims, *events;
    const json_t *nodes; /* of the cluster, some of them; for the names of taints */
    /* The ReplicaSets and pods once more, by the uid of an owner, then by name; NULL: they are few,
     * and are looked through. The events in the same way, by the uid of what they are about. */
    const json_t *by_owner, *by_subject;
    /* Whether an object that is missing (or a key of it that is, else "") is on its way or has just
     * come, in the same apply: then waiting for it is not pointless. `name` "": any of its kind.
     * NULL: none is. */
    bool (*is_coming)(const char *kind, const char *name, const char *key, void *arg);
    void *arg;
};

/* Whether there are diagnoses of the kind: it has pods, or is a claim. */
bool diagnosis_covers(const char *kind);

/* `workload` is any live object with its kind. Returns whether there is something to tell;
 * `*diagnosis` is all zero if not. */
bool diagnosis_of(const json_t *workload, const struct diagnosis_world *world,
                  struct diagnosis *diagnosis);

/* "ImagePull", for programs. */
const char *diagnosis_word(enum diagnosis_kind kind);

/*
 * The events of the workload and of all below it that may matter: those of success left out, equal
 * ones summed up, the newest last: [{ object, type, reason, message, count, last }]. A new
 * reference.
 */
json_t *diagnosis_events(const json_t *workload, const struct diagnosis_world *world);

#endif
