/*
 * What a release owns on the cluster. Its objects carry the label IDENTITY_PART_OF; the parent, a
 * ConfigMap, says of which kinds they are and in which namespaces, so that they are found by a few
 * lists. The form is that of ApplySets (see identity.h).
 */
#ifndef RELEASE_INVENTORY_H
#define RELEASE_INVENTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "release/identity.h"

struct member {
    char *api_version, *kind;
    char *namespace; /* "" of what is cluster-scoped */
    char *name, *uid;
    char *collection, *path;
    bool keep;      /* annotated "bkdeploy/keep": never to be deleted */
    json_t *object; /* as listed, with apiVersion and kind, without managedFields; NULL: as of
                       inventory_look.names */
};

struct inventory {
    json_t *parent; /* NULL: not there (yet); there may be members that its revisions know of */
    struct member *members;
    size_t count;
    json_t *missing; /* array of kinds ("Foo.example.com") that the server has no more */
};

/* What is wanted of the listing. */
struct inventory_look {
    /* Whether objects of a kind are to be listed whole; of the others there is metadata alone. */
    bool (*whole)(const char *api_version, const char *kind, void *arg);
    bool names; /* of those others not even that: member.object is NULL, but for annotations that
                   say what is to be kept */
    /* Sees each object as it is listed, with apiVersion and kind; true: it becomes no member. May
     * be NULL. */
    bool (*take)(json_t *object, void *arg);
    void *arg;
};

/*
 * Reads the parent and lists the members; `look` NULL: all of them, whole. Returns 0, or -1 with
 * err: ERR_CONFLICT for a parent that is another tool's. Release in both cases.
 */
int inventory_load(struct kube_client *client, struct kube_discovery *discovery,
                   const struct identity *identity, const struct inventory_look *look,
                   struct inventory *inventory, struct err *err);

/* Lists the kinds of the members once more, whole, for the members that have metadata alone; what
 * has gone since stays as it was. Returns 0 or -1. */
int inventory_complete(struct kube_client *client, struct kube_discovery *discovery,
                       const struct identity *identity, struct inventory *inventory,
                       struct err *err);

/*
 * Makes the parent say exactly these kinds ("Deployment.apps"), namespaces (its own may be among
 * them) and further annotations (an object of texts, or NULL for none); creates it where it is
 * missing. To be called after inventory_load(), which sees whose it is. Returns 0 or -1.
 */
int inventory_write(struct kube_client *client, const struct identity *identity,
                    const json_t *group_kinds, const json_t *namespaces, const json_t *info,
                    struct err *err);
void inventory_release(struct inventory *inventory);

#endif
