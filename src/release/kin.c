#include "release/kin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/list.h"
#include "object/meta.h"

enum { STEPS_MAX = 10 };

struct kin {
    struct kube_client *client;
    const struct work *work;
    json_t *components; /* "namespace/Kind/name" to a component's name; null: to none */
    json_t *owners;     /* the same to the reference of its owner; false: it has none; null: it
                           is not there */
};

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found ? found : "";
}

static char *key_of(const char *namespace, const char *kind, const char *name)
{
    return xasprintf("%s/%s/%s", namespace, kind, name);
}

struct kin *kin_new(struct kube_client *client, const struct work *work)
{
    struct kin *kin = xcalloc(1, sizeof *kin);
    kin->client = client;
    kin->work = work;
    kin->components = json_object();
    kin->owners = json_object();
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        bool namespaced = !item->collection || strstr(item->collection, "/namespaces/");
        char *key = key_of(namespaced ? item->namespace : "", item->kind, item->name);
        json_object_set_new(kin->components, key,
                            json_string(work->profile->components[item->component].name));
        free(key);
    }
    return kin;
}

void kin_free(struct kin *kin)
{
    if (!kin)
        return;
    json_decref(kin->components);
    json_decref(kin->owners);
    free(kin);
}

/* ---- owners ---- */

/* The reference of an object's owner, its controller before others; NULL when it has none. */
static const json_t *owner_in(const json_t *object)
{
    const json_t *owners = json_object_get(json_object_get(object, "metadata"), "ownerReferences");
    json_t *owner, *first = json_array_get(owners, 0);
    size_t i;
    json_array_foreach((json_t *)owners, i, owner) {
        if (json_is_true(json_object_get(owner, "controller")))
            return owner;
    }
    return first;
}

static void note_owner(struct kin *kin, const char *key, const json_t *object)
{
    json_t *owner = (json_t *)owner_in(object);
    json_object_set_new(kin->owners, key, owner ? json_incref(owner) : json_false());
}

int kin_load(struct kin *kin, const char *namespace, struct err *err)
{
    static const struct {
        const char *root, *plural, *kind;
    } kinds[] = { { "/api/v1", "pods", "Pod" },
                  { "/apis/apps/v1", "replicasets", "ReplicaSet" },
                  { "/apis/batch/v1", "jobs", "Job" } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct err refusal = ERR_INIT;
        json_t *items = NULL, *item;
        size_t k;
        char *path = xasprintf("%s/namespaces/%s/%s", kinds[i].root, namespace, kinds[i].plural);
        kube_list(kin->client, path, KUBE_METADATA_LIST, &items, &refusal);
        free(path);
        json_array_foreach(items, k, item) {
            char *key = key_of(namespace, kinds[i].kind, meta_text(item, "name"));
            note_owner(kin, key, item);
            free(key);
        }
        json_decref(items);
        if (refusal.kind == ERR_INTERRUPTED) {
            *err = refusal;
            return -1;
        }
    }
    return 0;
}

/* Asks for the owner of an object, which is none when that is not to be had. */
static int ask_owner(struct kin *kin, const char *key, const char *namespace,
                     const json_t *reference, struct err *err)
{
    const char *api_version = text(reference, "apiVersion"), *kind = text(reference, "kind");
    struct err refusal = ERR_INIT;
    json_t *versions = json_pack("[s]", *api_version ? api_version : "v1"), *answer = NULL;
    char *collection = NULL;
    if (kube_discovery_load(kin->work->discovery, versions, &refusal) == 0)
        collection = kube_collection_path(kin->work->discovery, api_version, kind, namespace);
    if (collection) {
        char *path = kube_object_path(collection, text(reference, "name"));
        struct kube_request request = { .method = "GET", .path = path, .accept = KUBE_METADATA };
        if (kube_ask(kin->client, &request, &answer, &refusal) == 200)
            note_owner(kin, key, answer);
        free(path);
    }
    if (!json_object_get(kin->owners, key))
        json_object_set_new(kin->owners, key, json_null());
    json_decref(answer);
    json_decref(versions);
    free(collection);
    if (refusal.kind != ERR_INTERRUPTED)
        return 0;
    *err = refusal;
    return -1;
}

/* ---- names ---- */

/* Whether that is what controllers put behind a name: five letters, a hash, a number. */
static bool is_suffix(const char *from, size_t length)
{
    return length > 0 && length <= 11 && strspn(from, "0123456789bcdfghjklmnpqrstvwxz") >= length;
}

/* The component of the release's own object that this one has got its name from; NULL: none. */
static const char *find_by_name(const struct kin *kin, const char *namespace, const char *kind,
                                const char *name)
{
    static const char *const makers[] = { "ReplicaSet", "StatefulSet", "DaemonSet",
                                          "Job",        "Deployment",  "CronJob" };
    if (strcmp(kind, "Pod") != 0 && strcmp(kind, "ReplicaSet") != 0 && strcmp(kind, "Job") != 0)
        return NULL;
    char *prefix = xstrdup(name), *dash;
    const char *found = NULL;
    for (int cuts = 0; cuts < 2 && !found && (dash = strrchr(prefix, '-')); cuts++) {
        if (!is_suffix(dash + 1, strlen(dash + 1)))
            break;
        *dash = '\0';
        for (size_t i = 0; i < sizeof makers / sizeof *makers && !found; i++) {
            char *key = key_of(namespace, makers[i], prefix);
            found = json_string_value(json_object_get(kin->components, key));
            free(key);
        }
    }
    free(prefix);
    return found;
}

int kin_find(struct kin *kin, const json_t *reference, const char **component, struct err *err)
{
    const char *namespace = text(reference, "namespace");
    const char *kind = text(reference, "kind"), *name = text(reference, "name");
    char *first = key_of(namespace, kind, name);
    const json_t *found = NULL, *at = reference;
    int result = 0;
    for (int step = 0; step < STEPS_MAX && json_is_object(at) && !found && result == 0; step++) {
        char *key = key_of(namespace, text(at, "kind"), text(at, "name"));
        found = json_object_get(kin->components, key);
        if (!found && !json_object_get(kin->owners, key))
            result = ask_owner(kin, key, namespace, at, err);
        at = json_object_get(kin->owners, key);
        free(key);
    }
    *component = json_string_value(found);
    if (!found && result == 0 && json_is_null(json_object_get(kin->owners, first)))
        *component = find_by_name(kin, namespace, kind, name);
    if (!found && result == 0)
        json_object_set_new(kin->components, first,
                            *component ? json_string(*component) : json_null());
    free(first);
    return result;
}
