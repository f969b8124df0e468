#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "doctor/finding.h"
#include "doctor/sections.h"
#include "object/meta.h"

/* ---- what pods refer to ---- */

struct reference {
    const char *kind, *name, *key; /* key "": the whole */
    bool env;                      /* it is read once, when a container starts */
};

typedef void reference_fn(const struct reference *reference, void *arg);

static void refer(reference_fn *each, void *arg, const char *kind, const json_t *from,
                  const char *name_key, const char *key, bool env)
{
    struct reference reference = { kind, object_text(from, name_key), key, env };
    if (*reference.name && !json_is_true(json_object_get(from, "optional")))
        each(&reference, arg);
}

static void each_of_container(const json_t *container, reference_fn *each, void *arg)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(container, "env"), i, row) {
        const json_t *config = world_at(row, "valueFrom.configMapKeyRef");
        const json_t *secret = world_at(row, "valueFrom.secretKeyRef");
        refer(each, arg, "ConfigMap", config, "name", object_text(config, "key"), true);
        refer(each, arg, "Secret", secret, "name", object_text(secret, "key"), true);
    }
    json_array_foreach(json_object_get(container, "envFrom"), i, row) {
        refer(each, arg, "ConfigMap", json_object_get(row, "configMapRef"), "name", "", true);
        refer(each, arg, "Secret", json_object_get(row, "secretRef"), "name", "", true);
    }
}

/* A volume's source, or one of a projected volume's. */
static void each_of_source(const json_t *source, const char *secret_name, reference_fn *each,
                           void *arg)
{
    static const char *const kinds[] = { "ConfigMap", "Secret" };
    const json_t *places[] = { json_object_get(source, "configMap"),
                               json_object_get(source, "secret") };
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++) {
        const char *name = n == 0 ? "name" : secret_name;
        size_t i;
        json_t *item;
        refer(each, arg, kinds[n], places[n], name, "", false);
        json_array_foreach(json_object_get(places[n], "items"), i, item) {
            struct reference reference = { kinds[n], object_text(places[n], name),
                                           object_text(item, "key"), false };
            if (!json_is_true(json_object_get(places[n], "optional")))
                each(&reference, arg);
        }
    }
}

static void each_reference(const json_t *spec, reference_fn *each, void *arg)
{
    static const char *const lists[] = { "initContainers", "containers" };
    const char *account = object_text(spec, "serviceAccountName");
    size_t i, k;
    json_t *row, *source;
    for (size_t n = 0; n < sizeof lists / sizeof *lists; n++)
        json_array_foreach(json_object_get(spec, lists[n]), i, row)
            each_of_container(row, each, arg);
    json_array_foreach(json_object_get(spec, "volumes"), i, row) {
        refer(each, arg, "PersistentVolumeClaim", json_object_get(row, "persistentVolumeClaim"),
              "claimName", "", false);
        each_of_source(row, "secretName", each, arg);
        json_array_foreach(world_at(row, "projected.sources"), k, source)
            each_of_source(source, "name", each, arg);
    }
    json_array_foreach(json_object_get(spec, "imagePullSecrets"), i, row)
        refer(each, arg, "Secret", row, "name", "", false);
    if (*account && strcmp(account, "default") != 0)
        refer(each, arg, "ServiceAccount", spec, "serviceAccountName", "", false);
}

static bool has_key(const json_t *object, const char *key)
{
    static const char *const maps[] = { "data", "binaryData", "stringData" };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (json_object_get(json_object_get(object, maps[i]), key))
            return true;
    return !*key;
}

/* ---- what is missing ---- */

struct looking {
    const struct doctor_world *world;
    const json_t *sections;
    json_t *section;
    const json_t *entry;
    const char *namespace;
    const json_t *pod; /* whose references are looked at; NULL: those of a template */
    json_t *told;      /* "Secret ns/name key": its finding */
};

static void add_reader(json_t *finding, const char *component)
{
    json_t *list = json_object_get(json_object_get(finding, "evidence"), "readers");
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) {
        if (strcmp(json_string_value(one), component) == 0)
            return;
    }
    json_array_append_new(list, json_string(component));
}

static void tell_missing(struct looking *looking, const struct reference *reference, bool whole)
{
    const char *component = object_text(looking->entry, "component");
    char *id = xasprintf("%s %s/%s %s", reference->kind, looking->namespace, reference->name,
                         whole ? "" : reference->key);
    json_t *finding = json_object_get(looking->told, id);
    bool brought =
        world_wanted(looking->world, reference->kind, looking->namespace, reference->name) != NULL;
    if (!finding) {
        finding = whole ? finding_add(looking->section, "error",
                                      "it is not there, and pods refer to it: they can't start "
                                      "again")
                        : finding_add(looking->section, "error",
                                      "its key '%s' is not there, and pods refer to it: they can't "
                                      "start again",
                                      reference->key);
        finding_named(finding, "v1", reference->kind, looking->namespace, reference->name);
        finding_evidence(finding, "readers", json_array());
        if (brought)
            finding_remedy(finding, "bkdeploy apply puts it back; a value that was generated would "
                                    "be another one: put the old one back where it is known");
        else if (strcmp(reference->kind, "Secret") == 0 && !whole)
            finding_remedy(finding,
                           "put it back: kubectl patch secret %s -n %s --type merge -p "
                           "'{\"stringData\":{\"%s\":\"VALUE\"}}'",
                           reference->name, looking->namespace, reference->key);
        else
            finding_remedy(finding, "make it, or correct the reference in the profile");
        json_object_set(looking->told, id, finding);
    }
    add_reader(finding, component);
    free(id);
}

static void look_at_reference(const struct reference *reference, void *arg)
{
    struct looking *looking = arg;
    const struct doctor_world *world = looking->world;
    const json_t *live = world_live(world, reference->kind, looking->namespace, reference->name);
    const json_t *wanted =
        world_wanted(world, reference->kind, looking->namespace, reference->name);
    if (!world_all(world, reference->kind))
        return; /* they may not be read */
    if (!looking->pod && wanted && has_key(wanted, reference->key))
        return; /* an apply brings it */
    if (!live)
        tell_missing(looking, reference, true);
    else if (!has_key(live, reference->key))
        tell_missing(looking, reference, false);
}

/* ---- what has changed since ---- */

/* When the contents of a config or secret were changed last, RFC 3339; "" when unknown. */
static const char *changed_at(const json_t *object)
{
    const char *last = "";
    size_t i;
    json_t *entry;
    json_array_foreach(world_at(object, "metadata.managedFields"), i, entry) {
        const char *time = object_text(entry, "time");
        const json_t *fields = json_object_get(entry, "fieldsV1");
        if ((json_object_get(fields, "f:data") || json_object_get(fields, "f:binaryData")) &&
            strcmp(time, last) > 0)
            last = time;
    }
    return last;
}

static void look_at_age(const struct reference *reference, void *arg)
{
    struct looking *looking = arg;
    const json_t *live =
        world_live(looking->world, reference->kind, looking->namespace, reference->name);
    const char *start = world_text(looking->pod, "status.startTime"), *changed = changed_at(live);
    if (!reference->env || !*start || strcmp(changed, start) <= 0 ||
        findings_tell(looking->sections, reference->kind, looking->namespace, reference->name))
        return;
    char *id = xasprintf("age %s %s/%s", reference->kind, looking->namespace, reference->name);
    json_t *finding = json_object_get(looking->told, id);
    if (!finding) {
        char *ago = moment_ago(changed);
        finding = finding_add(looking->section, "warning",
                              "it was changed %s, after pods had read it: they still have the old "
                              "values",
                              ago);
        free(ago);
        finding_named(finding, "v1", reference->kind, looking->namespace, reference->name);
        finding_evidence(finding, "changed", json_string(changed));
        finding_evidence(finding, "readers", json_array());
        finding_remedy(finding, "start its readers anew: kubectl rollout restart %s/%s -n %s",
                       world_text(json_object_get(looking->entry, "object"), "kind"),
                       meta_text(json_object_get(looking->entry, "object"), "name"),
                       looking->namespace);
        json_object_set(looking->told, id, finding);
    }
    add_reader(finding, object_text(looking->entry, "component"));
    free(id);
}

static void look_at_references(const struct doctor_world *world, const json_t *sections,
                               json_t *section)
{
    struct looking looking = { .world = world, .sections = sections, .section = section };
    json_t *pod, *entry;
    size_t i;
    looking.told = json_object();
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        looking.entry = world_owner(world, pod);
        looking.namespace = meta_text(pod, "namespace");
        looking.pod = pod;
        if (looking.entry && !world_has_ended(pod))
            each_reference(json_object_get(pod, "spec"), look_at_reference, &looking);
    }
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        looking.entry = world_owner(world, pod);
        looking.namespace = meta_text(pod, "namespace");
        looking.pod = pod;
        if (looking.entry && !world_has_ended(pod))
            each_reference(json_object_get(pod, "spec"), look_at_age, &looking);
    }
    looking.pod = NULL;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        const json_t *spec = json_object_get(world_template(object), "spec");
        looking.entry = entry;
        looking.namespace = meta_text(object, "namespace");
        if (spec)
            each_reference(spec, look_at_reference, &looking);
    }
    json_decref(looking.told);
}

/* ---- images ---- */

static const char *image_of(const json_t *spec, const char *container)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(spec, "containers"), i, row) {
        if (strcmp(object_text(row, "name"), container) == 0)
            return object_text(row, "image");
    }
    return "";
}

/* Pods that have another image than their workload says now: an update that goes on, or hangs. */
static void look_at_images(const struct doctor_world *world, json_t *section)
{
    json_t *pod, *container, *told = json_object();
    size_t i, k;
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        const json_t *entry = world_owner(world, pod), *object = json_object_get(entry, "object");
        const json_t *spec = json_object_get(world_template(world_real(world, object)), "spec");
        const char *kind = object_text(object, "kind");
        if (!entry || world_has_ended(pod) || strcmp(kind, "Job") == 0 ||
            strcmp(kind, "CronJob") == 0 || json_object_get(told, object_text(entry, "component")))
            continue;
        json_array_foreach(world_at(pod, "spec.containers"), k, container) {
            const char *name = object_text(container, "name");
            const char *has = object_text(container, "image"), *wants = image_of(spec, name);
            if (!*wants || strcmp(has, wants) == 0)
                continue;
            json_t *finding =
                finding_add(section, "warning", "container %s runs the image %s; its %s says %s",
                            name, has, kind, wants);
            finding_component(finding, object_text(entry, "component"));
            finding_object(finding, pod);
            finding_remedy(finding, "wait for its update: bkdeploy wait RELEASE %s/%s", kind,
                           meta_text(object, "name"));
            json_object_set_new(told, object_text(entry, "component"), json_true());
            break;
        }
    }
    json_decref(told);
}

void configuration_look(const struct doctor_world *world, const json_t *sections, json_t *section)
{
    look_at_references(world, sections, section);
    look_at_images(world, section);
}
