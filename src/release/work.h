/*
 * The objects of a profile as work on a cluster: where each one lives there and in which order its
 * component's objects go. The same list serves apply and status.
 */
#ifndef RELEASE_WORK_H
#define RELEASE_WORK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/discovery.h"
#include "object/profile.h"

/* The order within a component, each rank once the API server has taken the one before; ranks of
 * different components go in parallel. */
enum rank {
    RANK_FOUNDATION, /* namespaces and CRDs: before everything, of all components */
    RANK_GROUND,     /* what the API server looks up or judges by when it takes the next ones */
    RANK_CONFIG,     /* what workloads read at their start: configuration, rights, claims */
    RANK_WORKLOAD,   /* all that is not listed elsewhere */
    RANK_ROUTE,      /* what leads to workloads or scales them */
    RANK_ADMISSION,  /* what makes the API server ask workloads, or judge: not its own release */
    RANK_COUNT,
};

/* The rank of a kind; by its name alone, whatever its group. */
enum rank work_rank(const char *kind);

struct work_item {
    size_t component;     /* index into profile.components */
    size_t index;         /* of the object in its component */
    const json_t *object; /* borrowed from the profile, as the strings below */
    const char *api_version, *kind, *name, *namespace; /* namespace: the profile's, if none */
    enum rank rank;
    char *collection; /* its path, NULL while the server does not know the kind */
    char *path;
};

struct work {
    const struct profile *profile;
    struct kube_discovery *discovery;
    struct work_item *items; /* in the order of the components and of their objects */
    size_t count;
    const struct work_item **by_name; /* all of them, for work_find() */
    const struct work_item **crds;    /* those that are CustomResourceDefinitions */
    size_t crds_count;
    char *names; /* those of the items, after work_keep(); or NULL */
};

/*
 * Lists the profile's objects and asks the server where their kinds live. Fails with ERR_REFUSED
 * for a kind that neither the server nor a CRD of the profile has. `profile` and `discovery` must
 * outlive the work. Returns 0 or -1; release in both cases.
 */
int work_init(struct work *work, const struct profile *profile, struct kube_discovery *discovery,
              struct err *err);

/* Finds the places of the kinds that the server did not know in the profile's CRDs, once those are
 * established: they say all that discovery would, which lags behind. */
void work_resolve_brought(struct work *work);

/* The item of this kind and name, whatever version it has; NULL: the profile has none. `namespace`
 * is not looked at for what is cluster-scoped. */
const struct work_item *work_find(const struct work *work, const char *api_version,
                                  const char *kind, const char *namespace, const char *name);

/* Whether the item lives in a namespace; true also while its kind is not known to the server. */
bool work_is_namespaced(const struct work_item *item);

/* The item of the profile's CRD that describes this item's kind, or NULL. */
const struct work_item *work_crd_of(const struct work *work, const struct work_item *item);

/* Makes ready for profile_keep() with the same `keep`: the objects of other components are null
 * then, the names of all items stay. */
void work_keep(struct work *work, const bool *keep);

void work_release(struct work *work);

/* "Deployment bklog-dev/web", for messages. The caller's to free. */
char *work_item_label(const struct work_item *item);

#endif
