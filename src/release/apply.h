/*
 * Carries out a plan: namespaces and CRDs, then the components in the order of their needs, in
 * parallel where nothing forbids it, each one waited for through watches. What is as described is
 * not sent, only waited for.
 */
#ifndef RELEASE_APPLY_H
#define RELEASE_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/lock.h"
#include "release/plan.h"
#include "release/report.h"
#include "rollout/verdict.h"
#include "ui/progress.h"

struct apply_options {
    bool no_wait;      /* a component is done when it is applied */
    long timeout_ms;   /* for all of it */
    long grace_ms;     /* how long a cause that is certain must stay so to end the wait */
    struct lock *lock; /* when it is lost the work ends; NULL: none is held */
    /* Whether somebody's own rule says how a live object stands; may be NULL. */
    bool (*own)(const struct work_item *item, const json_t *object, struct verdict *verdict,
                void *arg);
    void *own_arg;
    const struct report_options *report; /* NULL: none is wanted */
};

struct apply_result {
    size_t created, changed, unchanged; /* objects */
    size_t ready;                       /* components */
    json_t *report; /* of release/report.h, after ERR_ROLLOUT and ERR_TIMEOUT; the caller's */
};

/*
 * `plan` as plan_make() left it, `progress` with a line for each component. Returns 0, or -1 with
 * an err that says what was applied and what was not: ERR_REFUSED or ERR_CONFLICT, ERR_ROLLOUT,
 * ERR_TIMEOUT, ERR_INTERRUPTED, ERR_UNREACHABLE, ERR_LOCKED. What was applied stays; applying again
 * goes on. What has left the profile is not touched here.
 */
int apply_run(struct kube_client *client, const struct plan *plan,
              const struct apply_options *options, struct progress *progress,
              struct apply_result *result, struct err *err);

/* Makes the release's own namespace only, if the plan says so, and waits for it: what else is
 * written down about a release lies in it. */
int apply_namespace(struct kube_client *client, const struct plan *plan,
                    const struct apply_options *options, struct progress *progress,
                    struct err *err);

#endif
