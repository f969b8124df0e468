/*
 * Deletes objects in the reverse order of apply and waits until they are gone: what leads to
 * workloads, then custom resources (while their controllers still run), workloads with their pods,
 * configuration, namespaces, and CRDs. All of one step go at once, each by its uid, so that an
 * object which somebody made anew meanwhile stays. What hangs is explained (release/stuck.h).
 */
#ifndef RELEASE_PRUNE_H
#define RELEASE_PRUNE_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/inventory.h"
#include "release/lock.h"

enum prune_fate {
    PRUNE_DELETED,
    PRUNE_ABSENT,   /* was gone already */
    PRUNE_REPLACED, /* is another object now, with another uid: left alone */
};

struct prune_options {
    long timeout_ms;       /* for all of it */
    long explain_after_ms; /* how long nothing may happen before it is explained; 0: 3 s */
    void (*tell)(const char *line, void *arg); /* an explanation, a line without its end; or NULL */
    void (*gone)(const struct member *member, enum prune_fate fate, void *arg); /* or NULL */
    void *arg;
    struct lock *lock; /* when it is lost the run ends; or NULL */
};

/*
 * Deletes all that it is given; what is to be kept is the caller's decision. A 404 is as good as a
 * deletion. Returns 0, or -1 with an err that says how far it came and what is left: ERR_TIMEOUT
 * with the reasons, ERR_REFUSED, ERR_LOCKED, ERR_UNREACHABLE, ERR_INTERRUPTED. Nothing is undone,
 * and what is being deleted goes on without the program; running it again goes on. `*deleted`
 * counts in either case those that went by this run.
 */
int prune_run(struct kube_client *client, const struct member *const *members, size_t count,
              const struct prune_options *options, size_t *deleted, struct err *err);

/* Orders members as prune_run() goes: negative when `a` goes before `b`, 0 for the same step. */
int prune_compare(const struct member *a, const struct member *b);

/* The step that a member goes in, for people: "workloads". */
const char *prune_step(const struct member *member);

/* "ConfigMap shop/web", for messages. The caller's to free. */
char *prune_label(const struct member *member);

/*
 * The ConfigMaps and Secrets of a namespace that pods, and what pods are made from (workloads,
 * ReplicaSets and ControllerRevisions of earlier revisions, Jobs, CronJobs), refer to: a JSON
 * object { "ConfigMap/x": true }, the caller's reference. Returns 0, or -1 with err: then nothing
 * is known.
 */
int prune_referenced(struct kube_client *client, const char *namespace, json_t **names,
                     struct err *err);

#endif
