/*
 * A release: a profile's name in the profile's namespace, and the names that its bookkeeping has
 * there. The set of its objects is an ApplySet
 * (github.com/kubernetes/enhancements, keps/sig-cli/3659-kubectl-apply-prune), so that other tools
 * see whose they are.
 */
#ifndef RELEASE_IDENTITY_H
#define RELEASE_IDENTITY_H

#include "base/err.h"

struct identity {
    char *name, *namespace;
    char *parent; /* the ApplySet's ConfigMap, and the release's Lease: "bkdeploy.<name>" */
    char *set_id; /* of the ApplySet: "applyset-...-v1" */
};

#define IDENTITY_MANAGER "bkdeploy" /* field manager of everything */

/* Labels: on members the first; on the parent the second; on all that is bookkeeping the third. */
#define IDENTITY_PART_OF "applyset.kubernetes.io/part-of"
#define IDENTITY_SET_ID  "applyset.kubernetes.io/id"
#define IDENTITY_RELEASE "bkdeploy/release"

/* Returns 0, or -1 with ERR_USAGE when a name is none that Kubernetes takes; release in both cases.
 */
int identity_init(struct identity *identity, const char *name, const char *namespace,
                  struct err *err);
void identity_release(struct identity *identity);

#endif
