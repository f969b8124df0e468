/*
 * Carries out a plan: namespaces and CRDs, then the components in the order of their needs, in
 * parallel where nothing forbids it, each one waited for through watches. What is as described is
 * not sent, only waited for. A component that fails keeps those from beginning that wait for it;
 * the others go on to their end.
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
    bool fail_fast;    /* the first component that fails ends it all */
    long timeout_ms;   /* for all of it */
    long grace_ms;     /* how long a cause that is certain must stay so to fail its component,
                          where that says nothing itself */
    struct lock *lock; /* when it is lost the work ends; NULL: none is held */
    /* Whether somebody's own rule says how a live object stands; may be NULL. */
    bool (*own)(const struct work_item *item, const json_t *object, struct verdict *verdict,
                void *arg);
    void *own_arg;
    /*
     * Called before the first object of a component is sent, and when it is ready or has failed
     * (`why`: of the failure, else NULL). From the apply's own loop, never from within an answer's
     * or a watch's callback, so they may send requests and wait for them by kube_run(). -1 with err
     * makes the component fail. Either may be NULL. Only for components that have something to
     * send, and not for those that are blocked; their namespaces and CRDs go before every hook.
     */
    int (*before_component)(size_t component, void *arg, struct err *err);
    int (*after_component)(size_t component, const struct err *why, void *arg, struct err *err);
    void *hook_arg;
    const struct report_options *report; /* NULL: none is wanted */
};

struct apply_result {
    size_t created, changed, unchanged; /* objects */
    /* Both the caller's: */
    json_t *components; /* [{ name, state, reason }] of release/part.h */
    json_t *report;     /* of release/report.h, when a component failed or the time was over */
};

/*
 * `plan` as plan_make() left it, `progress` with a line for each component. Returns 0, or -1 with
 * an err that says what became of the components. Of a component alone are ERR_REFUSED,
 * ERR_CONFLICT, ERR_ROLLOUT and what a hook returns: the first such error is told when all others
 * are ready, failed or blocked. ERR_TIMEOUT, ERR_INTERRUPTED, ERR_UNREACHABLE and ERR_LOCKED end
 * all at once. What was applied stays; applying again goes on. What has left the profile is not
 * touched here.
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
