/*
 * What a user may do, as the API server tells it: one SelfSubjectRulesReview a namespace, and a
 * SelfSubjectAccessReview for each thing that those can't tell, as what has no namespace.
 */
#ifndef DOCTOR_PERMISSIONS_H
#define DOCTOR_PERMISSIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"

/* Adds a permission to a list, { verb, group, resource, namespace }, unless it is in there;
 * `namespace` "" is of the cluster. */
void permissions_add(json_t *list, const char *verb, const char *group, const char *resource,
                     const char *namespace);

/* The same for the objects of a collection, by its path. Of a path that is none nothing is added.
 */
void permissions_add_path(json_t *list, const char *verb, const char *collection);

/* What an apply does in the namespace for itself: its lock, its inventory, its revisions. */
void permissions_add_bookkeeping(json_t *list, const char *namespace);

/*
 * Which of the list the user lacks: an array of the same, a new reference. Rules that allow
 * something for some names count as allowing it. Where the server doesn't answer (it may not be
 * asked) nothing is lacking, and `*unknown` is why (may be NULL). Returns NULL with err after an
 * interrupt.
 */
json_t *permissions_lacking(struct kube_client *client, const json_t *list, struct err *unknown,
                            struct err *err);

/* Lacking ones of one resource in a line: [{ verbs: "patch, delete", group, resource, namespace }].
 * A new reference. */
json_t *permissions_by_resource(const json_t *lacking);

/* Whether the rules of a review's status allow it; `*incomplete`: they may not be all. */
bool permissions_allow(const json_t *status, const json_t *permission, bool *incomplete);

#endif
