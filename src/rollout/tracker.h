/*
 * Follows applied objects until they have come up, through one watch a collection. Nothing is
 * polled, and an event that comes before the object is asked for is not lost.
 */
#ifndef ROLLOUT_TRACKER_H
#define ROLLOUT_TRACKER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "rollout/verdict.h"

struct tracker;

/* The verdict of an object has changed. From kube_run(). */
typedef void tracker_fn(const struct verdict *verdict, void *arg);
/* A watch has failed for good: what it followed will not be heard of. */
typedef void tracker_failed_fn(const struct err *err, void *arg);

struct tracker *tracker_new(struct kube_client *client, tracker_failed_fn *failed, void *arg);
void tracker_free(struct tracker *tracker);

/* Sets what is asked before the rule of an object's kind; `arg` is that of tracker_add(). */
void tracker_set_rule(struct tracker *tracker,
                      bool (*rule)(const json_t *object, struct verdict *verdict, void *arg));

/* Follows the object from the state that the API server returned for its apply (`applied`, a
 * reference of which is kept) until its verdict is final (verdict_is_final()); VERDICT_GONE is told
 * here only. For a claim its StorageClass is looked up. */
void tracker_add(struct tracker *tracker, const char *collection, const json_t *applied,
                 tracker_fn *changed, void *arg);

/* The newest that is known of an object, the tracker's; NULL when nothing is. */
const json_t *tracker_object(const struct tracker *tracker, const char *collection,
                             const char *name);

#endif
