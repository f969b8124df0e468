#include "rollout/diagnosis_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"

static json_int_t event_count(const json_t *event)
{
    json_int_t count = json_integer_value(at(event, "series", "count"));
    if (!count)
        count = json_integer_value(json_object_get(event, "count"));
    return count ? count : 1;
}

/* "web-5d9-x2k" after "web-5d9": as controllers name pods. */
static bool is_named_after(const char *name, const char *owner)
{
    size_t length = strlen(owner);
    return strncmp(name, owner, length) == 0 && name[length] == '-' &&
           !strchr(name + length + 1, '-');
}

/* Whether an event is of the workload or of what is below it. */
static bool is_below(const json_t *event, const json_t *workload,
                     const struct diagnosis_world *world)
{
    if (diagnosis_is_about(event, workload))
        return true;
    const json_t *about = json_object_get(event, "involvedObject");
    const char *kind = text_at(about, "kind"), *name = text_at(about, "name");
    const json_t *owner = diagnosis_owner_of_pods(workload, world);
    if (strcmp(kind, "ReplicaSet") == 0)
        return owner && diagnosis_is_about(event, owner);
    if (strcmp(kind, "Pod") == 0) {
        const json_t *pod = json_object_get(world->pods, name);
        if (pod && owner)
            return diagnosis_is_owned(pod, owner) && diagnosis_is_about(event, pod);
        return owner && is_named_after(name, meta_text(owner, "name")); /* it has gone */
    }
    if (strcmp(kind, "PersistentVolumeClaim") != 0 || !owner)
        return false;
    const char *key;
    json_t *pod;
    json_object_foreach((json_t *)diagnosis_below(world, world->pods, owner), key, pod) {
        size_t i;
        json_t *volume;
        if (!diagnosis_is_owned(pod, owner))
            continue;
        json_array_foreach(at(pod, "spec", "volumes"), i, volume) {
            if (is(at(volume, "persistentVolumeClaim", "claimName"), name))
                return true;
        }
    }
    return false;
}

static bool is_success(const json_t *event)
{
    static const char *const reasons[] = {
        "Scheduled",         "Pulling",          "Pulled",    "Created",
        "Started",           "SuccessfulCreate", "Completed", "SuccessfulAttachVolume",
        "ScalingReplicaSet", "SuccessfulDelete", "Killing",   "ProvisioningSucceeded",
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (is(json_object_get(event, "reason"), reasons[i]))
            return !is(json_object_get(event, "type"), "Warning");
    return false;
}

/* Whether two messages differ in names and numbers only, as each try of the same thing does. */
static bool is_same_message(const char *one, const char *other)
{
    static const char combined[] = "(combined from similar events): ";
    if (strncmp(one, combined, strlen(combined)) == 0)
        one += strlen(combined);
    if (strncmp(other, combined, strlen(combined)) == 0)
        other += strlen(combined);
    for (;;) {
        while (isdigit((unsigned char)*one))
            one++;
        while (isdigit((unsigned char)*other))
            other++;
        if (*one == '"' && *other == '"') {
            const char *end = strchr(one + 1, '"'), *other_end = strchr(other + 1, '"');
            if (end && other_end) {
                one = end + 1;
                other = other_end + 1;
                continue;
            }
        }
        if (*one != *other)
            return false;
        if (!*one)
            return true;
        one++;
        other++;
    }
}

/* The row of an event that tells the same: of another pod, or of another try. */
static json_t *find_equal(json_t *list, const char *kind, const json_t *event)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) {
        const char *object = text_at(row, "object");
        if (strncmp(object, kind, strlen(kind)) == 0 &&
            is(json_object_get(row, "reason"), text_at(event, "reason")) &&
            is_same_message(text_at(row, "message"), text_at(event, "message")))
            return row;
    }
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    const json_t *const *one = a, *const *other = b;
    int order = strcmp(text_at(*one, "last"), text_at(*other, "last"));
    return order ? order : strcmp(text_at(*one, "message"), text_at(*other, "message"));
}

json_t *diagnosis_events(const json_t *workload, const struct diagnosis_world *world)
{
    json_t *list = json_array(), *sorted = json_array();
    const char *key;
    json_t *event;
    json_object_foreach((json_t *)world->events, key, event) {
        const json_t *about = json_object_get(event, "involvedObject");
        if (is_success(event) || !is_below(event, workload, world))
            continue;
        json_t *row = find_equal(list, text_at(about, "kind"), event);
        if (!row) {
            char *object = xasprintf("%s %s", text_at(about, "kind"), text_at(about, "name"));
            row = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "object", object, "type",
                            text_at(event, "type"), "reason", text_at(event, "reason"), "message",
                            text_at(event, "message"), "count", 0, "last", "");
            json_array_append_new(list, row);
            free(object);
        }
        json_int_t count = json_integer_value(json_object_get(row, "count"));
        json_object_set_new(row, "count", json_integer(count + event_count(event)));
        if (strcmp(diagnosis_event_time(event), text_at(row, "last")) <= 0)
            continue;
        json_object_set_new(row, "last", json_string(diagnosis_event_time(event)));
        json_object_set(row, "message", json_object_get(event, "message"));
    }
    size_t count = json_array_size(list);
    const json_t **rows = xcalloc(count + 1, sizeof(void *));
    for (size_t i = 0; i < count; i++)
        rows[i] = json_array_get(list, i);
    qsort(rows, count, sizeof(void *), by_time);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, (json_t *)rows[i]);
    free(rows);
    json_decref(list);
    return sorted;
}
