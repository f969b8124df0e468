#include "release/blame.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static bool text_is(const json_t *value, const char *word)
{
    const char *text = json_string_value(value);
    return text && strcmp(text, word) == 0;
}

/* The path of the pod's template in an object of the kind, a new reference. */
static json_t *template_path(const struct work_item *item)
{
    return strcmp(item->kind, "Pod") == 0 ? json_array() : json_pack("[s, s]", "spec", "template");
}

static const json_t *walk(const json_t *value, const json_t *path)
{
    size_t i;
    json_t *key;
    json_array_foreach(path, i, key)
        value = json_is_integer(key) ? json_array_get(value, (size_t)json_integer_value(key))
                                     : json_object_get(value, json_string_value(key));
    return value;
}

static json_t *child(const json_t *path, const char *key, long index)
{
    json_t *longer = json_copy((json_t *)path);
    json_array_append_new(longer, json_string(key));
    if (index >= 0)
        json_array_append_new(longer, json_integer(index));
    return longer;
}

/* Whether a value refers to the Secret or ConfigMap: env, envFrom and volumes, whatever their form.
 */
static bool refers_to(const json_t *value, const struct diagnosis *diagnosis)
{
    static const char *const forms[][3] = {
        { "Secret", "secretKeyRef", "name" },
        { "ConfigMap", "configMapKeyRef", "name" },
        { "Secret", "secretRef", "name" },
        { "ConfigMap", "configMapRef", "name" },
        { "Secret", "secret", "secretName" },
        { "ConfigMap", "configMap", "name" },
        { "Secret", "secret", "name" },
        { "PersistentVolumeClaim", "persistentVolumeClaim", "claimName" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const json_t *reference = json_object_get(value, forms[i][1]);
        const json_t *key = json_object_get(reference, "key");
        if (strcmp(diagnosis->missing.kind, forms[i][0]) == 0 &&
            text_is(json_object_get(reference, forms[i][2]), diagnosis->missing.name) &&
            (!key || !*diagnosis->missing.key || text_is(key, diagnosis->missing.key)))
            return true;
    }
    return false;
}

/* The path of the element of a list at `path` that refers to what is missing, or NULL. */
static json_t *find_reference(const json_t *object, const json_t *path, const char *list,
                              const struct diagnosis *diagnosis)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(walk(object, path), list), i, row) {
        if (refers_to(row, diagnosis) || refers_to(json_object_get(row, "valueFrom"), diagnosis))
            return child(path, list, (long)i);
    }
    return NULL;
}

/* The path of the container that is spoken of, or NULL. A new reference. */
static json_t *container_path(const struct work_item *item, const json_t *spec_path,
                              const char *name)
{
    static const char *const lists[] = { "initContainers", "containers" };
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        size_t i;
        json_t *container;
        json_array_foreach(json_object_get(walk(item->object, spec_path), lists[l]), i, container) {
            if (text_is(json_object_get(container, "name"), name))
                return child(spec_path, lists[l], (long)i);
        }
    }
    return NULL;
}

/* The fields that a cause comes from, those that say most first. */
static const struct field {
    enum diagnosis_kind kind;
    bool of_container;
    const char *keys[3];
} fields[] = {
    { DIAGNOSIS_IMAGE, true, { "image" } },
    { DIAGNOSIS_OUT_OF_MEMORY, true, { "resources", "limits", "memory" } },
    { DIAGNOSIS_PROBE, true, { "readinessProbe" } },
    { DIAGNOSIS_CRASH, true, { "command" } },
    { DIAGNOSIS_CRASH, true, { "image" } },
    { DIAGNOSIS_CONTAINER_REFUSED, true, { "command" } },
    { DIAGNOSIS_JOB_FAILED, true, { "command" } },
    { DIAGNOSIS_JOB_FAILED, true, { "image" } },
    { DIAGNOSIS_UNSCHEDULABLE, false, { "nodeSelector" } },
    { DIAGNOSIS_UNSCHEDULABLE, false, { "affinity" } },
    { DIAGNOSIS_PODS_REFUSED, false, { "serviceAccountName" } },
};

json_t *blame_field(const struct work_item *item, const struct diagnosis *diagnosis)
{
    json_t *template = template_path(item), *spec = child(template, "spec", -1), *found = NULL;
    json_t *container =
        *diagnosis->container ? container_path(item, spec, diagnosis->container) : NULL;
    if (*diagnosis->missing.kind && container)
        found = find_reference(item->object, container, "env", diagnosis);
    if (!found && *diagnosis->missing.kind && container)
        found = find_reference(item->object, container, "envFrom", diagnosis);
    if (!found && *diagnosis->missing.kind)
        found = find_reference(item->object, spec, "volumes", diagnosis);
    for (size_t i = 0; !found && i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].kind != diagnosis->kind || (fields[i].of_container && !container))
            continue;
        json_t *path = json_copy(fields[i].of_container ? container : spec);
        for (size_t k = 0; k < 3 && fields[i].keys[k]; k++)
            json_array_append_new(path, json_string(fields[i].keys[k]));
        if (walk(item->object, path))
            found = path;
        else
            json_decref(path);
    }
    json_decref(template);
    json_decref(spec);
    json_decref(container);
    return found;
}

char *blame_reader(const struct work_item *item, const struct diagnosis *diagnosis)
{
    json_t *path = blame_field(item, diagnosis);
    const char *name =
        json_string_value(json_object_get(walk(item->object, path ? path : json_null()), "name"));
    const char *list =
        json_string_value(json_array_get(path, path ? json_array_size(path) - 2 : 0));
    char *text = name && list && strcmp(list, "env") == 0
                     ? xasprintf("%s %s, env %s", item->kind, item->name, name)
                     : xasprintf("%s %s", item->kind, item->name);
    json_decref(path);
    return text;
}
