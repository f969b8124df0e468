#include "doctor/quota.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "doctor/finding.h"
#include "doctor/fit.h"
#include "object/meta.h"
#include "object/quantity.h"

/* ---- what is needed ---- */

static void add(json_t *needs, const char *name, double amount)
{
    json_object_set_new(needs, name,
                        json_real(json_number_value(json_object_get(needs, name)) + amount));
}

static void add_pods(json_t *needs, const json_t *spec, double pods)
{
    json_t *requests = fit_requests(spec), *limits = fit_limits(spec), *value;
    const char *key;
    add(needs, "pods", pods);
    add(needs, "count/pods", pods);
    json_object_foreach(requests, key, value) {
        char *name = xasprintf("requests.%s", key);
        add(needs, name, pods * json_number_value(value));
        if (strcmp(key, "cpu") == 0 || strcmp(key, "memory") == 0)
            add(needs, key, pods * json_number_value(value));
        free(name);
    }
    json_object_foreach(limits, key, value) {
        char *name = xasprintf("limits.%s", key);
        add(needs, name, pods * json_number_value(value));
        free(name);
    }
    json_decref(requests);
    json_decref(limits);
}

void quota_add(json_t *needs, const json_t *object, const char *collection, size_t pods)
{
    const char *resource = collection ? strrchr(collection, '/') : NULL;
    const json_t *template = world_template(object);
    if (resource) {
        const char *version = object_text(object, "apiVersion"), *slash = strchr(version, '/');
        char *name = slash
                         ? xasprintf("count/%s.%.*s", resource + 1, (int)(slash - version), version)
                         : xasprintf("count/%s", resource + 1);
        add(needs, name, 1);
        if (!slash) /* "services" and the like have names without count/, too */
            add(needs, resource + 1, 1);
        free(name);
    }
    if (template && pods)
        add_pods(needs, json_object_get(template, "spec"), (double)pods);
    if (resource && strcmp(object_text(object, "kind"), "PersistentVolumeClaim") == 0)
        add(needs, "requests.storage",
            quantity_value(world_text(object, "spec.resources.requests.storage")));
}

/* ---- what is left ---- */

static bool is_of_pods(const char *name)
{
    return strcmp(name, "pods") == 0 || strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0 ||
           strncmp(name, "requests.", 9) == 0 || strncmp(name, "limits.", 7) == 0;
}

static bool has_scopes(const json_t *quota)
{
    return json_array_size(world_at(quota, "spec.scopes")) || world_at(quota, "spec.scopeSelector");
}

static double amount_of(const json_t *quota, const char *part, const char *name)
{
    const json_t *status = json_object_get(quota, "status");
    const json_t *amounts = json_object_get(status ? status : json_object_get(quota, "spec"), part);
    const char *text = json_string_value(json_object_get(amounts, name));
    return text ? quantity_value(text) : 0;
}

const char *quota_short(const json_t *quota, const json_t *needs, double *left, double *needed)
{
    const char *name;
    json_t *hard;
    json_object_foreach((json_t *)world_at(quota, "spec.hard"), name, hard) {
        *needed = json_number_value(json_object_get(needs, name));
        *left = quantity_value(json_string_value(hard)) - amount_of(quota, "used", name);
        if (*needed > *left + 1e-9 && *needed > 0 && !(has_scopes(quota) && is_of_pods(name)))
            return name;
    }
    return NULL;
}

/* ---- findings ---- */

static const char *resource_of(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : name;
}

static void suggest_more(json_t *finding, const json_t *quota, const char *name, double amount)
{
    char *text = fit_amount(resource_of(name), amount);
    finding_remedy(finding,
                   "raise it to %s or more, or have less in the namespace: kubectl patch quota %s "
                   "-n %s --type merge -p '{\"spec\":{\"hard\":{\"%s\":\"%s\"}}}'",
                   text, meta_text(quota, "name"), meta_text(quota, "namespace"), name, text);
    free(text);
}

/* More is used than allowed: it was made smaller. */
static bool tell_exceeded(const json_t *quota, json_t *section)
{
    const char *name;
    json_t *value;
    bool any = false;
    json_object_foreach((json_t *)world_at(quota, "spec.hard"), name, value) {
        const char *hard = json_string_value(value);
        const char *used = json_string_value(json_object_get(world_at(quota, "status.used"), name));
        if (!used || !hard || quantity_compare(used, hard) <= 0)
            continue;
        json_t *finding =
            any ? NULL
                : finding_add(section, "error",
                              "the quota allows %s %s, and %s are in use: nothing more can be "
                              "made, and what ends does not come back",
                              name, hard, used);
        if (finding) {
            finding_object(finding, quota);
            finding_evidence(
                finding, "used",
                json_incref(json_object_get((json_t *)world_at(quota, "status"), "used")));
            finding_evidence(
                finding, "hard",
                json_incref(json_object_get((json_t *)world_at(quota, "spec"), "hard")));
            suggest_more(finding, quota, name, quantity_value(used));
        }
        any = true;
    }
    return any;
}

static void tell_short(const json_t *quota, const char *what, const char *name, double left,
                       double needed, const char *severity, json_t *section)
{
    char *needs = fit_amount(resource_of(name), needed), *has = fit_amount(resource_of(name), left);
    char *lack = fit_amount(resource_of(name), needed - left);
    json_t *finding = finding_add(section, severity,
                                  "%s needs %s %s, and the quota has %s left: %s "
                                  "too little",
                                  what, name, needs, has, lack);
    finding_object(finding, quota);
    suggest_more(
        finding, quota, name,
        quantity_value(json_string_value(json_object_get(world_at(quota, "spec.hard"), name))) +
            needed - left);
    free(needs);
    free(has);
    free(lack);
}

static size_t count_pods(const struct doctor_world *world, const json_t *entry)
{
    size_t i, count = 0;
    json_t *pod;
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod)
        count += !world_has_ended(pod) && world_owner(world, pod) == entry;
    return count;
}

static size_t count_wanted(const json_t *object)
{
    const json_t *replicas = world_at(object, "spec.replicas");
    return json_is_integer(replicas) ? (size_t)json_integer_value(replicas) : 1;
}

static bool is_kind(const json_t *object, const char *kind)
{
    return strcmp(object_text(object, "kind"), kind) == 0;
}

/* What is still to be made in a namespace, less pods of what is there: those are its controller's
 * to make, and its events tell of them. */
static json_t *missing_of(const struct doctor_world *world, const char *namespace)
{
    json_t *needs = json_object(), *entry;
    size_t i;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const char *collection = object_text(entry, "collection");
        if (strcmp(meta_text(object, "namespace"), namespace) != 0)
            continue;
        bool there = world_live(world, object_text(object, "kind"), namespace,
                                meta_text(object, "name")) != NULL;
        bool grows = is_kind(object, "Deployment") || is_kind(object, "StatefulSet") ||
                     is_kind(object, "ReplicaSet");
        size_t wanted = grows ? count_wanted(object) : is_kind(object, "Job") && !there;
        size_t has = there ? count_pods(world, entry) : 0;
        quota_add(needs, object, there || !*collection ? NULL : collection,
                  wanted > has ? wanted - has : 0);
    }
    return needs;
}

/* A rollout that starts a new pod before it ends an old one. */
static bool surges(const json_t *object)
{
    const json_t *surge = world_at(object, "spec.strategy.rollingUpdate.maxSurge");
    if (!is_kind(object, "Deployment") ||
        strcmp(world_text(object, "spec.strategy.type"), "Recreate") == 0 ||
        count_wanted(object) == 0)
        return false;
    if (json_is_integer(surge))
        return json_integer_value(surge) > 0;
    return !json_is_string(surge) || strcmp(json_string_value(surge), "0%") != 0;
}

static void look_at_surge(const struct doctor_world *world, const json_t *quota, json_t *section)
{
    const char *namespace = meta_text(quota, "namespace");
    json_t *entry;
    size_t i;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        double left, needed;
        if (strcmp(meta_text(object, "namespace"), namespace) != 0 || !surges(object))
            continue;
        json_t *needs = json_object();
        quota_add(needs, object, NULL, 1);
        const char *name = quota_short(quota, needs, &left, &needed);
        json_decref(needs);
        if (!name)
            continue;
        char *what = xasprintf("a rollout of %s, which starts a new pod before it ends an old one,",
                               object_text(entry, "component"));
        tell_short(quota, what, name, left, needed, "warning", section);
        free(what);
        return; /* one is enough to know */
    }
}

static bool is_of_release(const struct doctor_world *world, const char *namespace)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        if (strcmp(meta_text(json_object_get(entry, "object"), "namespace"), namespace) == 0)
            return true;
    }
    return false;
}

static void look_at_quota(const struct doctor_world *world, const json_t *quota, json_t *section)
{
    double left, needed;
    if (!is_of_release(world, meta_text(quota, "namespace")) || tell_exceeded(quota, section))
        return;
    json_t *needs = missing_of(world, meta_text(quota, "namespace"));
    const char *name = quota_short(quota, needs, &left, &needed);
    if (name)
        tell_short(quota, world->applied ? "what is missing" : "the release", name, left, needed,
                   "error", section);
    else
        look_at_surge(world, quota, section);
    json_decref(needs);
}

/* ---- LimitRanges ---- */

/* What a container has of a resource by itself or by the range's default; "" when nothing. */
static const char *given(const json_t *container, const json_t *limit, const char *which,
                         const char *resource)
{
    const char *own = json_string_value(
        json_object_get(json_object_get(json_object_get(container, "resources"), which), resource));
    const json_t *defaults =
        json_object_get(limit, strcmp(which, "limits") == 0 ? "default" : "defaultRequest");
    const char *other = json_string_value(json_object_get(defaults, resource));
    return own ? own : other ? other : "";
}

static void look_at_limit(const json_t *range, const json_t *limit, const json_t *entry,
                          const json_t *container, json_t *section)
{
    static const struct {
        const char *bound, *which, *words;
        int sign;
    } bounds[] = { { "max", "limits", "at most", 1 }, { "min", "requests", "at least", -1 } };
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        const char *resource;
        json_t *value;
        json_object_foreach(json_object_get(limit, bounds[i].bound), resource, value) {
            const char *has = given(container, limit, bounds[i].which, resource);
            const char *bound = json_string_value(value);
            if (!*has || !bound || bounds[i].sign * quantity_compare(has, bound) <= 0)
                continue;
            json_t *finding = finding_add(
                section, "error",
                "container %s of %s has %s.%s %s, and the LimitRange %s lets in %s %s",
                object_text(container, "name"), object_text(entry, "component"), bounds[i].which,
                resource, has, meta_text(range, "name"), bounds[i].words, bound);
            finding_component(finding, object_text(entry, "component"));
            finding_object(finding, json_object_get(entry, "object"));
            finding_remedy(finding, "change `resources` of %s in the profile, or the LimitRange",
                           object_text(entry, "component"));
        }
    }
}

static void look_at_range(const struct doctor_world *world, const json_t *range, json_t *section)
{
    json_t *entry, *limit, *container;
    size_t i, k, n;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const json_t *spec = json_object_get(world_template(object), "spec");
        if (!spec || strcmp(meta_text(object, "namespace"), meta_text(range, "namespace")) != 0)
            continue;
        json_array_foreach(world_at(range, "spec.limits"), k, limit) {
            if (strcmp(object_text(limit, "type"), "Container") != 0)
                continue;
            json_array_foreach(json_object_get(spec, "containers"), n, container)
                look_at_limit(range, limit, entry, container, section);
        }
    }
}

void quota_look(const struct doctor_world *world, json_t *section)
{
    size_t i;
    json_t *object;
    json_array_foreach((json_t *)world_all(world, "ResourceQuota"), i, object)
        look_at_quota(world, object, section);
    json_array_foreach((json_t *)world_all(world, "LimitRange"), i, object)
        look_at_range(world, object, section);
}
