#include "object/topology.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "object/references.h"

#define COMPONENT "Component"

struct made {
    const struct profile *profile;
    json_t *nodes, *edges;
    json_t *ids;    /* to the node */
    json_t *named;  /* "kind|namespace|name" to the node */
    json_t *joined; /* "from|to" to the edge */
};

/* What an edge of the object at work begins at. */
struct from {
    struct made *made;
    const json_t *node;
    const char *namespace;
};

static const json_t *at(const json_t *value, const char *key, const char *next)
{
    value = json_object_get(value, key);
    return next ? json_object_get(value, next) : value;
}

/* ---- nodes ---- */

static char *name_key(const char *kind, const char *namespace, const char *name)
{
    return xasprintf("%s|%s|%s", kind, namespace, name);
}

/* "Deployment/web", "Deployment/other/web" in another namespace than the profile's; with its group
 * where two kinds have one name. The caller's. */
static char *id_for(const struct made *made, const char *group, const char *kind,
                    const char *namespace, const char *name)
{
    bool elsewhere = *namespace && strcmp(namespace, made->profile->namespace) != 0;
    char *id = xasprintf("%s/%s%s%s", kind, elsewhere ? namespace : "", elsewhere ? "/" : "", name);
    if (!json_object_get(made->ids, id))
        return id;
    free(id);
    return xasprintf("%s.%s/%s%s%s", kind, group, elsewhere ? namespace : "", elsewhere ? "/" : "",
                     name);
}

/* Adds a node; what is "" is left out. Borrowed. */
static json_t *add_node(struct made *made, const char *id, const char *kind, const char *namespace,
                        const char *name, const char *component)
{
    json_t *node =
        json_pack("{s:s, s:s, s:s, s:s}", "id", id, "kind", kind, "name", name, "label", name);
    char *key = name_key(kind, namespace, name);
    if (*component)
        json_object_set_new(node, "component", json_string(component));
    if (*namespace)
        json_object_set_new(node, "namespace", json_string(namespace));
    json_array_append_new(made->nodes, node);
    json_object_set(made->ids, id, node);
    if (!json_object_get(made->named, key))
        json_object_set(made->named, key, node);
    free(key);
    return node;
}

static json_t *find(const struct made *made, const char *kind, const char *namespace,
                    const char *name)
{
    char *key = name_key(kind, namespace, name);
    json_t *node = json_object_get(made->named, key);
    if (!node) { /* of no namespace */
        free(key);
        key = name_key(kind, "", name);
        node = json_object_get(made->named, key);
    }
    free(key);
    return node;
}

/* The node by that name, one that is not of the profile where it has none. */
static json_t *find_or_add(struct made *made, const char *kind, const char *namespace,
                           const char *name)
{
    json_t *node = find(made, kind, namespace, name);
    if (node)
        return node;
    char *id = id_for(made, "", kind, namespace, name);
    node = add_node(made, id, kind, namespace, name, "");
    json_object_set_new(node, "external", json_true());
    free(id);
    return node;
}

/* ---- edges ---- */

static json_t *add_edge(struct made *made, const json_t *from, const json_t *to, const char *why)
{
    const char *start = object_text(from, "id"), *end = object_text(to, "id");
    char *key = xasprintf("%s|%s", start, end);
    json_t *edge = json_object_get(made->joined, key);
    if (!edge) {
        edge = json_pack("{s:s, s:s, s:s}", "from", start, "to", end, "why", why);
        json_array_append_new(made->edges, edge);
        json_object_set(made->joined, key, edge);
    } else if (!strstr(object_text(edge, "why"), why)) {
        char *both = xasprintf("%s, %s", object_text(edge, "why"), why);
        json_object_set_new(edge, "why", json_string(both));
        free(both);
    }
    free(key);
    return edge;
}

static void lead_to(struct from *from, const char *kind, const char *namespace, const char *name,
                    const char *why)
{
    if (*name)
        add_edge(from->made, from->node,
                 find_or_add(from->made, kind, *namespace ? namespace : from->namespace, name),
                 why);
}

static void add_reference(const char *kind, const char *name, const char *why, void *arg)
{
    struct from *from = arg;
    bool is_given = strcmp(kind, "ServiceAccount") == 0 && strcmp(name, "default") == 0;
    if (!is_given)
        lead_to(from, kind, "", name, why);
}

/* ---- pods ---- */

/* The object that is a pod, or the template of one; NULL: it makes none. */
static const json_t *template_of(const json_t *object)
{
    const json_t *spec = json_object_get(object, "spec");
    if (strcmp(object_text(object, "kind"), "Pod") == 0)
        return object;
    if (strcmp(object_text(object, "kind"), "CronJob") == 0)
        spec = at(spec, "jobTemplate", "spec");
    return json_object_get(spec, "template");
}

static bool has_value(const json_t *values, const char *text)
{
    size_t i;
    json_t *value;
    json_array_foreach((json_t *)values, i, value) {
        if (json_is_string(value) && strcmp(json_string_value(value), text) == 0)
            return true;
    }
    return false;
}

static bool expression_holds(const json_t *expression, const json_t *labels)
{
    const char *relation = object_text(expression, "operator");
    const char *value = json_string_value(json_object_get(labels, object_text(expression, "key")));
    const json_t *values = json_object_get(expression, "values");
    if (strcmp(relation, "In") == 0)
        return value && has_value(values, value);
    if (strcmp(relation, "NotIn") == 0)
        return !value || !has_value(values, value);
    return strcmp(relation, "Exists") == 0 ? value != NULL : value == NULL;
}

static bool labels_fit(const json_t *wanted, const json_t *labels)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)wanted, key, value) {
        const json_t *own = json_object_get(labels, key);
        if (!own || !json_equal(own, value))
            return false;
    }
    return true;
}

static bool selector_fits(const json_t *selector, const json_t *labels)
{
    size_t i;
    json_t *expression;
    json_array_foreach(json_object_get(selector, "matchExpressions"), i, expression) {
        if (!expression_holds(expression, labels))
            return false;
    }
    return labels_fit(json_object_get(selector, "matchLabels"), labels);
}

/* Leads to all workloads of the namespace whose pods a selector means. `plain`: it is a map of
 * labels. */
static void lead_to_pods(struct from *from, const json_t *selector, bool plain, const char *why)
{
    const struct made *made = from->made;
    size_t index = made->profile->count;
    for (size_t i = 0; i < made->profile->count; i++) {
        size_t k;
        json_t *object;
        json_array_foreach(made->profile->components[i].objects, k, object) {
            const json_t *node = json_array_get(made->nodes, index++);
            const json_t *template = template_of(object);
            const json_t *labels = at(template, "metadata", "labels");
            if (template && strcmp(object_text(node, "namespace"), from->namespace) == 0 &&
                (plain ? labels_fit(selector, labels) : selector_fits(selector, labels)))
                add_edge(from->made, from->node, node, why);
        }
    }
}

/* The claims that a StatefulSet makes for each of its pods. */
static void lead_to_claims(struct from *from, const json_t *object)
{
    size_t i;
    json_t *claim;
    json_array_foreach(at(object, "spec", "volumeClaimTemplates"), i, claim) {
        const char *name = meta_text(claim, "name");
        char *made = xasprintf("%s-%s-*", name, meta_text(object, "name"));
        json_t *node = find_or_add(from->made, "PersistentVolumeClaim", from->namespace, made);
        const char *component = object_text(from->node, "component");
        json_object_del(node, "external");
        json_object_set_new(node, "component", json_string(component));
        add_edge(from->made, from->node, node, "volume");
        free(made);
    }
}

/* ---- traffic ---- */

static void come_from_host(struct from *from, const json_t *hosts, const char *host,
                           const char *path)
{
    struct made *made = from->made;
    if (hosts) { /* a list of names */
        size_t i;
        json_t *name;
        json_array_foreach((json_t *)hosts, i, name) {
            if (json_is_string(name))
                come_from_host(from, NULL, json_string_value(name), path);
        }
        return;
    }
    add_edge(made, find_or_add(made, "Host", "", *host ? host : "*"), from->node,
             *path ? path : "/");
}

static void lead_from_ingress(struct from *from, const json_t *spec)
{
    const char *fallback = object_text(at(spec, "defaultBackend", "service"), "name");
    size_t i, k;
    json_t *rule, *path;
    lead_to(from, "Service", "", fallback, "*");
    json_array_foreach(json_object_get(spec, "rules"), i, rule) {
        const char *host = object_text(rule, "host");
        json_array_foreach(at(rule, "http", "paths"), k, path) {
            const char *name = object_text(at(path, "backend", "service"), "name");
            come_from_host(from, NULL, host, object_text(path, "path"));
            lead_to(from, "Service", "", name, object_text(path, "path"));
        }
    }
    json_array_foreach(json_object_get(spec, "tls"), i, rule)
        lead_to(from, "Secret", "", object_text(rule, "secretName"), "tls");
}

/* HTTPRoute and its like of the Gateway API. */
static void lead_from_route(struct from *from, const json_t *spec)
{
    size_t i, k;
    json_t *rule, *backend, *parent;
    json_array_foreach(json_object_get(spec, "rules"), i, rule) {
        json_array_foreach(json_object_get(rule, "backendRefs"), k, backend)
            lead_to(from, "Service", object_text(backend, "namespace"),
                    object_text(backend, "name"), "routes");
    }
    json_array_foreach(json_object_get(spec, "parentRefs"), i, parent)
        lead_to(from, "Gateway", object_text(parent, "namespace"), object_text(parent, "name"),
                "attached");
    come_from_host(from, json_object_get(spec, "hostnames"), "", "");
}

/* ---- rights, scaling, webhooks ---- */

static void lead_from_binding(struct from *from, const json_t *object)
{
    const json_t *role = json_object_get(object, "roleRef");
    size_t i;
    json_t *subject;
    lead_to(from, object_text(role, "kind"), "", object_text(role, "name"), "grants");
    json_array_foreach(json_object_get(object, "subjects"), i, subject) {
        if (strcmp(object_text(subject, "kind"), "ServiceAccount") == 0)
            lead_to(from, "ServiceAccount", object_text(subject, "namespace"),
                    object_text(subject, "name"), "to");
    }
}

static void lead_to_target(struct from *from, const json_t *target)
{
    const char *kind = object_text(target, "kind");
    lead_to(from, *kind ? kind : "Deployment", "", object_text(target, "name"), "scales");
}

/* What a webhook or an APIService calls. */
static void lead_to_service(struct from *from, const json_t *service)
{
    lead_to(from, "Service", object_text(service, "namespace"), object_text(service, "name"),
            "calls");
}

static void lead_on(struct from *from, const json_t *object)
{
    const char *kind = object_text(object, "kind");
    const json_t *spec = json_object_get(object, "spec"), *template = template_of(object);
    size_t i;
    json_t *webhook;
    if (template)
        references_each(template, add_reference, from);
    if (strcmp(kind, "StatefulSet") == 0)
        lead_to_claims(from, object);
    else if (strcmp(kind, "Service") == 0 && json_object_size(json_object_get(spec, "selector")))
        lead_to_pods(from, json_object_get(spec, "selector"), true, "selects");
    else if (strcmp(kind, "PodDisruptionBudget") == 0)
        lead_to_pods(from, json_object_get(spec, "selector"), false, "protects");
    else if (strcmp(kind, "NetworkPolicy") == 0)
        lead_to_pods(from, json_object_get(spec, "podSelector"), false, "fences");
    else if (strcmp(kind, "Ingress") == 0)
        lead_from_ingress(from, spec);
    else if (json_is_array(json_object_get(spec, "parentRefs")))
        lead_from_route(from, spec);
    else if (strcmp(kind, "RoleBinding") == 0 || strcmp(kind, "ClusterRoleBinding") == 0)
        lead_from_binding(from, object);
    else if (strcmp(kind, "ServiceAccount") == 0)
        references_each(object, add_reference, from);
    else if (!template && strcmp(kind, "CustomResourceDefinition") != 0)
        references_each(spec, add_reference, from);
    lead_to_target(from, json_object_get(spec, "scaleTargetRef"));
    lead_to_service(from, json_object_get(spec, "service"));
    json_array_foreach(json_object_get(object, "webhooks"), i, webhook)
        lead_to_service(from, at(webhook, "clientConfig", "service"));
}

/* ---- the whole ---- */

static bool is_namespaced(const char *kind)
{
    static const char *const cluster[] = {
        "Namespace",
        "CustomResourceDefinition",
        "ClusterRole",
        "StorageClass",
        "ClusterRoleBinding",
        "PersistentVolume",
        "PriorityClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "IngressClass",
        "RuntimeClass",
        "APIService",
        "GatewayClass",
        "VolumeSnapshotClass",
        "CSIDriver",
    };
    for (size_t i = 0; i < sizeof cluster / sizeof *cluster; i++)
        if (strcmp(kind, cluster[i]) == 0)
            return false;
    return true;
}

static void add_object(struct made *made, const struct component *component, const json_t *object)
{
    const char *kind = object_text(object, "kind"), *name = meta_text(object, "name");
    const char *version = object_text(object, "apiVersion"), *slash = strchr(version, '/');
    const char *namespace = meta_text(object, "namespace");
    if (!*namespace && is_namespaced(kind))
    namespace = made->profile->namespace;
    char *group = xstrndup(version, slash ? (size_t)(slash - version) : 0);
    char *id = id_for(made, group, kind, namespace, name);
    add_node(made, id, kind, namespace, name, component->name);
    free(id);
    free(group);
}

static void add_nodes(struct made *made)
{
    const struct profile *profile = made->profile;
    for (size_t i = 0; i < profile->count; i++) {
        const struct component *component = &profile->components[i];
        char *id = xasprintf("%s/%s", COMPONENT, component->name);
        json_t *node = add_node(made, id, COMPONENT, "", component->name, "");
        json_object_set_new(node, "origin", json_string(component->origin));
        free(id);
    }
    for (size_t i = 0; i < profile->count; i++) {
        size_t k;
        json_t *object;
        json_array_foreach(profile->components[i].objects, k, object)
            add_object(made, &profile->components[i], object);
    }
}

/* Fills the row of a component in `below`: what goes before it, over any number of steps. Returns
 * it. */
static const bool *reach(const struct profile *profile, bool **below, size_t index)
{
    const struct component *component = &profile->components[index];
    if (below[index])
        return below[index];
    bool *row = below[index] = xcalloc(profile->count + 1, sizeof *row);
    for (size_t i = 0; i < component->before_count; i++) {
        const bool *further = reach(profile, below, component->before[i]);
        row[component->before[i]] = true;
        for (size_t k = 0; k < profile->count; k++)
            row[k] = row[k] || further[k];
    }
    return row;
}

static void add_needs(struct made *made)
{
    const struct profile *profile = made->profile;
    bool **below = xcalloc(profile->count + 1, sizeof(bool *));
    for (size_t i = 0; i < profile->count; i++) {
        const struct component *component = &profile->components[i];
        for (size_t k = 0; k < component->before_count; k++) {
            bool implied = false;
            for (size_t n = 0; n < component->before_count; n++)
                implied |= reach(profile, below, component->before[n])[component->before[k]];
            json_t *edge = add_edge(made, json_array_get(made->nodes, i),
                                    json_array_get(made->nodes, component->before[k]),
                                    k < component->needs_count ? "needs" : "after");
            if (implied)
                json_object_set_new(edge, "implied", json_true());
        }
    }
    for (size_t i = 0; i < profile->count; i++)
        free(below[i]);
    free(below);
}

static void add_edges(struct made *made)
{
    const struct profile *profile = made->profile;
    size_t index = profile->count;
    add_needs(made);
    for (size_t i = 0; i < profile->count; i++) {
        size_t k;
        json_t *object;
        json_array_foreach(profile->components[i].objects, k, object) {
            const json_t *node = json_array_get(made->nodes, index++);
            const char *namespace = object_text(node, "namespace");
            struct from from = { made, node, *namespace ? namespace : profile->namespace };
            lead_on(&from, object);
        }
    }
}

json_t *topology_make(const struct profile *profile)
{
    struct made made = { profile,       json_array(),  json_array(),
                         json_object(), json_object(), json_object() };
    add_nodes(&made);
    add_edges(&made);
    json_decref(made.ids);
    json_decref(made.named);
    json_decref(made.joined);
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "profile", profile->name, "environment",
                     profile->environment, "namespace", profile->namespace, "nodes", made.nodes,
                     "edges", made.edges);
}

/* ---- status ---- */

static size_t count_components(const json_t *nodes)
{
    size_t count = 0;
    while (strcmp(object_text(json_array_get(nodes, count), "kind"), COMPONENT) == 0 &&
           !json_object_get(json_array_get(nodes, count), "component"))
        count++;
    return count;
}

json_t *topology_component(const json_t *topology, size_t index)
{
    return json_array_get(json_object_get(topology, "nodes"), index);
}

static int badness(const char *status)
{
    static const char *const words[] = { "", "ready", "unknown", "rolling", "missing", "failed" };
    for (int i = 0; i < (int)(sizeof words / sizeof *words); i++)
        if (strcmp(status, words[i]) == 0)
            return i;
    return 0;
}

void topology_mark(json_t *topology, size_t object, const char *status, const char *words)
{
    json_t *nodes = json_object_get(topology, "nodes"), *component;
    size_t count = count_components(nodes), i;
    json_t *node = json_array_get(nodes, count + object);
    json_object_set_new(node, "status", json_string(status));
    if (*words)
        json_object_set_new(node, "words", json_string(words));
    json_array_foreach(nodes, i, component) {
        if (i == count)
            break;
        if (strcmp(object_text(component, "name"), object_text(node, "component")) == 0 &&
            badness(object_text(component, "status")) < badness(status))
            json_object_set_new(component, "status", json_string(status));
    }
}
