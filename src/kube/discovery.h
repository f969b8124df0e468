/*
 * What the API server serves: which path a kind has. Asked for one group version at a time
 * (GET /apis/<group>/<version>), all that are wanted at once, and only those that are wanted.
 */
#ifndef KUBE_DISCOVERY_H
#define KUBE_DISCOVERY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"

struct kube_discovery;

struct kube_discovery *kube_discovery_new(struct kube_client *client);
void kube_discovery_free(struct kube_discovery *discovery);

/* Asks for the group versions ("apps/v1") of the array that are not known yet. One that the server
 * does not have is no error: its kinds are just not found, and it is asked for again next time.
 * Returns 0, or -1 with err. */
int kube_discovery_load(struct kube_discovery *discovery, const json_t *api_versions,
                        struct err *err);

/*
 * The path of the collection that a kind's objects live in, or NULL when the server has no such
 * kind. `namespace` is where an object without its own one goes; cluster-scoped kinds ignore it.
 * The caller's to free.
 */
char *kube_collection_path(const struct kube_discovery *discovery, const char *api_version,
                           const char *kind, const char *namespace);

/* "<collection>/<name>", the name percent-encoded where it has to be. The caller's to free. */
char *kube_object_path(const char *collection, const char *name);

#endif
