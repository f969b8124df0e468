#include "release/work.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* helm's order (pkg/release/util/kind_sorter.go) in as few steps as the API server asks for: each
 * one is a round trip. What it doesn't ask for goes together, such as a claim and its class. */
static const struct {
    const char *kind;
    enum rank rank;
} ranks[] = {
    { "Namespace", RANK_FOUNDATION },
    { "CustomResourceDefinition", RANK_FOUNDATION },
    /* A token Secret whose account is not there is deleted. */
    { "ServiceAccount", RANK_GROUND },
    /* Who may not grant all rights may only bind a role that is there. */
    { "Role", RANK_GROUND },
    { "ClusterRole", RANK_GROUND },
    /* Of claims: which class is the default one, what they are counted and limited by. */
    { "StorageClass", RANK_GROUND },
    { "VolumeAttributesClass", RANK_GROUND },
    { "ResourceQuota", RANK_GROUND },
    { "LimitRange", RANK_GROUND },
    /* Of pods and routes. */
    { "PriorityClass", RANK_GROUND },
    { "RuntimeClass", RANK_GROUND },
    { "IngressClass", RANK_GROUND },
    { "ConfigMap", RANK_CONFIG },
    { "Secret", RANK_CONFIG },
    { "RoleBinding", RANK_CONFIG },
    { "ClusterRoleBinding", RANK_CONFIG },
    { "NetworkPolicy", RANK_CONFIG },
    { "CSIDriver", RANK_CONFIG },
    { "PersistentVolume", RANK_CONFIG },
    { "PersistentVolumeClaim", RANK_CONFIG },
    { "Service", RANK_CONFIG }, /* before the pods, which find it in their environment */
    { "Endpoints", RANK_CONFIG },
    { "EndpointSlice", RANK_CONFIG },
    { "Ingress", RANK_ROUTE },
    { "HorizontalPodAutoscaler", RANK_ROUTE },
    { "PodDisruptionBudget", RANK_ROUTE },
    { "APIService", RANK_ADMISSION },
    { "ValidatingAdmissionPolicy", RANK_ADMISSION },
    { "ValidatingAdmissionPolicyBinding", RANK_ADMISSION },
    { "MutatingAdmissionPolicy", RANK_ADMISSION },
    { "MutatingAdmissionPolicyBinding", RANK_ADMISSION },
    { "ValidatingWebhookConfiguration", RANK_ADMISSION },
    { "MutatingWebhookConfiguration", RANK_ADMISSION },
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
    for (size_t i = 0; i < work->crds_count; i++)
        if (crd_serves(json_object_get(work->crds[i]->object, "spec"), item))
            return work->crds[i];
    return NULL;
}

/* ---- by name ---- */

bool work_is_namespaced(const struct work_item *item)
{
    return !item->collection || strstr(item->collection, "/namespaces/");
}

/* The part of an API version that does not change with it. */
static int compare_groups(const char *a, const char *b)
{
    const char *end = strchr(a, '/'), *other = strchr(b, '/');
    size_t length = end ? (size_t)(end - a) : 0, others = other ? (size_t)(other - b) : 0;
    int order = strncmp(a, b, length < others ? length : others);
    return order ? order : (length > others) - (length < others);
}

/* Namespaces come last, so that those of cluster-scoped kinds can be left out of the search. */
static int compare_names(const struct work_item *a, const struct work_item *b)
{
    int order = strcmp(a->kind, b->kind);
    if (order == 0)
        order = strcmp(a->name, b->name);
    return order ? order : compare_groups(a->api_version, b->api_version);
}

static int compare_items(const void *a, const void *b)
{
    const struct work_item *one = *(const struct work_item *const *)a;
    const struct work_item *other = *(const struct work_item *const *)b;
    int order = compare_names(one, other);
    return order ? order : strcmp(one->namespace, other->namespace);
}

static void index_items(struct work *work)
{
    work->by_name = xcalloc(work->count, sizeof(void *));
    work->crds = xcalloc(work->count, sizeof(void *));
    for (size_t i = 0; i < work->count; i++) {
        work->by_name[i] = &work->items[i];
        if (strcmp(work->items[i].kind, "CustomResourceDefinition") == 0)
            work->crds[work->crds_count++] = &work->items[i];
    }
    if (work->count)
        qsort(work->by_name, work->count, sizeof(void *), compare_items);
}

/* The first place in `by_name` that is not before the item. */
static size_t place_of(const struct work *work, const struct work_item *wanted)
{
    size_t low = 0, high = work->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(work->by_name[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct work_item *work_find(const struct work *work, const char *api_version,
                                  const char *kind, const char *namespace, const char *name)
{
    const struct work_item wanted = { .api_version = api_version, .kind = kind, .name = name };
    for (size_t i = place_of(work, &wanted); i < work->count; i++) {
        const struct work_item *item = work->by_name[i];
        if (compare_names(item, &wanted) != 0)
            return NULL;
        if (!work_is_namespaced(item) || strcmp(item->namespace, namespace) == 0)
            return item;
    }
    return NULL;
}

static int resolve(struct work *work, struct err *err)
{
    json_t *versions = json_array();
    for (size_t i = 0; i < work->count; i++) /* what is the same stands together, mostly */
        if (i == 0 || strcmp(work->items[i].api_version, work->items[i - 1].api_version) != 0)
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
    index_items(work);
    return resolve(work, err);
}

void work_keep(struct work *work, const bool *keep)
{
    size_t size = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        size += strlen(item->api_version) + strlen(item->kind) + strlen(item->name) +
                strlen(item->namespace) + 4;
    }
    char *names = xmalloc(size), *end = names;
    for (size_t i = 0; i < work->count; i++) {
        struct work_item *item = &work->items[i];
        item->api_version = pack_text(&end, item->api_version);
        item->kind = pack_text(&end, item->kind);
        item->name = pack_text(&end, item->name);
        item->namespace = pack_text(&end, item->namespace);
        if (!keep[item->component])
            item->object = json_null();
    }
    free(work->names);
    work->names = names;
}

void work_release(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        free(work->items[i].collection);
        free(work->items[i].path);
    }
    free(work->items);
    free(work->by_name);
    free(work->crds);
    free(work->names);
    *work = (struct work){ .profile = NULL };
}

char *work_item_label(const struct work_item *item)
{
    bool namespaced = work_is_namespaced(item);
    return xasprintf("%s %s%s%s", item->kind, namespaced ? item->namespace : "",
                     namespaced ? "/" : "", item->name);
}
