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

/*
 * Finds out in which version kinds are to be reached that are known by kind and group alone, as
 * "Deployment.apps" and "ConfigMap": one that was loaded already, else the one that the server
 * prefers, else another. Kinds that the server does not have are no error. Returns 0, or -1 with
 * err.
 */
int kube_discovery_load_kinds(struct kube_discovery *discovery, const json_t *group_kinds,
                              struct err *err);

/*
 * Finds the kind that a word of the command line names, as kubectl does: "Deployment",
 * "deployments", "deploy", also with its group, "deployments.apps"; only kinds that can be watched.
 * Asks for all that the server has, once. Returns 0 with its API version and kind, the discovery's,
 * or -1: ERR_USAGE when there is no such kind.
 */
int kube_discovery_find(struct kube_discovery *discovery, const char *word, size_t length,
                        const char **api_version, const char **kind, struct err *err);

/* The API version ("apps/v1") of such a kind, the discovery's; NULL when the server has none. */
const char *kube_version_of(const struct kube_discovery *discovery, const char *group_kind);

/* Whether objects of a kind, which is loaded, live in namespaces. */
bool kube_is_namespaced(const struct kube_discovery *discovery, const char *api_version,
                        const char *kind);

/* "<collection>/<name>", the name percent-encoded where it has to be. The caller's to free. */
char *kube_object_path(const char *collection, const char *name);

#endif
