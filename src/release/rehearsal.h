/*
 * The dry run of everything before the first write, so that an object which the API server rejects
 * is found while nothing has been changed.
 */
#ifndef RELEASE_REHEARSAL_H
#define RELEASE_REHEARSAL_H

#include <stdbool.h>

#include "base/err.h"
#include "release/work.h"

/* What the dry run found out about one item. */
struct rehearsal {
    bool exists;  /* the object is there already */
    bool replace; /* a Job whose template changes: to be deleted and made anew */
    bool same;    /* the apply would change nothing of it */
};

/*
 * Fills `found[work->count]` (the caller's). Objects in a namespace that
 * the profile itself brings are tried in "default", those of a kind that its own CRD brings are not
 * tried, and not refused when that CRD changes. Returns 0, or -1 with the first refusal (and the
 * number of the others).
 */
int rehearsal_run(struct kube_client *client, const struct work *work, bool force,
                  struct rehearsal *found, struct err *err);
#endif
