/*
 * The changes of one collection from a known resourceVersion on, for as long as it is wanted:
 * resumes after the server's own time-outs and after dropped connections, uses bookmarks, and lists
 * anew (in pages) when the server has forgotten the version (410 Gone).
 * kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"

struct kube_watch;

/* An object was added, changed or (`deleted`) has gone; `object` is borrowed, and of one that went
 * unseen it has only metadata.name. May call kube_watch_free(). */
typedef void kube_watch_fn(const json_t *object, bool deleted, void *arg);
/* The watch has ended for good, e.g. for want of rights. */
typedef void kube_watch_failed_fn(const struct err *err, void *arg);

/* The whole collection has been listed: what was not told of is not there. May not free the watch.
 */
typedef void kube_watch_listed_fn(void *arg);

/* `collection` as of kube_collection_path(), also with a query ("?fieldSelector=..."). With
 * `resource_version` NULL it begins with a list. Sends at once, calls back from kube_run(). Objects
 * of a list have apiVersion and kind as those of events have. */
struct kube_watch *kube_watch_new(struct kube_client *client, const char *collection,
                                  const char *resource_version, kube_watch_fn *changed,
                                  kube_watch_failed_fn *failed, void *arg);

/* Sets what is called after each list. */
void kube_watch_on_list(struct kube_watch *watch, kube_watch_listed_fn *listed);

void kube_watch_free(struct kube_watch *watch);

#endif
