#include "object/profile.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"

static int read_before(struct profile *profile, struct component *component, const json_t *names,
                       const char *word, struct err *err)
{
    size_t i;
    json_t *name;
    component->before =
        xrealloc(component->before, (component->before_count + json_array_size(names) + 1) *
                                        sizeof *component->before);
    json_array_foreach(names, i, name) {
        const char *wanted = json_string_value(name);
        size_t k = 0;
        while (k < profile->count && wanted && strcmp(profile->components[k].name, wanted) != 0)
            k++;
        if (!wanted || k == profile->count)
            return err_set(err, ERR_PROFILE,
                           "%s: component '%s' %s '%s', which the profile does not list",
                           component->origin, component->name, word, wanted ? wanted : "?");
        component->before[component->before_count++] = k;
    }
    return 0;
}

/* The components on the way that is being gone, each one waiting for the next. */
struct way {
    const struct profile *profile;
    bool *seen, *is_on;
    size_t *steps, count;
};

const char *component_waits_by(const struct component *component, size_t other)
{
    for (size_t i = 0; i < component->needs_count; i++)
        if (component->before[i] == other)
            return "needs";
    return "comes after";
}

/* "web (profile.lua:12) needs db (profile.lua:4), which comes after web: a cycle" */
static int tell_cycle(const struct way *way, size_t again, struct err *err)
{
    const struct component *all = way->profile->components;
    size_t first = 0;
    struct buf words = BUF_INIT;
    while (way->steps[first] != again)
        first++;
    buf_addf(&words, "%s (%s)", all[again].name, all[again].origin);
    for (size_t i = first; i < way->count; i++) {
        bool is_last = i + 1 == way->count;
        size_t next = is_last ? again : way->steps[i + 1];
        buf_addf(&words, "%s %s %s", i > first ? ", which" : "",
                 component_waits_by(&all[way->steps[i]], next), all[next].name);
        if (!is_last)
            buf_addf(&words, " (%s)", all[next].origin);
    }
    err_set(err, ERR_PROFILE, "%s: %s: a cycle", all[again].origin, buf_text(&words));
    buf_release(&words);
    return -1;
}

static int find_cycle(struct way *way, size_t index, struct err *err)
{
    const struct component *component = &way->profile->components[index];
    int result = 0;
    if (way->is_on[index])
        return tell_cycle(way, index, err);
    if (way->seen[index])
        return 0;
    way->seen[index] = way->is_on[index] = true;
    way->steps[way->count++] = index;
    for (size_t i = 0; i < component->before_count && result == 0; i++)
        result = find_cycle(way, component->before[i], err);
    way->count--;
    way->is_on[index] = false;
    return result;
}

static int check_cycles(const struct profile *profile, struct err *err)
{
    struct way way = {
        .profile = profile,
        .seen = xcalloc(profile->count, sizeof *way.seen),
        .is_on = xcalloc(profile->count, sizeof *way.is_on),
        .steps = xcalloc(profile->count, sizeof *way.steps),
    };
    int result = 0;
    for (size_t i = 0; i < profile->count && result == 0; i++)
        result = find_cycle(&way, i, err);
    free(way.seen);
    free(way.is_on);
    free(way.steps);
    return result;
}

static void mark_before(const struct profile *profile, size_t component, bool *seen)
{
    const struct component *from = &profile->components[component];
    for (size_t i = 0; i < from->before_count; i++) {
        if (seen[from->before[i]])
            continue;
        seen[from->before[i]] = true;
        mark_before(profile, from->before[i], seen);
    }
}

bool profile_is_behind(const struct profile *profile, size_t component, size_t other)
{
    bool *seen = xcalloc(profile->count, sizeof *seen);
    mark_before(profile, component, seen);
    bool found = seen[other];
    free(seen);
    return found;
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

static long read_grace(const json_t *entry)
{
    const json_t *grace = json_object_get(entry, "grace");
    json_int_t seconds = json_integer_value(grace);
    return json_is_integer(grace) && seconds >= 0 && seconds < LONG_MAX / 1000
               ? (long)seconds * 1000
               : -1;
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
        component->grace_ms = read_grace(entry);
    }
    json_t *identities = json_object();
    int result = 0;
    json_array_foreach(list, i, entry) {
        struct component *component = &profile->components[i];
        result = read_before(profile, component, json_object_get(entry, "needs"), "needs", err);
        component->needs_count = component->before_count;
        if (result == 0)
            result = read_before(profile, component, json_object_get(entry, "after"), "comes after",
                                 err);
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
        free(profile->components[i].before);
    free(profile->components);
    free(profile->names);
    json_decref(profile->source);
    memset(profile, 0, sizeof *profile);
}

void profile_keep(struct profile *profile, const bool *keep)
{
    size_t size = 0;
    for (size_t i = 0; i < profile->count; i++)
        size += strlen(profile->components[i].name) + strlen(profile->components[i].origin) + 2;
    char *names = xmalloc(size), *end = names;
    json_t *kept = json_array();
    for (size_t i = 0; i < profile->count; i++) {
        struct component *component = &profile->components[i];
        component->name = pack_text(&end, component->name);
        component->origin = pack_text(&end, component->origin);
        if (keep[i])
            json_array_append(kept, component->objects);
        else
            component->objects = NULL;
    }
    json_object_set_new(profile->source, "components", kept);
    free(profile->names);
    profile->names = names;
}
