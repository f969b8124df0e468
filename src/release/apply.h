/*
 * Applies a profile: a dry run of everything, then namespaces and CRDs, then the components in the
 * order of their needs, in parallel where nothing forbids it, each one waited for through watches.
 */
#ifndef RELEASE_APPLY_H
#define RELEASE_APPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/work.h"
#include "ui/progress.h"

struct apply_options {
    bool force;      /* take over fields of other managers */
    bool no_wait;    /* a component is done when it is applied */
    long timeout_ms; /* for all of it */
};

struct apply_result {
    size_t created, changed, unchanged; /* objects */
    size_t ready;                       /* components */
};

/*
 * `work` as work_init() left it, `progress` with a line for each component. Returns 0, or -1 with
 * an err that says what was applied and what was not: ERR_REFUSED or ERR_CONFLICT, ERR_ROLLOUT,
 * ERR_TIMEOUT, ERR_INTERRUPTED, ERR_UNREACHABLE. What was applied stays; applying again goes on.
 */
int apply_run(struct kube_client *client, struct work *work, const struct apply_options *options,
              struct progress *progress, struct apply_result *result, struct err *err);

#endif
