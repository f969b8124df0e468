/*
 * Follows objects by name, whether they are there yet or not, for as long as it is wanted: through
 * one watch a collection, of a single object by its name. Nothing is polled.
 */
#ifndef ROLLOUT_FOLLOW_H
#define ROLLOUT_FOLLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "rollout/verdict.h"

struct follow;

/* What is called, from kube_run(), with `arg`; none may free the follow. */
struct follow_hooks {
    /* An object has changed. `object` is borrowed, NULL when it is not there, then the verdict is
     * VERDICT_GONE. Told once, too, of each that is not there at the start. */
    void (*changed)(size_t index, const json_t *object, const struct verdict *verdict, void *arg);
    /* A watch has failed for good. */
    void (*failed)(const struct err *err, void *arg);
    /* As `own` of struct verdict_extra; may be NULL. */
    bool (*own)(size_t index, const json_t *object, struct verdict *verdict, void *arg);
    void *arg;
};

struct follow *follow_new(struct kube_client *client, const struct follow_hooks *hooks);
void follow_free(struct follow *follow);

/* Adds an object of a collection; its index is how many were added before. With `may_come` the kind
 * may be unknown to the server yet: then it is looked for again every second, since only the kind's
 * definition could be watched, and discovery lags behind that. */
void follow_add(struct follow *follow, const char *collection, const char *name, bool may_come);

/* Begins. */
void follow_start(struct follow *follow);

/* To be called about every second: judges again what may change by time alone, Pods that no node
 * takes, and looks for kinds that may come. */
void follow_tick(struct follow *follow);

#endif
