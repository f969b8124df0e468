#include <stdlib.h>
#include <string.h>

#include "doctor/finding.h"
#include "doctor/sections.h"
#include "object/meta.h"
#include "rollout/diagnosis.h"
#include "rollout/verdict.h"

/* The objects of a kind and namespace by name, as a diagnosis wants them. A new reference. */
static json_t *by_name(const struct doctor_world *world, const char *kind, const char *namespace)
{
    json_t *map = json_object(), *object;
    size_t i;
    json_array_foreach((json_t *)world_all(world, kind), i, object) {
        if (strcmp(meta_text(object, "namespace"), namespace) == 0)
            json_object_set(map, meta_text(object, "name"), object);
    }
    return map;
}

/* Where a cause belongs. */
static json_t *section_of(enum diagnosis_kind kind, json_t *configuration, json_t *resources,
                          json_t *network)
{
    switch (kind) {
    case DIAGNOSIS_CONFIG_MISSING:
    case DIAGNOSIS_IMAGE:
    case DIAGNOSIS_CONTAINER_REFUSED: return configuration;
    case DIAGNOSIS_PROBE: return network;
    default: return resources;
    }
}

/* Whether what the cause is was told already, by who has looked for it. */
static bool is_told(const struct diagnosis *diagnosis, const json_t *object, const json_t *sections)
{
    const char *namespace = meta_text(object, "namespace");
    return findings_tell(sections, object_text(object, "kind"), namespace,
                         meta_text(object, "name")) ||
           (*diagnosis->missing.kind &&
            findings_tell(sections, diagnosis->missing.kind, namespace, diagnosis->missing.name));
}

static void tell(const struct doctor_world *world, const json_t *entry, const json_t *live,
                 const struct diagnosis *diagnosis, json_t *section)
{
    const char *namespace = meta_text(live, "namespace");
    const char *component = object_text(entry, "component");
    char *message = world_without_secrets(world, diagnosis->message);
    json_t *finding = finding_add(section, "error", "%s: %s", diagnosis->object, message);
    free(message);
    finding_component(finding, component);
    if (*diagnosis->pod) {
        finding_named(finding, "v1", "Pod", namespace, diagnosis->pod);
        finding_concerns(finding, object_text(live, "kind"), namespace, meta_text(live, "name"));
    } else {
        finding_object(finding, live);
    }
    finding_evidence(finding, "reason", json_string(diagnosis_word(diagnosis->kind)));
    if (*diagnosis->since)
        finding_evidence(finding, "since", json_string(diagnosis->since));
    if (*diagnosis->hint)
        finding_remedy(finding, "%s", diagnosis->hint);
    else if (diagnosis->has_log)
        finding_remedy(finding, "see its log: kubectl logs %s -n %s -c %s%s", diagnosis->pod,
                       namespace, diagnosis->container, diagnosis->previous ? " --previous" : "");
    else
        finding_remedy(finding, "see its events: bkdeploy events RELEASE %s", component);
}

static void tell_verdict(const json_t *entry, const json_t *live, const struct verdict *verdict,
                         json_t *section)
{
    json_t *finding = finding_add(section, verdict->state == VERDICT_FAILED ? "error" : "warning",
                                  "it is not up: %s", verdict->message);
    finding_component(finding, object_text(entry, "component"));
    finding_object(finding, live);
    finding_remedy(finding, "see its events: bkdeploy events RELEASE %s",
                   object_text(entry, "component"));
}

/* Of a claim its class, which may wait for a pod before it makes a volume. */
static const json_t *find_beside(const char *group, const char *kind, const char *name, void *arg)
{
    (void)group;
    return world_live(arg, kind, "", name);
}

void workloads_look(const struct doctor_world *world, const json_t *sections, json_t *configuration,
                    json_t *resources, json_t *network)
{
    json_t *entry;
    size_t i;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const char *kind = object_text(object, "kind"), *namespace = meta_text(object, "namespace");
        const json_t *live = world_live(world, kind, namespace, meta_text(object, "name"));
        struct verdict verdict;
        struct diagnosis diagnosis;
        if (!live || !diagnosis_covers(kind))
            continue;
        struct verdict_extra extra = { .find = find_beside, .arg = (void *)world };
        verdict_with(live, &extra, &verdict);
        if (verdict.state == VERDICT_CURRENT)
            continue;
        json_t *replicasets = by_name(world, "ReplicaSet", namespace);
        json_t *pods = by_name(world, "Pod", namespace);
        json_t *claims = by_name(world, "PersistentVolumeClaim", namespace);
        json_t *events = by_name(world, "Event", namespace), *nodes = by_name(world, "Node", "");
        struct diagnosis_world around = { .replicasets = replicasets,
                                          .pods = pods,
                                          .claims = claims,
                                          .events = events,
                                          .nodes = nodes };
        bool known = diagnosis_of(live, &around, &diagnosis);
        if (known && !is_told(&diagnosis, live, sections))
            tell(world, entry, live, &diagnosis,
                 section_of(diagnosis.kind, configuration, resources, network));
        else if (!known && !findings_tell(sections, kind, namespace, meta_text(live, "name")))
            tell_verdict(entry, live, &verdict, resources);
        json_decref(replicasets);
        json_decref(pods);
        json_decref(claims);
        json_decref(events);
        json_decref(nodes);
    }
}
