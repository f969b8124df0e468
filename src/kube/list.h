/* Whole collections, read page by page. */
#ifndef KUBE_LIST_H
#define KUBE_LIST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/client.h"

/*
 * The items of a collection. `path` may have a query ("?labelSelector=..."); `accept` as in
 * kube_request. Returns 200 with `*items`, an array that is the caller's reference, else the HTTP
 * status or -1, with err.
 */
long kube_list(struct kube_client *client, const char *path, const char *accept, json_t **items,
               struct err *err);

/* The same with what `take` makes of each item in its place: a new value, or NULL for one that is
 * of no use. For collections that may be large, of which little is wanted. */
long kube_list_taking(struct kube_client *client, const char *path, const char *accept,
                      json_t *(*take)(json_t *item), json_t **items, struct err *err);

/* Adds "&continue=" and the place of the next page that a page names, percent-encoded, to a path.
 * False when it was the last one. */
bool kube_list_next(const json_t *page, struct buf *path);

#endif
