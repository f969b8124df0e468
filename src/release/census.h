/*
 * What is there of a profile's objects, told by one list for each kind and namespace: what is as
 * the last apply left it, what is not there at all, and what has to be asked for by itself.
 */
#ifndef RELEASE_CENSUS_H
#define RELEASE_CENSUS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/inventory.h"
#include "release/memory.h"
#include "release/work.h"

enum census_state {
    CENSUS_ASK,    /* not told: it is to be read */
    CENSUS_ABSENT, /* is not there */
    CENSUS_SAME,   /* none of our fields was changed, and the profile says the same */
};

struct census_item {
    enum census_state state;
    bool settled;  /* of SAME: it has come up */
    json_t *live;  /* of SAME, when it has not: the whole object */
    char *uid;     /* of SAME */
    char *version; /* of SAME: its resourceVersion */
};

struct census_options {
    struct memory *memory;
    bool wait; /* what has come up is to be told; else all that is the same is settled */
    /* Whether somebody's own rule judges it, so that nothing is told of it here; may be NULL. */
    bool (*has_own_rule)(const struct work_item *item, void *arg);
    void *own_arg;
};

/*
 * Loads the inventory, whose members are then those that are not of the profile, and fills
 * `found[work->count]`, which the caller has zeroed; census_release() in both cases. Keeps the
 * marks of what is the same. Returns 0 or -1.
 */
int census_take(struct kube_client *client, const struct work *work,
                const struct identity *identity, const struct census_options *options,
                struct inventory *inventory, struct census_item *found, struct err *err);
void census_release(struct census_item *found, size_t count);

#endif
