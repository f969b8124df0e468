/* Rules of readiness of somebody's own, as the verdicts that they come to: the `ready` functions of
 * a profile, then health scripts. */
#ifndef COMMAND_READINESS_H
#define COMMAND_READINESS_H

#include <jansson.h>
#include <stdbool.h>

#include "release/work.h"
#include "rollout/verdict.h"
#include "script/health.h"
#include "script/script.h"

/* All may be NULL. */
struct readiness {
    struct script *script; /* of script_eval_keeping() */
    struct health *health;
};

/* What they say of an object as it stands on the cluster; false when they have nothing on it.
 * `item` is its place in a profile, NULL when it is of none. */
bool readiness_of(const struct readiness *readiness, const struct work_item *item,
                  const json_t *live, struct verdict *verdict);

/* Whether they may have something on an item. */
bool readiness_has(const struct readiness *readiness, const struct work_item *item);

#endif
