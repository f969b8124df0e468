#include "doctor/fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "doctor/finding.h"
#include "object/keys.h"
#include "object/meta.h"
#include "object/quantity.h"

/* ---- amounts ---- */

static void add_amounts(json_t *sum, const json_t *amounts, double sign)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)amounts, key, value) {
        double amount = json_is_number(value)   ? json_number_value(value)
                        : json_is_string(value) ? quantity_value(json_string_value(value))
                                                : 0;
        json_object_set_new(
            sum, key, json_real(json_number_value(json_object_get(sum, key)) + sign * amount));
    }
}

static void raise_amounts(json_t *sum, const json_t *amounts)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)amounts, key, value) {
        if (json_number_value(value) > json_number_value(json_object_get(sum, key)))
            json_object_set(sum, key, value);
    }
}

json_t *fit_amounts(const json_t *quantities)
{
    json_t *amounts = json_object();
    add_amounts(amounts, quantities, 1);
    return amounts;
}

/* The requests or the limits of a container; what only has a limit requests that. */
static json_t *amounts_of(const json_t *container, const char *which)
{
    json_t *amounts = json_object();
    const json_t *limits = world_at(container, "resources.limits");
    const json_t *given = json_object_get(json_object_get(container, "resources"), which);
    const char *key;
    json_t *value;
    add_amounts(amounts, given, 1);
    if (strcmp(which, "requests") != 0)
        return amounts;
    json_object_foreach((json_t *)limits, key, value) {
        if (!json_object_get(given, key))
            json_object_set_new(amounts, key, json_real(quantity_value(json_string_value(value))));
    }
    return amounts;
}

/* kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers */
static json_t *total_of(const json_t *spec, const char *which)
{
    json_t *sum = json_object(), *largest = json_object(), *container;
    size_t i;
    json_array_foreach(json_object_get(spec, "initContainers"), i, container) {
        json_t *own = amounts_of(container, which);
        if (strcmp(object_text(container, "restartPolicy"), "Always") == 0) {
            add_amounts(sum, own, 1); /* a sidecar: runs beside all that follow */
            raise_amounts(largest, sum);
        } else {
            add_amounts(own, sum, 1);
            raise_amounts(largest, own);
        }
        json_decref(own);
    }
    json_array_foreach(json_object_get(spec, "containers"), i, container) {
        json_t *own = amounts_of(container, which);
        add_amounts(sum, own, 1);
        json_decref(own);
    }
    raise_amounts(sum, largest);
    json_decref(largest);
    add_amounts(sum, json_object_get(spec, "overhead"), 1);
    json_t *ordered = keys_ordered(sum); /* what is told does not go by the order of a text */
    json_decref(sum);
    return ordered;
}

json_t *fit_requests(const json_t *spec)
{
    return total_of(spec, "requests");
}

json_t *fit_limits(const json_t *spec)
{
    return total_of(spec, "limits");
}

char *fit_amount(const char *resource, double amount)
{
    static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi" };
    size_t unit = 0;
    if (!strstr(resource, "memory") && !strstr(resource, "storage"))
        return xasprintf("%.4g", amount);
    while (fabs(amount) >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        amount /= 1024;
        unit++;
    }
    return xasprintf("%.4g%s", amount, units[unit]);
}

const char *fit_lacking(const json_t *requests, const json_t *free, double *lack)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)requests, key, value) {
        double wants = json_number_value(value);
        double has = json_number_value(json_object_get(free, key));
        if (wants > has + 1e-9 * fabs(has) && wants > 0) {
            *lack = wants - has;
            return key;
        }
    }
    return NULL;
}

/* "cpu 500m" of each: "cpu 0.5, memory 1Gi". The caller's. */
static char *amounts_text(const json_t *amounts, const json_t *only)
{
    struct buf out = BUF_INIT;
    const char *key;
    json_t *value;
    json_t *ordered = keys_ordered(amounts);
    json_object_foreach(ordered, key, value) {
        if (only && !json_object_get(only, key))
            continue;
        char *amount = fit_amount(key, json_number_value(value));
        buf_addf(&out, "%s%s %s", out.len ? ", " : "", key, amount);
        free(amount);
    }
    json_decref(ordered);
    if (out.len == 0)
        buf_adds(&out, "nothing");
    return buf_detach(&out);
}

/* ---- nodes by themselves ---- */

static bool tolerates(const json_t *spec, const char *key, const char *value, const char *effect)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(spec, "tolerations"), i, row) {
        const char *its_key = object_text(row, "key"), *its_effect = object_text(row, "effect");
        bool exists = strcmp(object_text(row, "operator"), "Exists") == 0;
        if (*its_effect && strcmp(its_effect, effect) != 0)
            continue;
        if (exists && !*its_key)
            return true;
        if (strcmp(its_key, key) == 0 && (exists || strcmp(object_text(row, "value"), value) == 0))
            return true;
    }
    return false;
}

static char *taint_refusal(const json_t *node, const json_t *spec)
{
    size_t i;
    json_t *taint;
    json_array_foreach(world_at(node, "spec.taints"), i, taint) {
        const char *key = object_text(taint, "key"), *value = object_text(taint, "value");
        const char *effect = object_text(taint, "effect");
        if (strcmp(effect, "PreferNoSchedule") == 0 || tolerates(spec, key, value, effect))
            continue;
        if (strcmp(key, "node.kubernetes.io/unschedulable") == 0)
            return xstrdup("is cordoned");
        return xasprintf("has the taint %s%s%s:%s", key, *value ? "=" : "", value, effect);
    }
    if (json_is_true(world_at(node, "spec.unschedulable")) &&
        !tolerates(spec, "node.kubernetes.io/unschedulable", "", "NoSchedule"))
        return xstrdup("is cordoned");
    return NULL;
}

static bool number_fits(const char *operator, const char * value, const json_t *values)
{
    const char *bound = json_string_value(json_array_get(values, 0));
    if (!value || !bound)
        return false;
    long long has = strtoll(value, NULL, 10), than = strtoll(bound, NULL, 10);
    return strcmp(operator, "Gt") == 0 ? has > than : has < than;
}

/* One term of a node selector: all of its expressions. */
static bool term_fits(const json_t *term, const json_t *node)
{
    const json_t *labels = world_at(node, "metadata.labels");
    size_t i;
    json_t *row;
    if (json_array_size(json_object_get(term, "matchExpressions")) +
            json_array_size(json_object_get(term, "matchFields")) ==
        0)
        return false;
    json_array_foreach(json_object_get(term, "matchExpressions"), i, row) {
        const char *operator= object_text(row, "operator");
        const char *value = json_string_value(json_object_get(labels, object_text(row, "key")));
        if (strcmp(operator, "Gt") == 0 || strcmp(operator, "Lt") == 0) {
            if (!number_fits(operator, value, json_object_get(row, "values")))
                return false;
            continue;
        }
        json_t *selector = json_pack("{s:[O]}", "matchExpressions", row);
        bool fits = world_selects(selector, labels);
        json_decref(selector);
        if (!fits)
            return false;
    }
    json_array_foreach(json_object_get(term, "matchFields"), i, row) {
        json_t *own = json_pack("{s:s}", "metadata.name", meta_text(node, "name"));
        json_t *selector = json_pack("{s:[O]}", "matchExpressions", row);
        bool fits = world_selects(selector, own);
        json_decref(selector);
        json_decref(own);
        if (!fits)
            return false;
    }
    return true;
}

static bool affinity_fits(const json_t *spec, const json_t *node)
{
    const json_t *required =
        world_at(spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    size_t i;
    json_t *term;
    json_array_foreach(json_object_get(required, "nodeSelectorTerms"), i, term) {
        if (term_fits(term, node))
            return true;
    }
    return required == NULL;
}

char *fit_refusal(const json_t *node, const json_t *spec)
{
    const json_t *labels = world_at(node, "metadata.labels");
    const char *key, *name = object_text(spec, "nodeName");
    json_t *value;
    if (*name && strcmp(name, meta_text(node, "name")) != 0)
        return xasprintf("is not the node '%s' that it names", name);
    json_object_foreach(json_object_get(spec, "nodeSelector"), key, value) {
        json_t *has = json_object_get(labels, key);
        if (!has || !json_equal(has, value))
            return xasprintf("lacks the label %s=%s", key, json_string_value(value));
    }
    if (!affinity_fits(spec, node))
        return xstrdup("is outside of its node affinity");
    return taint_refusal(node, spec);
}

/* ---- placing ---- */

struct node {
    const json_t *object;
    const char *name;
    json_t *free; /* amounts */
};

struct placed {
    const struct node *node;
    const char *namespace;
    const json_t *labels;
};

struct board {
    const struct doctor_world *world;
    struct node *nodes;
    size_t node_count;
    struct placed *pods; /* of the release's namespaces: there, and placed here */
    size_t pod_count;
};

static struct node *find_node(struct board *board, const char *name)
{
    for (size_t i = 0; i < board->node_count; i++)
        if (strcmp(board->nodes[i].name, name) == 0)
            return &board->nodes[i];
    return NULL;
}

static void put_pod(struct board *board, const struct node *node, const char *namespace,
                    const json_t *labels)
{
    board->pods = xrealloc(board->pods, (board->pod_count + 1) * sizeof *board->pods);
    board->pods[board->pod_count++] = (struct placed){ node, namespace, labels };
}

static void board_init(struct board *board, const struct doctor_world *world)
{
    const json_t *nodes = world_all(world, "Node");
    size_t i;
    json_t *row;
    *board = (struct board){ .world = world };
    board->nodes = xcalloc(json_array_size(nodes) + 1, sizeof *board->nodes);
    json_array_foreach((json_t *)nodes, i, row) {
        struct node *node = &board->nodes[board->node_count++];
        *node = (struct node){ row, meta_text(row, "name"),
                               fit_amounts(world_at(row, "status.allocatable")) };
    }
    json_array_foreach((json_t *)world_all(world, "Load"), i, row) {
        struct node *node = find_node(board, object_text(row, "node"));
        json_t *one = json_pack("{s:i}", "pods", 1);
        if (node) {
            add_amounts(node->free, json_object_get(row, "requests"), -1);
            add_amounts(node->free, one, -1);
        }
        json_decref(one);
    }
    json_array_foreach((json_t *)world_all(world, "Pod"), i, row) {
        const struct node *node = find_node(board, world_text(row, "spec.nodeName"));
        if (node && !world_has_ended(row))
            put_pod(board, node, meta_text(row, "namespace"), world_at(row, "metadata.labels"));
    }
}

static void board_release(struct board *board)
{
    for (size_t i = 0; i < board->node_count; i++)
        json_decref(board->nodes[i].free);
    free(board->nodes);
    free(board->pods);
}

static const char *domain_of(const struct node *node, const char *key)
{
    return json_string_value(json_object_get(world_at(node->object, "metadata.labels"), key));
}

static bool same_domain(const struct node *a, const struct node *b, const char *key)
{
    const char *one = domain_of(a, key), *other = domain_of(b, key);
    return one && other && strcmp(one, other) == 0;
}

/* Pods that a term of (anti-)affinity means, in the topology domain of a node; NULL: anywhere. */
static size_t count_near(const struct board *board, const struct node *node, const json_t *selector,
                         const char *namespace, const char *key)
{
    size_t count = 0;
    for (size_t i = 0; i < board->pod_count; i++) {
        const struct placed *pod = &board->pods[i];
        if (strcmp(pod->namespace, namespace) == 0 && world_selects(selector, pod->labels) &&
            (!node || same_domain(pod->node, node, key)))
            count++;
    }
    return count;
}

/* Of terms that name other namespaces nothing is told. */
static bool is_of_own_namespace(const json_t *term)
{
    return !json_object_get(term, "namespaces") && !json_object_get(term, "namespaceSelector");
}

static bool spread_fits(const struct board *board, const struct node *node, const json_t *row,
                        const char *namespace, const json_t *labels)
{
    const char *key = object_text(row, "topologyKey");
    const json_t *selector = json_object_get(row, "labelSelector");
    json_int_t skew = json_integer_value(json_object_get(row, "maxSkew"));
    size_t least = (size_t)-1;
    if (strcmp(object_text(row, "whenUnsatisfiable"), "DoNotSchedule") != 0)
        return true;
    if (!domain_of(node, key))
        return false;
    for (size_t i = 0; i < board->node_count; i++) {
        size_t count = domain_of(&board->nodes[i], key)
                           ? count_near(board, &board->nodes[i], selector, namespace, key)
                           : least;
        least = count < least ? count : least;
    }
    size_t here = count_near(board, node, selector, namespace, key);
    return (json_int_t)(here + world_selects(selector, labels)) - (json_int_t)least <= skew;
}

/* Why a node can't take a pod for the pods that are on nodes; NULL when it can. The caller's. */
static char *neighbour_refusal(const struct board *board, const struct node *node,
                               const json_t *spec, const char *namespace, const json_t *labels)
{
    static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
    size_t i;
    json_t *term;
    json_array_foreach(json_object_get(world_at(spec, "affinity.podAntiAffinity"), required), i,
                       term) {
        const json_t *selector = json_object_get(term, "labelSelector");
        const char *key = object_text(term, "topologyKey");
        if (is_of_own_namespace(term) && count_near(board, node, selector, namespace, key))
            return xasprintf("has a pod already that its anti-affinity (%s) keeps off", key);
    }
    json_array_foreach(json_object_get(world_at(spec, "affinity.podAffinity"), required), i, term) {
        const json_t *selector = json_object_get(term, "labelSelector");
        const char *key = object_text(term, "topologyKey");
        bool first = world_selects(selector, labels) &&
                     count_near(board, NULL, selector, namespace, key) == 0;
        if (is_of_own_namespace(term) && !first &&
            !count_near(board, node, selector, namespace, key))
            return xasprintf("has none of the pods that its affinity (%s) wants", key);
    }
    json_array_foreach(json_object_get(spec, "topologySpreadConstraints"), i, term) {
        if (!spread_fits(board, node, term, namespace, labels))
            return xasprintf("would make the spread over %s uneven",
                             object_text(term, "topologyKey"));
    }
    return NULL;
}

/* ---- what to say ---- */

/* Reasons with how many nodes have each: { reason: count }. */
static void count_reason(json_t *reasons, char *reason)
{
    json_int_t count = json_integer_value(json_object_get(reasons, reason));
    json_object_set_new(reasons, reason, json_integer(count + 1));
    free(reason);
}

/* "all 3 nodes: has the taint a=b:NoSchedule", "2 of 3 nodes: ..; 1: ..". The caller's. */
static char *reasons_text(const json_t *reasons, size_t nodes)
{
    struct buf out = BUF_INIT;
    const char *reason;
    json_t *count;
    json_object_foreach((json_t *)reasons, reason, count) {
        size_t times = (size_t)json_integer_value(count);
        if (times == nodes && nodes == 1)
            buf_addf(&out, "the only node %s", reason);
        else if (times == nodes)
            buf_addf(&out, "each of the %zu nodes %s", nodes, reason);
        else
            buf_addf(&out, "%s%zu of %zu nodes: it %s", out.len ? "; " : "", times, nodes, reason);
    }
    buf_adds(&out, nodes ? "" : "there are no nodes");
    return buf_detach(&out);
}

/* A pod of a workload that is to be placed. */
struct wish {
    const json_t *entry, *object, *spec, *labels;
    const char *component, *namespace;
    size_t missing, count;
    json_t *requests;
};

static void suggest(json_t *finding, const char *reasons)
{
    const char *taint = strstr(reasons, "has the taint ");
    if (taint) {
        taint += strlen("has the taint ");
        size_t key = strcspn(taint, "=: "), whole = strcspn(taint, "; ");
        finding_remedy(finding,
                       "remove the taint: kubectl taint nodes --all %.*s- ; or give the components "
                       "tolerations for %.*s",
                       (int)key, taint, (int)whole, taint);
    } else if (strstr(reasons, "is cordoned")) {
        finding_remedy(finding, "let a node take pods again: kubectl uncordon NODE");
    } else if (strstr(reasons, "lacks the label")) {
        finding_remedy(finding, "label a node (kubectl label node NODE KEY=VALUE), or correct the "
                                "node selector in the profile");
    } else if (strstr(reasons, "too little")) {
        finding_remedy(finding, "add a node or free one, or ask for less: `resources` in the "
                                "profile");
    } else {
        finding_remedy(finding, "add a node that fits, or loosen the affinity or the spread in the "
                                "profile");
    }
}

/* The nodes that could take a pod at all: fills `fits`, and gives the reasons of the others. */
static json_t *look_at_nodes(const struct board *board, const struct wish *wish, bool *fits,
                             size_t *count)
{
    json_t *reasons = json_object();
    *count = 0;
    for (size_t i = 0; i < board->node_count; i++) {
        char *reason = fit_refusal(board->nodes[i].object, wish->spec);
        fits[i] = reason == NULL;
        *count += fits[i];
        if (reason)
            count_reason(reasons, reason);
    }
    return reasons;
}

/* One group of components that no node takes for the same reason. */
static void add_to_group(json_t *groups, const struct wish *wish, char *reason)
{
    json_t *group = json_object_get(groups, reason);
    if (!group) {
        group = json_array();
        json_object_set_new(groups, reason, group);
    }
    json_array_append(group, (json_t *)wish->entry);
    free(reason);
}

static void tell_groups(const json_t *groups, json_t *section)
{
    const char *reason;
    json_t *group, *entry;
    size_t i;
    json_object_foreach((json_t *)groups, reason, group) {
        struct buf names = BUF_INIT;
        size_t count = json_array_size(group);
        json_array_foreach(group, i, entry) {
            if (i < 5)
                buf_addf(&names, "%s%s", i ? ", " : "", object_text(entry, "component"));
        }
        if (count > 5)
            buf_addf(&names, " and %zu more", count - 5);
        json_t *finding = finding_add(section, "error", "no node takes a new pod of %s: %s",
                                      buf_text(&names), reason);
        json_array_foreach(group, i, entry) {
            const json_t *object = json_object_get(entry, "object");
            if (count == 1) {
                finding_component(finding, object_text(entry, "component"));
                finding_object(finding, object);
            } else {
                finding_concerns(finding, object_text(object, "kind"),
                                 meta_text(object, "namespace"), meta_text(object, "name"));
            }
        }
        suggest(finding, reason);
        buf_release(&names);
    }
}

/* Places one pod; NULL, or why it can't be: the caller's. */
static char *place(struct board *board, const struct wish *wish, const bool *fits)
{
    struct node *best = NULL;
    json_t *reasons = json_object(), *one = json_pack("{s:i}", "pods", 1);
    size_t allowed = 0;
    for (size_t i = 0; i < board->node_count; i++) {
        struct node *node = &board->nodes[i];
        double lack;
        if (!fits[i])
            continue;
        allowed++;
        const char *resource = fit_lacking(wish->requests, node->free, &lack);
        if (!resource)
            resource = fit_lacking(one, node->free, &lack);
        char *reason = NULL;
        if (resource) {
            char *free_text = amounts_text(node->free, wish->requests);
            char *lack_text = fit_amount(resource, lack);
            reason = xasprintf("%s has %s free, %s %s too little", node->name, free_text, resource,
                               lack_text);
            free(free_text);
            free(lack_text);
        } else {
            reason = neighbour_refusal(board, node, wish->spec, wish->namespace, wish->labels);
            if (reason) {
                char *whole = xasprintf("%s %s", node->name, reason);
                free(reason);
                reason = whole;
            }
        }
        if (reason)
            count_reason(reasons, reason);
        else if (!best || json_number_value(json_object_get(node->free, "cpu")) >
                              json_number_value(json_object_get(best->free, "cpu")))
            best = node;
    }
    char *why = NULL;
    if (best) {
        add_amounts(best->free, wish->requests, -1);
        add_amounts(best->free, one, -1);
        put_pod(board, best, wish->namespace, wish->labels);
    } else {
        struct buf out = BUF_INIT;
        const char *reason;
        json_t *count;
        size_t told = 0;
        json_object_foreach(reasons, reason, count) {
            if (told++ < 3)
                buf_addf(&out, "%s%s", out.len ? "; " : "", reason);
        }
        if (told > 3)
            buf_addf(&out, "; and %zu more nodes", told - 3);
        if (allowed < board->node_count)
            buf_addf(&out, "; %zu others don't come into question", board->node_count - allowed);
        why = buf_detach(&out);
    }
    json_decref(reasons);
    json_decref(one);
    return why;
}

static void place_missing(struct board *board, const struct wish *wish, const bool *fits,
                          json_t *section)
{
    for (size_t i = 0; i < wish->missing; i++) {
        char *why = place(board, wish, fits);
        if (!why)
            continue;
        char *asks = amounts_text(wish->requests, NULL);
        size_t left = wish->missing - i;
        json_t *finding =
            finding_add(section, "error", "%zu of %zu pods of %s won't fit: each asks for %s; %s",
                        left, wish->count, wish->component, asks, why);
        finding_component(finding, wish->component);
        finding_object(finding, wish->object);
        finding_evidence(finding, "requests", json_incref(wish->requests));
        suggest(finding, why);
        free(asks);
        free(why);
        return;
    }
}

/* ---- workloads ---- */

static size_t count_running(const struct doctor_world *world, const json_t *entry)
{
    size_t i, count = 0;
    json_t *pod;
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        count += *world_text(pod, "spec.nodeName") && !world_has_ended(pod) &&
                 world_owner(world, pod) == entry;
    }
    return count;
}

static bool has_ended_job(const json_t *object)
{
    size_t i;
    json_t *row;
    json_array_foreach(world_at(object, "status.conditions"), i, row) {
        const char *type = object_text(row, "type");
        if (strcmp(object_text(row, "status"), "True") == 0 &&
            (strcmp(type, "Complete") == 0 || strcmp(type, "Failed") == 0))
            return true;
    }
    return json_is_true(world_at(object, "spec.suspend"));
}

/* How many pods a workload is to have at once; of those on every node, 0. */
static size_t count_wanted(const json_t *object)
{
    const char *kind = object_text(object, "kind");
    const json_t *count =
        world_at(object, strcmp(kind, "Job") == 0 ? "spec.parallelism" : "spec.replicas");
    if (strcmp(kind, "DaemonSet") == 0 || strcmp(kind, "CronJob") == 0)
        return 0;
    return json_is_integer(count) ? (size_t)json_integer_value(count) : 1;
}

static bool wish_of(const struct doctor_world *world, const json_t *entry, struct wish *wish)
{
    const json_t *object = json_object_get(entry, "object"), *template = world_template(object);
    const json_t *real = world_real(world, object);
    if (!template || (strcmp(object_text(object, "kind"), "Job") == 0 && has_ended_job(real)))
        return false;
    *wish = (struct wish){
        .entry = entry,
        .object = object,
        .spec = json_object_get(template, "spec"),
        .labels = world_at(template, "metadata.labels"),
        .component = object_text(entry, "component"),
        .namespace = meta_text(object, "namespace"),
        .count =
            count_wanted(json_object_get(world_at(object, "spec"), "replicas") ? object : real),
    };
    size_t running = count_running(world, entry);
    wish->missing = wish->count > running ? wish->count - running : 0;
    return wish->count > 0 || strcmp(object_text(object, "kind"), "DaemonSet") == 0 ||
           strcmp(object_text(object, "kind"), "CronJob") == 0;
}

void fit_look(const struct doctor_world *world, json_t *section)
{
    struct board board;
    json_t *groups = json_object(), *entry;
    size_t i, workloads = 0;
    if (!world_all(world, "Node")) {
        json_decref(groups);
        return;
    }
    board_init(&board, world);
    bool *fits = xcalloc(board.node_count + 1, sizeof *fits);
    json_array_foreach((json_t *)world->wanted, i, entry) {
        struct wish wish;
        size_t count;
        if (!wish_of(world, entry, &wish))
            continue;
        workloads++;
        wish.requests = fit_requests(wish.spec);
        json_t *reasons = look_at_nodes(&board, &wish, fits, &count);
        if (count == 0)
            add_to_group(groups, &wish, reasons_text(reasons, board.node_count));
        else
            place_missing(&board, &wish, fits, section);
        json_decref(reasons);
        json_decref(wish.requests);
    }
    tell_groups(groups, section);
    section_checked(section, "%zu workload%s against %zu node%s", workloads,
                    workloads == 1 ? "" : "s", board.node_count, board.node_count == 1 ? "" : "s");
    free(fits);
    json_decref(groups);
    board_release(&board);
}
