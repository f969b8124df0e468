/*
 * Fields that somebody else owns and that an apply would change
 * (kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts): whose they are, since
 * when, and what is to be done. In this order:
 *   - the profile's `conflicts`: the first that fits;
 *   - what the operator says: take them all;
 *   - spec.replicas is left to an autoscaler, and caBundle of webhooks, of conversions and of
 *     APIServices to who puts it in;
 *   - the apply stops.
 */
#ifndef RELEASE_CONFLICT_H
#define RELEASE_CONFLICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum conflict_action {
    CONFLICT_STOP,
    CONFLICT_TAKE,  /* the field is ours from now on */
    CONFLICT_YIELD, /* it is left out of what is sent: fields_remove_from() */
};

struct conflict {
    char *manager;
    char *operation;    /* "Apply" or "Update" */
    char *subresource;  /* "" of the object itself */
    char *field;        /* text for people, as of fields_format_path() */
    char *since;        /* RFC 3339; "" when unknown, as the API server keeps none for scale */
    json_t *field_path; /* of object/fields.h */
    json_t *path;       /* in what we send, of object/path.h; NULL when it is not in there */
    json_t *theirs;     /* NULL: not set, or secret */
    json_t *ours;
    bool secret; /* a Secret's value: `theirs` and `ours` are NULL */
    enum conflict_action action;
    char *why; /* what decided, for behind a dash: "an autoscaler sets it" */
};

struct conflict_policy {
    const json_t *rules; /* the profile's `conflicts`: [ { kind, field, manager, action, origin } ];
                            NULL: none */
    bool force;          /* take all */
    bool has_autoscaler; /* a HorizontalPodAutoscaler scales the object */
};

/*
 * Reads the conflicts from the 409 answer to an apply of `desired`, the object being `live` (NULL:
 * as if it had nothing). `*list` is to be freed by conflict_free(). Returns 0, or -1 when the
 * answer names no conflict.
 */
int conflict_read(const json_t *status, const json_t *live, const json_t *desired,
                  const struct conflict_policy *policy, struct conflict **list, size_t *count);
void conflict_free(struct conflict *list, size_t count);

/* Adds "spec.replicas belongs to 'kubectl' (update, through scale) since 2026-11-24T10:02:11Z (3
 * min ago): it is 1, the profile says 2". */
void conflict_describe(const struct conflict *conflict, struct buf *words);

#endif
