/*
 * The end of a release: which of its objects go, which are kept and why, and what of its
 * bookkeeping goes after them. Data is kept unless it is asked for: PersistentVolumeClaims, also
 * those that StatefulSets have made; with it every Namespace and CRD that holds something else.
 */
#ifndef RELEASE_REMOVAL_H
#define RELEASE_REMOVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/identity.h"
#include "release/inventory.h"
#include "release/prune.h"

struct removal_row {
    const struct member *member;
    char *kept; /* why it is kept; NULL: it goes */
};

struct removal {
    struct kube_client *client;
    const struct identity *identity;
    struct member *claims; /* of StatefulSets of the release */
    size_t claims_count;
    struct removal_row *rows; /* members and claims, in the order in which they go */
    size_t count, going;
    bool with_data;
};

/* Looks at the cluster, changes nothing. `identity` and `inventory` must outlive the removal.
 * Returns 0 or -1 with err; removal_release() in both cases. */
int removal_plan(struct removal *removal, struct kube_client *client,
                 const struct identity *identity, const struct inventory *inventory, bool with_data,
                 struct err *err);
void removal_release(struct removal *removal);

/*
 * Deletes what goes, all but the namespace that the release itself lies in. Claims that go are
 * marked first, so that they are found again when it is stopped after their StatefulSet. Returns 0,
 * or -1 with an err as of prune_run(); `*deleted` counts in either case.
 */
int removal_run(const struct removal *removal, const struct prune_options *options, size_t *deleted,
                struct err *err);

/* The last of it, to be called without the lock: the release's own namespace where it goes, else
 * its revisions, its key, its parent and its Lease. */
int removal_finish(const struct removal *removal, const struct prune_options *options,
                   size_t *deleted, struct err *err);

/* Whether two looks at the same release found the same to delete. */
bool removal_is_same(const struct removal *one, const struct removal *other);

/* Waits until a namespace has gone that is being deleted already. Returns 1 when it has, 0 when it
 * is not being deleted, -1 with err. */
int removal_await_namespace(struct kube_client *client, const char *namespace,
                            const struct prune_options *options, struct err *err);

#endif
