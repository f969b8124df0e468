/* How the objects of a profile stand on the cluster now. Reads only. */
#ifndef RELEASE_STATUS_H
#define RELEASE_STATUS_H

#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/work.h"
#include "rollout/verdict.h"

struct status_row {
    bool exists;
    bool hidden;            /* may not be read by who asks */
    struct verdict verdict; /* only when it exists */
};

/* Fills `rows[work->count]`; `own` as of struct verdict_extra, called with `arg`, NULL: none.
 * Returns 0, or -1 with err; those that could be read are filled then, too. */
int status_run(struct kube_client *client, const struct work *work,
               bool (*own)(const struct work_item *item, const json_t *object,
                           struct verdict *verdict, void *arg),
               void *arg, struct status_row *rows, struct err *err);

/* "ready", "rolling", "failed" or "missing". */
const char *status_word(const struct status_row *row);

#endif
