#include "release/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *kind;
    enum rank rank;
} ranks[] = {
    { "Namespace", RANK_FOUNDATION },
    { "CustomResourceDefinition", RANK_FOUNDATION },
    { "ConfigMap", RANK_CONFIG },
    { "Secret", RANK_CONFIG },
    { "ServiceAccount", RANK_CONFIG },
    { "Role", RANK_CONFIG },
    { "RoleBinding", RANK_CONFIG },
    { "ClusterRole", RANK_CONFIG },
    { "ClusterRoleBinding", RANK_CONFIG },
    { "StorageClass", RANK_CONFIG },
    { "PriorityClass", RANK_CONFIG },
    { "ResourceQuota", RANK_CONFIG },
    { "LimitRange", RANK_CONFIG },
    { "NetworkPolicy", RANK_CONFIG },
    { "PersistentVolume", RANK_CONFIG },
    { "PersistentVolumeClaim", RANK_CONFIG },
    { "Service", RANK_CONFIG }, /* before the pods, which find it in their environment */
    { "IngressClass", RANK_CONFIG },
    { "Ingress", RANK_ROUTE },
    { "HorizontalPodAutoscaler", RANK_ROUTE },
    { "PodDisruptionBudget", RANK_ROUTE },
    { "APIService", RANK_ROUTE },
    { "ValidatingWebhookConfiguration", RANK_ROUTE },
    { "MutatingWebhookConfiguration", RANK_ROUTE },
};

enum rank work_rank(const char *kind)
{
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (strcmp(kind, ranks[i].kind) == 0)
            return ranks[i].rank;
    return RANK_WORKLOAD;
}

static void list_items(struct work *work)
{
    const struct profile *profile = work->profile;
    size_t count = 0, k;
    for (size_t i = 0; i < profile->count; i++)
        count += json_array_size(profile->components[i].objects);
    work->items = xcalloc(count, sizeof *work->items);
    for (size_t i = 0; i < profile->count; i++) {
        json_t *object;
        json_array_foreach(profile->components[i].objects, k, object) {
            struct work_item *item = &work->items[work->count++];
            const json_t *metadata = json_object_get(object, "metadata");
            item->component = i;
            item->index = k;
            item->object = object;
            item->api_version = json_string_value(json_object_get(object, "apiVersion"));
            item->kind = json_string_value(json_object_get(object, "kind"));
            item->name = json_string_value(json_object_get(metadata, "name"));
            item->namespace = json_string_value(json_object_get(metadata, "namespace"));
            if (!item->namespace)
                item->namespace = profile->namespace;
            item->rank = work_rank(item->kind);
        }
    }
}

static bool crd_serves(const json_t *spec, const struct work_item *wanted)
{
    const char *group = json_string_value(json_object_get(spec, "group"));
    const char *kind = json_string_value(json_object_get(json_object_get(spec, "names"), "kind"));
    size_t length = group ? strlen(group) : 0, i;
    if (!length || !kind || strcmp(kind, wanted->kind) != 0 ||
        strncmp(wanted->api_version, group, length) != 0 || wanted->api_version[length] != '/')
        return false;
    json_t *version;
    json_array_foreach(json_object_get(spec, "versions"), i, version) {
        const char *name = json_string_value(json_object_get(version, "name"));
        if (name && strcmp(name, wanted->api_version + length + 1) == 0)
            return json_is_true(json_object_get(version, "served"));
    }
    return false;
}

const struct work_item *work_crd_of(const struct work *work, const struct work_item *item)
{
    for (size_t i = 0; i < work->count; i++) {
        if (strcmp(work->items[i].kind, "CustomResourceDefinition") != 0)
            continue;
        if (crd_serves(json_object_get(work->items[i].object, "spec"), item))
            return &work->items[i];
    }
    return NULL;
}

static int resolve(struct work *work, struct err *err)
{
    json_t *versions = json_array();
    for (size_t i = 0; i < work->count; i++)
        json_array_append_new(versions, json_string(work->items[i].api_version));
    int result = kube_discovery_load(work->discovery, versions, err);
    json_decref(versions);
    for (size_t i = 0; i < work->count && result == 0; i++) {
        struct work_item *item = &work->items[i];
        item->collection =
            kube_collection_path(work->discovery, item->api_version, item->kind, item->namespace);
        if (item->collection)
            item->path = kube_object_path(item->collection, item->name);
        else if (!work_crd_of(work, item))
            result = err_set(
                err, ERR_REFUSED,
                "component '%s' (%s): the cluster has no kind %s of %s, and no CRD of the "
                "profile brings it",
                work->profile->components[item->component].name,
                work->profile->components[item->component].origin, item->kind, item->api_version);
    }
    return result;
}

void work_resolve_brought(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct work_item *item = &work->items[i];
        if (item->path)
            continue;
        const json_t *spec = json_object_get(work_crd_of(work, item)->object, "spec");
        const char *scope = json_string_value(json_object_get(spec, "scope"));
        const char *plural =
            json_string_value(json_object_get(json_object_get(spec, "names"), "plural"));
        bool namespaced = scope && strcmp(scope, "Namespaced") == 0;
        item->collection = xasprintf(
            "/apis/%s/%s%s%s%s", item->api_version, namespaced ? "namespaces/" : "",
            namespaced ? item->namespace : "", namespaced ? "/" : "", plural ? plural : "");
        item->path = kube_object_path(item->collection, item->name);
    }
}

int work_init(struct work *work, const struct profile *profile, struct kube_discovery *discovery,
              struct err *err)
{
    *work = (struct work){ .profile = profile, .discovery = discovery };
    list_items(work);
    return resolve(work, err);
}

void work_release(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        free(work->items[i].collection);
        free(work->items[i].path);
    }
    free(work->items);
    *work = (struct work){ .profile = NULL };
}

char *work_item_label(const struct work_item *item)
{
    bool namespaced = !item->collection || strstr(item->collection, "/namespaces/");
    return xasprintf("%s %s%s%s", item->kind, namespaced ? item->namespace : "",
                     namespaced ? "/" : "", item->name);
}
