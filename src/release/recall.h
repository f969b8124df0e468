/*
 * What a release may have on the cluster when its parent (see inventory.h) is gone: the kinds and
 * namespaces of what its revisions say. The members themselves still carry their label.
 */
#ifndef RELEASE_RECALL_H
#define RELEASE_RECALL_H

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/identity.h"

/* Adds to the arrays the kinds ("Deployment.apps") and the namespaces, less the release's own, of
 * all revisions that can be read; nothing where there are none. Returns 0, or -1 with err. */
int recall_kinds(struct kube_client *client, const struct identity *identity, json_t *group_kinds,
                 json_t *namespaces, struct err *err);

#endif
