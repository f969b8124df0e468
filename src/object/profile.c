#include "object/profile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"

static int read_needs(struct profile *profile, struct component *component, const json_t *names,
                      struct err *err)
{
    size_t i;
    json_t *name;
    component->needs = xcalloc(json_array_size(names), sizeof *component->needs);
    json_array_foreach(names, i, name) {
        const char *wanted = json_string_value(name);
        size_t k = 0;
        while (k < profile->count && wanted && strcmp(profile->components[k].name, wanted) != 0)
            k++;
        if (!wanted || k == profile->count)
            return err_set(err, ERR_PROFILE,
                           "%s: component '%s' needs '%s', which the profile does not list",
                           component->origin, component->name, wanted ? wanted : "?");
        component->needs[component->needs_count++] = k;
    }
    return 0;
}

enum { UNSEEN, ON_PATH, DONE };

static int find_cycle(const struct profile *profile, size_t index, char *seen, struct err *err)
{
    const struct component *component = &profile->components[index];
    seen[index] = ON_PATH;
    for (size_t i = 0; i < component->needs_count; i++) {
        size_t need = component->needs[i];
        if (seen[need] == ON_PATH)
            return err_set(err, ERR_PROFILE,
                           "%s: component '%s' needs '%s', which needs it in turn",
                           component->origin, component->name, profile->components[need].name);
        if (seen[need] == UNSEEN && find_cycle(profile, need, seen, err) != 0)
            return -1;
    }
    seen[index] = DONE;
    return 0;
}

static int check_cycles(const struct profile *profile, struct err *err)
{
    char *seen = xcalloc(profile->count, 1);
    int result = 0;
    for (size_t i = 0; i < profile->count && result == 0; i++)
        if (seen[i] == UNSEEN)
            result = find_cycle(profile, i, seen, err);
    free(seen);
    return result;
}

static int check_object(const struct component *component, const json_t *object, json_t *identities,
                        const char *namespace, struct err *err)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const char *kind = object_text(object, "kind"), *name = object_text(metadata, "name");
    if (!*object_text(object, "apiVersion") || !*kind || !*name)
        return err_set(err, ERR_PROFILE,
                       "%s: component '%s': an object needs apiVersion, kind and metadata.name",
                       component->origin, component->name);
    /* The group without its version: apps/v1 and apps/v1beta1 name the same object. */
    const char *version = object_text(object, "apiVersion"), *slash = strchr(version, '/');
    const char *own = object_text(metadata, "namespace");
    char *identity = xasprintf("%.*s|%s|%s|%s", slash ? (int)(slash - version) : 0, version, kind,
                               *own ? own : namespace, name);
    const char *other = json_string_value(json_object_get(identities, identity));
    int result = 0;
    if (other)
        result = err_set(err, ERR_PROFILE, "%s: component '%s': %s '%s' stands twice, also at %s",
                         component->origin, component->name, kind, name, other);
    else
        json_object_set_new(identities, identity, json_string(component->origin));
    free(identity);
    return result;
}

static enum component_replace read_replace(const json_t *entry)
{
    const json_t *replace = json_object_get(entry, "replace");
    if (!json_is_boolean(replace))
        return COMPONENT_REPLACE_UNSAID;
    return json_is_true(replace) ? COMPONENT_REPLACE_ALLOWED : COMPONENT_REPLACE_NEVER;
}

static int read_components(struct profile *profile, struct err *err)
{
    const json_t *list = json_object_get(profile->source, "components");
    size_t i, k;
    json_t *entry, *object;
    profile->components = xcalloc(json_array_size(list), sizeof *profile->components);
    json_array_foreach(list, i, entry) {
        struct component *component = &profile->components[profile->count++];
        component->name = object_text(entry, "name");
        component->origin = object_text(entry, "origin");
        component->objects = json_object_get(entry, "objects");
        component->keep = json_is_true(json_object_get(entry, "keep"));
        component->replace = read_replace(entry);
    }
    json_t *identities = json_object();
    int result = 0;
    json_array_foreach(list, i, entry) {
        struct component *component = &profile->components[i];
        result = read_needs(profile, component, json_object_get(entry, "needs"), err);
        json_array_foreach(component->objects, k, object) {
            if (result == 0)
                result = check_object(component, object, identities, profile->namespace, err);
        }
        if (result != 0)
            break;
    }
    json_decref(identities);
    return result == 0 ? check_cycles(profile, err) : result;
}

int profile_init(struct profile *profile, json_t *source, struct err *err)
{
    memset(profile, 0, sizeof *profile);
    profile->source = json_incref(source);
    profile->name = object_text(source, "name");
    profile->environment = object_text(source, "environment");
    profile->namespace = object_text(source, "namespace");
    profile->conflicts = json_object_get(source, "conflicts");
    const json_t *pin = json_object_get(source, "pin");
    profile->pin = (struct pin){
        .server = json_string_value(json_object_get(pin, "server")),
        .context = json_string_value(json_object_get(pin, "context")),
        .uid = json_string_value(json_object_get(pin, "uid")),
        .origin = json_string_value(json_object_get(pin, "origin")),
    };
    if (read_components(profile, err) == 0)
        return 0;
    profile_release(profile);
    return -1;
}

void profile_release(struct profile *profile)
{
    for (size_t i = 0; i < profile->count; i++)
        free(profile->components[i].needs);
    free(profile->components);
    json_decref(profile->source);
    memset(profile, 0, sizeof *profile);
}
