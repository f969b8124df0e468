/* What an object names of others: where a pod's description, a ServiceAccount or an Ingress has the
 * name of a ConfigMap, Secret, claim or ServiceAccount. */
#ifndef OBJECT_REFERENCES_H
#define OBJECT_REFERENCES_H

#include <jansson.h>

/* Called with each: what the place is for ("env", "volume", "images", "identity"). */
typedef void references_fn(const char *kind, const char *name, const char *why, void *arg);

/*
 * Every reference in a value: env, envFrom, volumes of all sorts, imagePullSecrets,
 * serviceAccountName. They are known by their keys, wherever they stand, so that those of custom
 * resources are found, too. The same one may come more than once.
 */
void references_each(const json_t *value, references_fn *each, void *arg);

#endif
