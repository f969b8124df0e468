/* The releases of a cluster, or of a namespace of it, by the ConfigMaps that keep account of them.
 */
#ifndef RELEASE_DIRECTORY_H
#define RELEASE_DIRECTORY_H

#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"

/* Texts are never NULL, "" where nothing is known. */
struct directory_entry {
    char *name, *namespace, *profile, *environment;
    int revision;  /* the newest; 0: not known */
    char *when;    /* of it, RFC 3339 */
    char *outcome; /* of it */
};

/*
 * Lists them, ascending by namespace and name; `namespace` NULL means all. Metadata alone is read.
 * What is known of the newest revision comes from the Secrets of the revisions, or, where those may
 * not be listed, from what the ConfigMap says. Returns 0, or -1 with err.
 */
int directory_list(struct kube_client *client, const char *namespace, struct directory_entry **list,
                   size_t *count, struct err *err);
void directory_free(struct directory_entry *list, size_t count);

#endif
