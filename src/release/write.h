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
    const json_t *body;            /* NULL: the item's object as it is */
    char *(*make_body)(void *arg); /* or the text of it, made when it is sent, by `done`'s arg */
    bool dry_run;
    bool brief;            /* of the answer metadata is enough */
    bool force;            /* take over fields of other managers */
    const char *namespace; /* NULL: the item's own; a dry run may have to go elsewhere */
    const char *name;      /* NULL: the item's own; a dry run of one that is to be made anew */
    long delay_ms;         /* not to be sent before */
};

/* Queues the apply of the item. `done` may be called with an error message as the API server sent
 * it; write_error() makes it fit to show. */
void write_apply(struct kube_client *client, const struct work_item *item,
                 const struct write *write, kube_done_fn *done, void *arg);

/* Queues the deletion of the object with this uid (another one is left: 409), its dependents by
 * `propagation`: "Background" or "Orphan". */
void write_delete(struct kube_client *client, const struct work_item *item, const char *uid,
                  const char *propagation, kube_done_fn *done, void *arg);

/* Queues the replacement of the object's managedFields, which no manager but the API server can
 * write otherwise; refused with 409 when the object is no longer the one that was read. */
void write_managers(struct kube_client *client, const struct work_item *item, const json_t *live,
                    const json_t *managed_fields, kube_done_fn *done, void *arg);

/* Takes the values of a Secret, and of the live one (or NULL), out of a message. */
void write_hide(const struct work_item *item, const json_t *live, struct err *err);

/* Puts component, line and object before the message, and takes the values of a Secret out of it.
 * Returns -1. */
int write_error(const struct work *work, const struct work_item *item, struct err *err);

/* Whether the API server refused because a field can't be changed. */
bool write_is_immutable(const struct kube_response *response);

#endif
