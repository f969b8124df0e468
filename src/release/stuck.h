/*
 * Why a deletion does not come to its end, in words: finalizers and who has to take them away,
 * children that are left, what a namespace still holds, webhooks that can't be called. Asks the
 * cluster for what it needs to know; what may not be read is left out.
 */
#ifndef RELEASE_STUCK_H
#define RELEASE_STUCK_H

#include <jansson.h>

#include "kube/client.h"
#include "release/inventory.h"

struct stuck;

/* One look at the cluster: what was read for one object is used for the next. */
struct stuck *stuck_new(struct kube_client *client);
void stuck_free(struct stuck *stuck);

/*
 * The reason in one line, without the object's own name. `object` is its newest known state;
 * `refusal` is what the API server said to the DELETE when that failed, or NULL. The caller's to
 * free. To be called outside of the client's callbacks.
 */
char *stuck_explain(struct stuck *stuck, const struct member *member, const json_t *object,
                    const char *refusal);

#endif
