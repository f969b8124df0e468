/*
 * Whether NetworkPolicies let through what components need of each other. A pod that a policy
 * chooses for a direction may do in it only what one of the policies that choose it allows
 * (kubernetes.io/docs/concepts/services-networking/network-policies).
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "doctor/finding.h"
#include "doctor/sections.h"
#include "object/meta.h"

/* A workload's pods as policies see them. */
struct end {
    const json_t *entry, *template, *labels;
    const char *namespace;
};

/* One way that has to be open. */
struct way {
    struct end from, to;
    json_int_t port;
    const char *protocol;
};

static bool is_end(const json_t *entry, const char *component, struct end *end)
{
    const json_t *object = json_object_get(entry, "object"), *template = world_template(object);
    if (!template || strcmp(object_text(entry, "component"), component) != 0)
        return false;
    *end = (struct end){ entry, template, world_at(template, "metadata.labels"),
                         meta_text(object, "namespace") };
    return true;
}

/* ---- what a policy says ---- */

static bool has_type(const json_t *policy, const char *type)
{
    const json_t *types = world_at(policy, "spec.policyTypes");
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)types, i, one) {
        if (strcmp(json_string_value(one), type) == 0)
            return true;
    }
    /* The API server's own default, for a policy that is not there yet. */
    return !types && (strcmp(type, "Ingress") == 0 || world_at(policy, "spec.egress"));
}

static bool chooses(const json_t *policy, const struct end *end, const char *type)
{
    return strcmp(meta_text(policy, "namespace"), end->namespace) == 0 && has_type(policy, type) &&
           world_selects(world_at(policy, "spec.podSelector"), end->labels);
}

/* The number of a named port of the pods. */
static json_int_t named_port(const json_t *template, const char *name)
{
    size_t i, k;
    json_t *container, *port;
    json_array_foreach(world_at(template, "spec.containers"), i, container) {
        json_array_foreach(json_object_get(container, "ports"), k, port) {
            if (strcmp(object_text(port, "name"), name) == 0)
                return json_integer_value(json_object_get(port, "containerPort"));
        }
    }
    return 0;
}

static bool lets_port(const json_t *rule, const struct way *way)
{
    const json_t *ports = json_object_get(rule, "ports");
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)ports, i, row) {
        const char *protocol = object_text(row, "protocol");
        const json_t *port = json_object_get(row, "port"), *last = json_object_get(row, "endPort");
        json_int_t number = json_is_string(port)
                                ? named_port(way->to.template, json_string_value(port))
                                : json_integer_value(port);
        if (strcmp(*protocol ? protocol : "TCP", way->protocol) != 0)
            continue;
        if (!port || (last ? way->port >= number && way->port <= json_integer_value(last)
                           : way->port == number))
            return true;
    }
    return json_array_size(ports) == 0;
}

static const json_t *labels_of_namespace(const struct doctor_world *world, const char *name,
                                         json_t **made)
{
    const json_t *object = world_live(world, "Namespace", "", name);
    if (!object)
        object = world_wanted(world, "Namespace", "", name);
    json_t *labels = json_deep_copy(world_at(object, "metadata.labels"));
    *made = labels ? labels : json_object();
    json_object_set_new(*made, "kubernetes.io/metadata.name", json_string(name));
    return *made;
}

/* Whether an address lies in a block, "10.0.0.0/8". */
static bool in_block(const char *address, const char *block)
{
    unsigned char one[16], other[16];
    int family = strchr(address, ':') ? AF_INET6 : AF_INET;
    const char *slash = strchr(block, '/');
    if (!slash)
        return false;
    long bits = strtol(slash + 1, NULL, 10);
    char *net = xstrndup(block, (size_t)(slash - block));
    bool read = bits >= 0 && bits <= (family == AF_INET ? 32 : 128) &&
                inet_pton(family, address, one) == 1 && inet_pton(family, net, other) == 1;
    free(net);
    if (!read)
        return false;
    for (long i = 0; i < bits; i++)
        if ((one[i / 8] ^ other[i / 8]) & (0x80 >> i % 8))
            return false;
    return true;
}

/* Whether all live pods of an end lie in a block; before there are any, only in one that has all.
 */
static bool block_has(const struct doctor_world *world, const json_t *block, const struct end *end)
{
    const char *cidr = object_text(block, "cidr");
    size_t i, k, pods = 0;
    json_t *pod, *hole;
    if (strcmp(cidr, "0.0.0.0/0") == 0 && !json_object_get(block, "except"))
        return true;
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        const char *address = world_text(pod, "status.podIP");
        if (world_owner(world, pod) != end->entry || !*address || world_has_ended(pod))
            continue;
        pods++;
        if (!in_block(address, cidr))
            return false;
        json_array_foreach(json_object_get(block, "except"), k, hole) {
            if (in_block(address, json_string_value(hole)))
                return false;
        }
    }
    return pods > 0;
}

static bool lets_peer(const struct doctor_world *world, const json_t *policy, const json_t *peers,
                      const struct end *other)
{
    size_t i;
    json_t *peer;
    json_array_foreach((json_t *)peers, i, peer) {
        const json_t *pods = json_object_get(peer, "podSelector");
        const json_t *namespaces = json_object_get(peer, "namespaceSelector");
        const json_t *block = json_object_get(peer, "ipBlock");
        json_t *labels = NULL;
        bool near =
            namespaces
                ? world_selects(namespaces, labels_of_namespace(world, other->namespace, &labels))
                : strcmp(meta_text(policy, "namespace"), other->namespace) == 0;
        json_decref(labels);
        if (block ? block_has(world, block, other)
                  : near && (!pods || world_selects(pods, other->labels)))
            return true;
    }
    return json_array_size(peers) == 0;
}

static bool allows(const struct doctor_world *world, const json_t *policy, const struct way *way,
                   bool ingress)
{
    size_t i;
    json_t *rule;
    json_array_foreach(
        json_object_get(json_object_get(policy, "spec"), ingress ? "ingress" : "egress"), i, rule) {
        const json_t *peers = json_object_get(rule, ingress ? "from" : "to");
        if (lets_peer(world, policy, peers, ingress ? &way->from : &way->to) &&
            lets_port(rule, way))
            return true;
    }
    return false;
}

/* The policies that count: what is there, and of the profile what is not. A new reference. */
static json_t *policies_of(const struct doctor_world *world)
{
    json_t *all = json_array(), *entry;
    const json_t *live = world_all(world, "NetworkPolicy");
    size_t i;
    json_array_extend(all, (json_t *)live);
    json_array_foreach((json_t *)world->wanted, i, entry) {
        json_t *object = json_object_get(entry, "object");
        if (strcmp(object_text(object, "kind"), "NetworkPolicy") == 0 &&
            world_real(world, object) == object)
            json_array_append(all, object);
    }
    return all;
}

/* The first policy that chooses an end of the way and cuts it, NULL when none does. */
static const json_t *cut_by(const struct doctor_world *world, const json_t *policies,
                            const struct way *way, bool ingress)
{
    const json_t *cuts = NULL;
    size_t i;
    json_t *policy;
    json_array_foreach((json_t *)policies, i, policy) {
        if (!chooses(policy, ingress ? &way->to : &way->from, ingress ? "Ingress" : "Egress"))
            continue;
        if (allows(world, policy, way, ingress))
            return NULL;
        cuts = cuts ? cuts : policy;
    }
    return cuts;
}

/* ---- what is needed ---- */

/* Of a policy and a direction: all ways that it cuts, told in one finding. */
static void add_cut(json_t *cuts, const json_t *policy, const struct way *way, bool ingress)
{
    char *key = xasprintf("%s %s/%s", ingress ? "ingress" : "egress",
                          meta_text(policy, "namespace"), meta_text(policy, "name"));
    json_t *cut = json_object_get(cuts, key), *seen;
    size_t i;
    if (!cut) {
        cut = json_pack("{s:O, s:b, s:[], s:O}", "policy", policy, "ingress", ingress, "ways",
                        "entry", ingress ? way->to.entry : way->from.entry);
        json_object_set_new(cuts, key, cut);
    }
    json_t *text =
        json_sprintf("%s to %s:%" JSON_INTEGER_FORMAT, object_text(way->from.entry, "component"),
                     object_text(way->to.entry, "component"), way->port);
    bool known = false;
    json_array_foreach(json_object_get(cut, "ways"), i, seen)
        known |= json_equal(seen, text) == 1;
    if (!known)
        json_array_append(json_object_get(cut, "ways"), text);
    json_decref(text);
    free(key);
}

static void tell_cuts(const json_t *cuts, json_t *section)
{
    enum { SHOWN = 4 };
    const char *key;
    json_t *cut, *way;
    size_t i;
    json_object_foreach((json_t *)cuts, key, cut) {
        const json_t *policy = json_object_get(cut, "policy"), *ways = json_object_get(cut, "ways");
        bool ingress = json_is_true(json_object_get(cut, "ingress"));
        size_t count = json_array_size(ways);
        struct buf text = BUF_INIT;
        json_array_foreach((json_t *)ways, i, way) {
            if (i < SHOWN)
                buf_addf(&text, "%s%s", i ? ", " : "", json_string_value(way));
        }
        if (count > SHOWN)
            buf_addf(&text, " and %zu more", count - SHOWN);
        json_t *finding =
            finding_add(section, "error", "it cuts what components need: %s; no policy lets it %s",
                        buf_text(&text), ingress ? "in" : "out");
        finding_object(finding, policy);
        finding_evidence(finding, "ways", json_incref((json_t *)ways));
        if (count == 1)
            finding_component(finding, object_text(json_object_get(cut, "entry"), "component"));
        finding_remedy(finding,
                       "let it through by a rule under spec.%s (kubectl edit networkpolicy %s -n "
                       "%s), or delete the policy",
                       ingress ? "ingress" : "egress", meta_text(policy, "name"),
                       meta_text(policy, "namespace"));
        buf_release(&text);
    }
}

/* The ports of a Service by which pods are reached. */
static void each_port(const struct doctor_world *world, const json_t *policies, struct way *way,
                      const json_t *service, json_t *cuts)
{
    size_t i;
    json_t *port;
    json_array_foreach(world_at(service, "spec.ports"), i, port) {
        const json_t *target = json_object_get(port, "targetPort");
        const char *protocol = object_text(port, "protocol");
        if (!target)
            target = json_object_get(port, "port");
        way->port = json_is_string(target) ? named_port(way->to.template, json_string_value(target))
                                           : json_integer_value(target);
        way->protocol = *protocol ? protocol : "TCP";
        for (int ingress = 0; ingress < 2; ingress++) {
            const json_t *policy = cut_by(world, policies, way, ingress);
            if (policy)
                add_cut(cuts, policy, way, ingress);
        }
    }
}

/* All Services by which a workload's pods are reached; by a selector of the profile, or what it
 * names as its own. */
static void each_service(const struct doctor_world *world, const json_t *policies, struct way *way,
                         json_t *cuts)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        if (strcmp(object_text(object, "kind"), "Service") == 0 &&
            strcmp(meta_text(object, "namespace"), way->to.namespace) == 0 &&
            world_has_labels(way->to.labels, world_at(object, "spec.selector")))
            each_port(world, policies, way, object, cuts);
    }
}

static void each_target(const struct doctor_world *world, const json_t *policies,
                        const struct end *from, const char *needed, json_t *cuts)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        struct way way = { .from = *from };
        if (is_end(entry, needed, &way.to))
            each_service(world, policies, &way, cuts);
    }
}

void policies_look(const struct doctor_world *world, json_t *section)
{
    json_t *policies = policies_of(world), *cuts = json_object(), *entry, *needed;
    size_t i, k;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const char *component = object_text(entry, "component");
        struct end from;
        if (json_array_size(policies) == 0 || !is_end(entry, component, &from))
            continue;
        json_array_foreach(json_object_get(world->needs, component), k, needed)
            each_target(world, policies, &from, json_string_value(needed), cuts);
    }
    tell_cuts(cuts, section);
    json_decref(cuts);
    json_decref(policies);
}
