#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "doctor/finding.h"
#include "doctor/fit.h"
#include "doctor/quota.h"
#include "doctor/sections.h"
#include "object/meta.h"
#include "object/quantity.h"

enum { RESTARTS_MANY = 3 };

static const char default_class[] = "storageclass.kubernetes.io/is-default-class";
static const char no_provisioner[] = "kubernetes.io/no-provisioner";

/* ---- claims ---- */

static const json_t *find_default_class(const struct doctor_world *world)
{
    size_t i;
    json_t *class;
    json_array_foreach((json_t *)world_all(world, "StorageClass"), i, class) {
        if (strcmp(meta_annotation(class, default_class), "true") == 0)
            return class;
    }
    return NULL;
}

/* A volume that nobody has claimed yet and that would do. */
static bool has_volume(const struct doctor_world *world, const char *class, const char *size)
{
    size_t i;
    json_t *volume;
    json_array_foreach((json_t *)world_all(world, "PersistentVolume"), i, volume) {
        if (strcmp(world_text(volume, "status.phase"), "Available") == 0 &&
            strcmp(world_text(volume, "spec.storageClassName"), class) == 0 &&
            quantity_compare(world_text(volume, "spec.capacity.storage"), size) >= 0)
            return true;
    }
    return false;
}

/* A claim, or a template of one, of an entry; findings are collected by what they say, since many
 * claims tend to name one class. */
struct claim {
    const json_t *entry, *object;
    const char *name, *class, *size;
    bool names_class;
};

static void add_claim_finding(json_t *section, json_t *by_class, const struct claim *claim,
                              char *message, const char *remedy)
{
    json_t *finding = json_object_get(by_class, message);
    if (!finding) {
        finding = finding_add(section, "error", "%s", message);
        finding_named(finding, "storage.k8s.io/v1", "StorageClass", "", claim->class);
        finding_remedy(finding, "%s", remedy);
        finding_evidence(finding, "claims", json_array());
        json_object_set(by_class, message, finding);
    }
    json_array_append_new(json_object_get(json_object_get(finding, "evidence"), "claims"),
                          json_sprintf("%s of %s (%s)", claim->name,
                                       object_text(claim->entry, "component"), claim->size));
    finding_concerns(finding, object_text(claim->object, "kind"),
                     meta_text(claim->object, "namespace"), meta_text(claim->object, "name"));
    free(message);
}

static void look_at_claim(const struct doctor_world *world, const struct claim *claim,
                          json_t *by_class, json_t *section)
{
    const json_t *class = claim->names_class ? world_live(world, "StorageClass", "", claim->class)
                                             : find_default_class(world);
    if (!class && claim->names_class)
        class = world_wanted(world, "StorageClass", "", claim->class);
    if (!class && claim->names_class && !*claim->class)
        return; /* "": a volume without a class, made by hand */
    if (!class && claim->names_class) {
        add_claim_finding(section, by_class, claim,
                          xasprintf("there is no StorageClass '%s', which claims of the profile "
                                    "name",
                                    claim->class),
                          "name one that is there (kubectl get storageclass) in the profile, or "
                          "make it");
    } else if (!class) {
        add_claim_finding(section, by_class, claim,
                          xstrdup("claims of the profile name no StorageClass, and none is the "
                                  "default"),
                          "name a class in the profile, or make one the default: kubectl annotate "
                          "storageclass NAME storageclass.kubernetes.io/is-default-class=true");
    } else if (strcmp(object_text(class, "provisioner"), no_provisioner) == 0 &&
               world_all(world, "PersistentVolume") &&
               !has_volume(world, meta_text(class, "name"), claim->size)) {
        add_claim_finding(section, by_class, claim,
                          xasprintf("StorageClass '%s' has no provisioner, and no free volume of "
                                    "it has %s",
                                    meta_text(class, "name"), claim->size),
                          "make PersistentVolumes of the class and size, or name another class");
    }
}

static bool is_bound(const struct doctor_world *world, const char *namespace, const char *name)
{
    const json_t *claim = world_live(world, "PersistentVolumeClaim", namespace, name);
    return strcmp(world_text(claim, "status.phase"), "Bound") == 0;
}

static struct claim claim_of(const json_t *entry, const json_t *object, const json_t *claim)
{
    const json_t *class = world_at(claim, "spec.storageClassName");
    return (struct claim){
        .entry = entry,
        .object = object,
        .name = meta_text(claim, "name"),
        .class = json_is_string(class) ? json_string_value(class) : "",
        .size = world_text(claim, "spec.resources.requests.storage"),
        .names_class = json_is_string(class),
    };
}

static void look_at_claims(const struct doctor_world *world, json_t *section)
{
    json_t *entry, *template, *by_class = json_object();
    size_t i, k;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const char *namespace = meta_text(object, "namespace");
        struct claim claim = claim_of(entry, object, object);
        if (strcmp(object_text(object, "kind"), "PersistentVolumeClaim") == 0 &&
            !is_bound(world, namespace, claim.name))
            look_at_claim(world, &claim, by_class, section);
        json_array_foreach(world_at(object, "spec.volumeClaimTemplates"), k, template) {
            claim = claim_of(entry, object, template);
            look_at_claim(world, &claim, by_class, section);
        }
    }
    json_decref(by_class);
}

/* ---- autoscalers ---- */

static void look_at_autoscalers(const struct doctor_world *world, json_t *section)
{
    size_t i, k;
    json_t *entry, *row;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const char *namespace = meta_text(object, "namespace"), *name = meta_text(object, "name");
        const json_t *live = world_live(world, object_text(object, "kind"), namespace, name);
        if (strcmp(object_text(object, "kind"), "HorizontalPodAutoscaler") != 0 || !live)
            continue;
        json_int_t most = json_integer_value(world_at(live, "spec.maxReplicas"));
        json_array_foreach(world_at(live, "status.conditions"), k, row) {
            const char *type = object_text(row, "type"), *status = object_text(row, "status");
            json_t *finding = NULL;
            if (strcmp(type, "ScalingLimited") == 0 && strcmp(status, "True") == 0 &&
                strcmp(object_text(row, "reason"), "TooManyReplicas") == 0) {
                finding = finding_add(section, "warning",
                                      "it is at its maximum of %" JSON_INTEGER_FORMAT
                                      " replicas and wants more",
                                      most);
                finding_remedy(finding, "raise its maximum in the profile, or give each pod more");
            } else if (strcmp(type, "ScalingActive") == 0 && strcmp(status, "False") == 0 &&
                       strcmp(object_text(row, "reason"), "ScalingDisabled") != 0) {
                finding = finding_add(section, "warning", "it can't scale: %s",
                                      object_text(row, "message"));
                finding_remedy(finding, "see to its metrics: kubectl describe hpa %s -n %s", name,
                               namespace);
            }
            if (!finding)
                continue;
            finding_component(finding, object_text(entry, "component"));
            finding_object(finding, live);
        }
    }
}

/* ---- restarts ---- */

static const char *limit_of(const json_t *pod, const char *container)
{
    size_t i;
    json_t *row;
    json_array_foreach(world_at(pod, "spec.containers"), i, row) {
        if (strcmp(object_text(row, "name"), container) == 0)
            return world_text(row, "resources.limits.memory");
    }
    return "";
}

static void look_at_container(const json_t *pod, const json_t *entry, const json_t *status,
                              json_t *section)
{
    const json_t *last = world_at(status, "lastState.terminated");
    const char *name = object_text(status, "name"), *component = object_text(entry, "component");
    json_int_t restarts = json_integer_value(json_object_get(status, "restartCount"));
    bool out_of_memory = strcmp(object_text(last, "reason"), "OOMKilled") == 0;
    if (!last || (!out_of_memory && restarts < RESTARTS_MANY))
        return;
    char *ago = moment_ago(object_text(last, "finishedAt"));
    const char *limit = limit_of(pod, name);
    json_t *finding;
    if (out_of_memory) {
        finding = finding_add(section, "error",
                              "container %s was killed %s for using more memory than its limit%s%s "
                              "(%" JSON_INTEGER_FORMAT " restarts)",
                              name, ago, *limit ? " of " : "", limit, restarts);
        finding_remedy(finding, "raise memory in `resources` of %s, or have it use less",
                       component);
    } else {
        finding =
            finding_add(section, "warning",
                        "container %s has started %" JSON_INTEGER_FORMAT
                        " times anew; the last time it ended %s with code "
                        "%" JSON_INTEGER_FORMAT,
                        name, restarts, ago, json_integer_value(json_object_get(last, "exitCode")));
        finding_remedy(finding, "see why it ended: bkdeploy logs RELEASE %s -c %s --previous",
                       component, name);
    }
    finding_component(finding, component);
    finding_object(finding, pod);
    finding_evidence(finding, "lastState", json_incref((json_t *)last));
    free(ago);
}

void restarts_look(const struct doctor_world *world, const json_t *sections, json_t *section)
{
    size_t i, k;
    json_t *pod, *status;
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        const json_t *entry = world_owner(world, pod);
        if (!entry || world_has_ended(pod) ||
            findings_tell(sections, "Pod", meta_text(pod, "namespace"), meta_text(pod, "name")))
            continue;
        json_array_foreach(world_at(pod, "status.containerStatuses"), k, status)
            look_at_container(pod, entry, status, section);
    }
}

/* ---- disruption budgets ---- */

static void look_at_budgets(const struct doctor_world *world, json_t *section)
{
    size_t i;
    json_t *budget;
    json_array_foreach((json_t *)world_all(world, "PodDisruptionBudget"), i, budget) {
        const char *namespace = meta_text(budget, "namespace"), *name = meta_text(budget, "name");
        const json_t *status = json_object_get(budget, "status");
        json_int_t wanted = json_integer_value(json_object_get(status, "desiredHealthy"));
        json_int_t healthy = json_integer_value(json_object_get(status, "currentHealthy"));
        json_int_t expected = json_integer_value(json_object_get(status, "expectedPods"));
        json_int_t allowed = json_integer_value(json_object_get(status, "disruptionsAllowed"));
        if (!world_wanted(world, "PodDisruptionBudget", namespace, name) || allowed > 0 ||
            expected == 0 || healthy < expected)
            continue;
        json_t *finding = finding_add(section, "warning",
                                      "it lets no pod go although all %" JSON_INTEGER_FORMAT
                                      " are healthy: %" JSON_INTEGER_FORMAT
                                      " must be; a drain of their nodes will hang",
                                      healthy, wanted);
        finding_object(finding, budget);
        finding_remedy(finding, "have one replica more than it wants, or allow one to be away "
                                "(maxUnavailable = 1) in the profile");
    }
}

void resources_look(const struct doctor_world *world, json_t *section)
{
    fit_look(world, section);
    quota_look(world, section);
    if (world_all(world, "StorageClass"))
        look_at_claims(world, section);
    look_at_autoscalers(world, section);
    look_at_budgets(world, section);
}
