/*
 * One object written by server-side apply
 * (kubernetes.io/docs/reference/using-api/server-side-apply) as field manager "bkdeploy", fields
 * validated strictly; for real or as a dry run.
 */
#ifndef RELEASE_WRITE_H
#define RELEASE_WRITE_H

#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/work.h"

struct write {
    bool dry_run;
    bool force;            /* take over fields of other managers */
    const char *namespace; /* NULL: the item's own; a dry run may have to go elsewhere */
    long delay_ms;         /* not to be sent before */
};

/* Queues the apply of the item. `done` may be called with an error message as the API server sent
 * it; write_error() makes it fit to show. */
void write_apply(struct kube_client *client, const struct work_item *item,
                 const struct write *write, kube_done_fn *done, void *arg);

/* Queues the deletion of the object, its dependents in the background. */
void write_delete(struct kube_client *client, const struct work_item *item, kube_done_fn *done,
                  void *arg);

/* Puts component, line and object before the message, and takes the values of a Secret out of it.
 * Returns -1. */
int write_error(const struct work *work, const struct work_item *item, struct err *err);

/* Whether the API server refused because a field can't be changed. */
bool write_is_immutable(const struct kube_response *response);

#endif
