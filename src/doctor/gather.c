#include "doctor/gather.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "doctor/finding.h"
#include "doctor/fit.h"
#include "doctor/listing.h"
#include "object/meta.h"

enum { HTTP_OK = 200, HTTP_NOT_FOUND = 404 };

enum place { CONFIGURATION, RESOURCES, NETWORK };

/* Without the Secrets of the bookkeeping, which are large. */
#define OF_OTHERS "?labelSelector=%21bkdeploy%2Frelease"

/* What is read: of each namespace of the release, and of the cluster. */
static const struct row {
    const char *kind, *version, *resource;
    bool cluster;
    enum place place; /* the section that lacks it when it can't be read */
} rows[] = {
    { "Pod", "v1", "pods", false, CONFIGURATION },
    { "ReplicaSet", "apps/v1", "replicasets", false, CONFIGURATION },
    { "Deployment", "apps/v1", "deployments", false, CONFIGURATION },
    { "StatefulSet", "apps/v1", "statefulsets", false, CONFIGURATION },
    { "DaemonSet", "apps/v1", "daemonsets", false, CONFIGURATION },
    { "Job", "batch/v1", "jobs", false, CONFIGURATION },
    { "CronJob", "batch/v1", "cronjobs", false, CONFIGURATION },
    { "ConfigMap", "v1", "configmaps", false, CONFIGURATION },
    { "Secret", "v1", "secrets" OF_OTHERS, false, CONFIGURATION },
    { "ServiceAccount", "v1", "serviceaccounts", false, CONFIGURATION },
    { "Event", "v1", "events", false, RESOURCES },
    { "PersistentVolumeClaim", "v1", "persistentvolumeclaims", false, RESOURCES },
    { "ResourceQuota", "v1", "resourcequotas", false, RESOURCES },
    { "LimitRange", "v1", "limitranges", false, RESOURCES },
    { "HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers", false, RESOURCES },
    { "PodDisruptionBudget", "policy/v1", "poddisruptionbudgets", false, RESOURCES },
    { "Service", "v1", "services", false, NETWORK },
    { "EndpointSlice", "discovery.k8s.io/v1", "endpointslices", false, NETWORK },
    { "Ingress", "networking.k8s.io/v1", "ingresses", false, NETWORK },
    { "NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", false, NETWORK },
    { "Node", "v1", "nodes", true, RESOURCES },
    { "Load", "v1", "pods", true, RESOURCES },
    { "StorageClass", "storage.k8s.io/v1", "storageclasses", true, RESOURCES },
    { "PersistentVolume", "v1", "persistentvolumes", true, RESOURCES },
    { "IngressClass", "networking.k8s.io/v1", "ingressclasses", true, NETWORK },
    { "Namespace", "v1", "namespaces", true, NETWORK },
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* Of any pod of the cluster what it takes of its node. */
static json_t *load_of(json_t *pod)
{
    const char *node = world_text(pod, "spec.nodeName");
    if (!*node || world_has_ended(pod))
        return NULL;
    return json_pack("{s:s, s:o}", "node", node, "requests",
                     fit_requests(json_object_get(pod, "spec")));
}

/* ---- what the profile says ---- */

static json_t *wanted_of(const struct work *work)
{
    json_t *wanted = json_array();
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        const struct component *component = &work->profile->components[item->component];
        json_t *object = json_copy((json_t *)item->object);
        json_t *metadata = json_copy(json_object_get(object, "metadata"));
        bool namespaced = !item->collection || strstr(item->collection, "/namespaces/");
        if (namespaced)
            json_object_set_new(metadata, "namespace", json_string(item->namespace));
        else
            json_object_del(metadata, "namespace");
        json_object_set_new(object, "metadata", metadata);
        json_array_append_new(wanted, json_pack("{s:s, s:s?, s:s?, s:o}", "component",
                                                component->name, "origin", component->origin,
                                                "collection", item->collection, "object", object));
    }
    return wanted;
}

static bool has_port(const struct work *work, size_t component)
{
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].component == component && strcmp(work->items[i].kind, "Service") == 0)
            return true;
    return false;
}

/* What a component needs: a need that has no port itself (a migration) stands for its own needs. */
static void add_needs(const struct work *work, size_t from, bool *seen, json_t *names)
{
    const struct component *component = &work->profile->components[from];
    for (size_t i = 0; i < component->needs_count; i++) {
        size_t other = component->before[i];
        if (seen[other])
            continue;
        seen[other] = true;
        if (has_port(work, other))
            json_array_append_new(names, json_string(work->profile->components[other].name));
        else
            add_needs(work, other, seen, names);
    }
}

static json_t *needs_of(const struct work *work)
{
    json_t *needs = json_object();
    for (size_t i = 0; i < work->profile->count; i++) {
        bool *seen = xcalloc(work->profile->count, sizeof *seen);
        json_t *names = json_array();
        add_needs(work, i, seen, names);
        json_object_set_new(needs, work->profile->components[i].name, names);
        free(seen);
    }
    return needs;
}

/* The namespaces that the profile has something in. A new reference. */
static json_t *namespaces_of(const json_t *wanted)
{
    json_t *seen = json_object(), *entry;
    size_t i;
    json_array_foreach((json_t *)wanted, i, entry) {
        const char *namespace = meta_text(json_object_get(entry, "object"), "namespace");
        if (*namespace)
            json_object_set_new(seen, namespace, json_true());
    }
    return seen;
}

/* ---- reading ---- */

static struct listing listing_of(const struct row *row, const char *namespace)
{
    const char *slash = strchr(row->version, '/');
    bool load = strcmp(row->kind, "Load") == 0;
    char *root = xasprintf("/%s/%s", slash ? "apis" : "api", row->version);
    char *path = row->cluster ? xasprintf("%s/%s", root, row->resource)
                              : xasprintf("%s/namespaces/%s/%s", root, namespace, row->resource);
    free(root);
    return (struct listing){ .kind = load ? "" : row->kind,
                             .version = load ? "" : row->version,
                             .path = path,
                             .reduce = load ? load_of : NULL };
}

static void note(const struct gather_sections *sections, const struct row *row,
                 const struct err *err)
{
    json_t *places[] = { sections->configuration, sections->resources, sections->network };
    section_note(places[row->place], "%s objects can't be read: %s",
                 strcmp(row->kind, "Load") == 0 ? "other namespaces' Pod" : row->kind,
                 err->message);
}

static void take(struct gathered *gathered, const struct row *row, struct listing *listing,
                 const struct gather_sections *sections)
{
    json_t *all = json_object_get(gathered->live, row->kind);
    if (listing->status != HTTP_OK && listing->status != HTTP_NOT_FOUND) {
        note(sections, row, &listing->err);
        return;
    }
    if (!all) {
        all = json_array();
        json_object_set_new(gathered->live, row->kind, all);
    }
    json_array_extend(all, listing->items);
}

static int read_all(struct gathered *gathered, struct kube_client *client,
                    const struct gather_sections *sections, struct err *err)
{
    json_t *namespaces = namespaces_of(gathered->wanted), *ignored;
    const char *namespace;
    size_t count = 0, most = ROW_COUNT * (json_object_size(namespaces) + 1);
    struct listing *list = xcalloc(most, sizeof *list);
    size_t *row_of = xcalloc(most, sizeof *row_of);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].cluster) {
            row_of[count] = i;
            list[count++] = listing_of(&rows[i], NULL);
            continue;
        }
        json_object_foreach(namespaces, namespace, ignored) {
            row_of[count] = i;
            list[count++] = listing_of(&rows[i], namespace);
        }
    }
    int result = listing_run(client, list, count, err);
    for (size_t i = 0; i < count && result == 0; i++)
        take(gathered, &rows[row_of[i]], &list[i], sections);
    listing_release(list, count);
    free(list);
    free(row_of);
    json_decref(namespaces);
    return result;
}

static bool is_applied(const struct doctor_world *world)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const char *kind = object_text(object, "kind");
        if (strcmp(kind, "Namespace") != 0 && world_real(world, object) != object)
            return true;
    }
    return false;
}

int gather(struct gathered *gathered, struct kube_client *client, const struct work *work,
           const struct gather_sections *sections, struct err *err)
{
    *gathered = (struct gathered){ .wanted = wanted_of(work),
                                   .live = json_object(),
                                   .needs = needs_of(work) };
    int result = read_all(gathered, client, sections, err);
    gathered->world = (struct doctor_world){ .wanted = gathered->wanted,
                                             .live = gathered->live,
                                             .needs = gathered->needs };
    world_init(&gathered->world);
    gathered->world.applied = is_applied(&gathered->world);
    return result;
}

void gather_release(struct gathered *gathered)
{
    world_release(&gathered->world);
    json_decref(gathered->wanted);
    json_decref(gathered->live);
    json_decref(gathered->needs);
}
