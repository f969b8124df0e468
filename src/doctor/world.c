#include "doctor/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"
#include "object/redact.h"

enum { OWNERS_MAX = 4 };

/* ---- values ---- */

const json_t *world_at(const json_t *object, const char *path)
{
    while (object && *path) {
        size_t length = strcspn(path, ".");
        object = json_object_getn((json_t *)object, path, length);
        path += length + (path[length] == '.');
    }
    return object;
}

const char *world_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(world_at(object, path));
    return text ? text : "";
}

bool world_has_labels(const json_t *labels, const json_t *wanted)
{
    const char *key;
    json_t *value;
    if (json_object_size(wanted) == 0)
        return false;
    json_object_foreach((json_t *)wanted, key, value) {
        const json_t *has = json_object_get(labels, key);
        if (!has || !json_equal((json_t *)has, value))
            return false;
    }
    return true;
}

static bool has_value(const json_t *values, const char *value)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)values, i, one) {
        if (value && json_is_string(one) && strcmp(json_string_value(one), value) == 0)
            return true;
    }
    return false;
}

bool world_selects(const json_t *selector, const json_t *labels)
{
    const json_t *plain = json_object_get(selector, "matchLabels");
    size_t i;
    json_t *row;
    if (!selector || (json_object_size(plain) > 0 && !world_has_labels(labels, plain)))
        return false;
    json_array_foreach(json_object_get(selector, "matchExpressions"), i, row) {
        const char *operator= object_text(row, "operator");
        const char *value = json_string_value(json_object_get(labels, object_text(row, "key")));
        const json_t *values = json_object_get(row, "values");
        bool fits = strcmp(operator, "In") == 0       ? has_value(values, value)
                    : strcmp(operator, "NotIn") == 0  ? !has_value(values, value)
                    : strcmp(operator, "Exists") == 0 ? value != NULL
                                                      : value == NULL;
        if (!fits)
            return false;
    }
    return true;
}

char *world_labels(const json_t *labels)
{
    struct buf out = BUF_INIT;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)labels, key, value)
        buf_addf(&out, "%s%s=%s", out.len ? "," : "", key,
                 json_is_string(value) ? json_string_value(value) : "");
    buf_adds(&out, "");
    return buf_detach(&out);
}

/* ---- objects ---- */

const json_t *world_all(const struct doctor_world *world, const char *kind)
{
    return json_object_get(world->live, kind);
}

/* "live Pod ns/name". The caller's. */
static char *key_of(const char *side, const char *kind, const char *namespace, const char *name)
{
    return xasprintf("%s %s %s/%s", side, kind, namespace, name);
}

static void note_name(struct doctor_world *world, const char *side, const json_t *object,
                      json_t *value)
{
    char *key = key_of(side, object_text(object, "kind"), meta_text(object, "namespace"),
                       meta_text(object, "name"));
    json_object_set(world->by_name, key, value);
    free(key);
}

static json_t *find_name(const struct doctor_world *world, const char *side, const char *kind,
                         const char *namespace, const char *name)
{
    char *key = key_of(side, kind, namespace, name);
    json_t *found = json_object_get(world->by_name, key);
    free(key);
    return found;
}

const json_t *world_live(const struct doctor_world *world, const char *kind, const char *namespace,
                         const char *name)
{
    return find_name(world, "live", kind, namespace, name);
}

const json_t *world_wanted(const struct doctor_world *world, const char *kind,
                           const char *namespace, const char *name)
{
    return json_object_get(find_name(world, "wanted", kind, namespace, name), "object");
}

const json_t *world_real(const struct doctor_world *world, const json_t *object)
{
    const json_t *live = world_live(world, object_text(object, "kind"),
                                    meta_text(object, "namespace"), meta_text(object, "name"));
    return live ? live : object;
}

char *world_without_secrets(const struct doctor_world *world, const char *text)
{
    char *clean = xstrdup(text);
    size_t i;
    json_t *object;
    json_array_foreach((json_t *)world_all(world, "Secret"), i, object)
        redact_secret(clean, object);
    json_array_foreach((json_t *)world->wanted, i, object)
        redact_secret(clean, json_object_get(object, "object"));
    return clean;
}

/* ---- workloads ---- */

const json_t *world_template(const json_t *object)
{
    static const struct {
        const char *kind, *path;
    } places[] = {
        { "Deployment", "spec.template" },
        { "StatefulSet", "spec.template" },
        { "DaemonSet", "spec.template" },
        { "Job", "spec.template" },
        { "ReplicaSet", "spec.template" },
        { "ReplicationController", "spec.template" },
        { "CronJob", "spec.jobTemplate.spec.template" },
        { "Pod", "" },
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(object_text(object, "kind"), places[i].kind) == 0)
            return world_at(object, places[i].path);
    return NULL;
}

static const json_t *controller_of(const json_t *object)
{
    size_t i;
    json_t *owner;
    json_array_foreach(world_at(object, "metadata.ownerReferences"), i, owner) {
        if (json_is_true(json_object_get(owner, "controller")))
            return owner;
    }
    return NULL;
}

static json_t *find_owner(const struct doctor_world *world, const json_t *pod)
{
    const char *namespace = meta_text(pod, "namespace"), *kind = "Pod";
    const char *name = meta_text(pod, "name");
    for (int i = 0; i < OWNERS_MAX; i++) {
        json_t *entry = find_name(world, "wanted", kind, namespace, name);
        const json_t *owner = controller_of(world_live(world, kind, namespace, name));
        if (entry || !owner)
            return entry;
        kind = object_text(owner, "kind");
        name = object_text(owner, "name");
    }
    return NULL;
}

const json_t *world_owner(const struct doctor_world *world, const json_t *pod)
{
    char *key = key_of("", "", meta_text(pod, "namespace"), meta_text(pod, "name"));
    const json_t *entry = json_object_get(world->owners, key);
    free(key);
    return entry;
}

void world_init(struct doctor_world *world)
{
    const char *kind;
    json_t *list, *object, *entry;
    size_t i;
    world->by_name = json_object();
    world->owners = json_object();
    json_object_foreach((json_t *)world->live, kind, list) {
        json_array_foreach(list, i, object)
            note_name(world, "live", object, object);
    }
    json_array_foreach((json_t *)world->wanted, i, entry)
        note_name(world, "wanted", json_object_get(entry, "object"), entry);
    json_array_foreach((json_t *)world_all(world, "Pod"), i, object) {
        char *key = key_of("", "", meta_text(object, "namespace"), meta_text(object, "name"));
        json_t *owner = find_owner(world, object);
        if (owner)
            json_object_set(world->owners, key, owner);
        free(key);
    }
}

void world_release(struct doctor_world *world)
{
    json_decref(world->by_name);
    json_decref(world->owners);
}

bool world_has_ended(const json_t *pod)
{
    const char *phase = world_text(pod, "status.phase");
    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

bool world_is_ready(const json_t *pod)
{
    size_t i;
    json_t *row;
    json_array_foreach(world_at(pod, "status.conditions"), i, row) {
        if (strcmp(object_text(row, "type"), "Ready") == 0)
            return strcmp(object_text(row, "status"), "True") == 0;
    }
    return false;
}
