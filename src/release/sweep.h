/*
 * What a content-hashed ConfigMap or Secret leaves behind: its earlier contents, which pods of the
 * old revision read until the rollout is over.
 */
#ifndef RELEASE_SWEEP_H
#define RELEASE_SWEEP_H

#include "base/err.h"
#include "kube/client.h"
#include "release/work.h"

/*
 * For each item with the label "bkdeploy/content-of", deletes the objects of its kind, namespace
 * and profile that have the same label under another name. To be called when all has come up.
 * Returns 0 or -1;
 * `*deleted` counts.
 */
int sweep_old_contents(struct kube_client *client, const struct work *work, size_t *deleted,
                       struct err *err);

#endif
