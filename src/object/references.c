#include "object/references.h"

#include <stdbool.h>
#include <string.h>

#include "object/meta.h"

/* How a key names something: by a field of its map, or by itself (field NULL). */
static const struct form {
    const char *key, *field, *kind, *why;
} forms[] = {
    { "configMapKeyRef", "name", "ConfigMap", "env" },
    { "configMapRef", "name", "ConfigMap", "env" },
    { "configMap", "name", "ConfigMap", "volume" },
    { "secretKeyRef", "name", "Secret", "env" },
    { "secretRef", "name", "Secret", "env" },
    { "secret", "name", "Secret", "volume" },
    { "secretName", NULL, "Secret", "volume" },
    { "persistentVolumeClaim", "claimName", "PersistentVolumeClaim", "volume" },
    { "serviceAccountName", NULL, "ServiceAccount", "identity" },
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void look(const char *key, const json_t *value, references_fn *each, void *arg)
{
    size_t i;
    json_t *item;
    for (i = 0; i < sizeof forms / sizeof *forms; i++) {
        const struct form *form = &forms[i];
        if (strcmp(key, form->key) != 0)
            continue;
        const char *name = form->field ? object_text(value, form->field) : json_string_value(value);
        if (name && *name)
            each(form->kind, name, form->why, arg);
        return;
    }
    if (ends_with(key, "SecretRef") && *object_text(value, "name")) /* of CSI volumes */
        each("Secret", object_text(value, "name"), "volume", arg);
    if (strcmp(key, "imagePullSecrets") != 0)
        return;
    json_array_foreach((json_t *)value, i, item) {
        if (*object_text(item, "name"))
            each("Secret", object_text(item, "name"), "images", arg);
    }
}

void references_each(const json_t *value, references_fn *each, void *arg)
{
    const char *key;
    json_t *inner;
    size_t i;
    json_array_foreach((json_t *)value, i, inner)
        references_each(inner, each, arg);
    if (!json_is_object(value))
        return;
    json_object_foreach((json_t *)value, key, inner) {
        look(key, inner, each, arg);
        references_each(inner, each, arg);
    }
}
