/* Several collections read at once, each page by page. */
#ifndef DOCTOR_LISTING_H
#define DOCTOR_LISTING_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/client.h"

struct listing {
    const char *kind, *version; /* set in each item, which come without; "" leaves them */
    char *path;                 /* of the collection, may have a query; freed by the release */
    /* What is to be kept of an item: a new reference, NULL for nothing. May be NULL: all. */
    json_t *(*reduce)(json_t *item);
    json_t *items; /* the answer */
    long status;   /* 200, the HTTP status of a refusal, or 0 */
    struct err err;
    struct listing_run *run;
    struct buf next;
};

/* Reads all; what is refused is told in its listing. Returns 0, or -1 with err after an interrupt.
 */
int listing_run(struct kube_client *client, struct listing *list, size_t count, struct err *err);
void listing_release(struct listing *list, size_t count);

#endif
