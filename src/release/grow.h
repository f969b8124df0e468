/*
 * A StatefulSet whose claim templates ask for more: the API server refuses to change them
 * (kubernetes/kubernetes#68737), so the claims that are there are patched, the StatefulSet is
 * deleted with its pods kept, and made anew; it finds its pods and claims by their names. Done in
 * this order a stop at any moment is mended by doing it again.
 */
#ifndef RELEASE_GROW_H
#define RELEASE_GROW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/work.h"

/*
 * Whether nothing but requests for more storage tells the claim templates of `wanted` from those of
 * `live`. Otherwise false, with what stands against it in `why` (size 160).
 */
bool grow_is_all(const json_t *live, const json_t *wanted, char why[160]);

/* Gives the claim templates of `object` the sizes of those of `wanted`. */
void grow_templates(json_t *object, const json_t *wanted);

/*
 * The claims of the set that are to grow: [{ path, name, from, to }], a new reference. NULL with
 * ERR_REFUSED when the StorageClass of one does not allow it. Asks the cluster.
 */
json_t *grow_claims(struct kube_client *client, const struct work_item *item, const json_t *wanted,
                    struct err *err);

/* Queues the patch of one claim of that list. */
void grow_send(struct kube_client *client, const json_t *claim, kube_done_fn *done, void *arg);

#endif
