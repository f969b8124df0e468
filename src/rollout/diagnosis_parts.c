#include "rollout/diagnosis_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "object/meta.h"

/* ---- reading objects ---- */

const json_t *diagnosis_condition(const json_t *object, const char *type, const char *status)
{
    size_t i;
    json_t *row;
    json_array_foreach(at(object, "status", "conditions"), i, row) {
        if (is(json_object_get(row, "type"), type) && is(json_object_get(row, "status"), status))
            return row;
    }
    return NULL;
}

bool diagnosis_is_owned(const json_t *object, const json_t *owner)
{
    const char *uid = meta_text(owner, "uid");
    size_t i;
    json_t *row;
    json_array_foreach(at(object, "metadata", "ownerReferences"), i, row) {
        if (*uid && is(json_object_get(row, "uid"), uid))
            return true;
    }
    return false;
}

const json_t *diagnosis_below(const struct diagnosis_world *world, const json_t *all,
                              const json_t *owner)
{
    return world->by_owner ? json_object_get(world->by_owner, meta_text(owner, "uid")) : all;
}

/* The element of a list by its name. */
const json_t *diagnosis_named(const json_t *list, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(list, i, row) {
        if (is(json_object_get(row, "name"), name))
            return row;
    }
    return NULL;
}

/* What stands between two texts; false when they are not there. "" as `after`: up to the end. */
bool diagnosis_between(const char *line, const char *before, const char *after, char *out,
                       size_t size)
{
    const char *start = strstr(line, before);
    if (!start)
        return false;
    start += strlen(before);
    const char *end = *after ? strstr(start, after) : start + strlen(start);
    if (!end)
        return false;
    snprintf(out, size, "%.*s", (int)(end - start), start);
    return true;
}

/* ---- saying ---- */

/* One line that ends at a whole character. */
void diagnosis_tidy(char *line, size_t size)
{
    size_t length = strlen(line);
    if (length + 1 == size)
        while (length > 0 && ((unsigned char)line[length - 1] & 0x80) != 0)
            line[--length] = '\0';
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    while (length && line[length - 1] == ' ')
        line[--length] = '\0';
}

bool diagnosis_say(struct diagnosis *diagnosis, enum diagnosis_kind kind, bool certain,
                   const char *since, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(diagnosis->message, sizeof diagnosis->message, fmt, args);
    va_end(args);
    diagnosis_tidy(diagnosis->message, sizeof diagnosis->message);
    diagnosis->kind = kind;
    diagnosis->certain = certain;
    snprintf(diagnosis->since, sizeof diagnosis->since, "%s", since);
    return true;
}

void diagnosis_advise(struct diagnosis *diagnosis, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(diagnosis->hint, sizeof diagnosis->hint, fmt, args);
    va_end(args);
    diagnosis_tidy(diagnosis->hint, sizeof diagnosis->hint);
}

void diagnosis_place(struct diagnosis *diagnosis, const char *kind, const json_t *object)
{
    snprintf(diagnosis->object, sizeof diagnosis->object, "%s %s", kind, meta_text(object, "name"));
    if (strcmp(kind, "Pod") == 0)
        snprintf(diagnosis->pod, sizeof diagnosis->pod, "%s", meta_text(object, "name"));
}

/* Names what is missing; it is nothing certain while that is on its way. */
void diagnosis_lack(struct diagnosis *diagnosis, const struct diagnosis_world *world,
                    const char *kind, const char *name, const char *key)
{
    snprintf(diagnosis->missing.kind, sizeof diagnosis->missing.kind, "%s", kind);
    snprintf(diagnosis->missing.name, sizeof diagnosis->missing.name, "%s", name);
    snprintf(diagnosis->missing.key, sizeof diagnosis->missing.key, "%s", key);
    if (world->is_coming && world->is_coming(kind, name, key, world->arg))
        diagnosis->certain = false;
}

/* ---- events ---- */

const char *diagnosis_event_time(const json_t *event)
{
    static const char *const keys[] = { "lastTimestamp", "eventTime", "firstTimestamp" };
    const char *found = text(at(event, "series", "lastObservedTime"));
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !*found; i++)
        found = text_at(event, keys[i]);
    return *found ? found : meta_text(event, "creationTimestamp");
}

const char *diagnosis_event_begin(const json_t *event)
{
    const char *found = text_at(event, "firstTimestamp");
    if (!*found)
        found = text_at(event, "eventTime");
    return *found ? found : diagnosis_event_time(event);
}

/* Whether an event is of this very object, not of an earlier one by the name. */
bool diagnosis_is_about(const json_t *event, const json_t *object)
{
    const json_t *about = json_object_get(event, "involvedObject");
    const char *uid = text_at(about, "uid");
    return *uid ? strcmp(uid, meta_text(object, "uid")) == 0
                : is(json_object_get(about, "name"), meta_text(object, "name"));
}

static void find_event(const json_t *events, const json_t *object, const char *reason,
                       const char *part, const json_t **found)
{
    const char *key;
    json_t *event;
    json_object_foreach((json_t *)events, key, event) {
        if (is(json_object_get(event, "reason"), reason) && diagnosis_is_about(event, object) &&
            (!part || strstr(text_at(event, "message"), part)) &&
            (!*found || strcmp(diagnosis_event_time(event), diagnosis_event_time(*found)) >= 0))
            *found = event;
    }
}

/* The newest event of the object with that reason, and with `part` in its message (NULL: any). */
const json_t *diagnosis_event(const struct diagnosis_world *world, const json_t *object,
                              const char *reason, const char *part)
{
    const json_t *found = NULL;
    if (!world->by_subject) {
        find_event(world->events, object, reason, part, &found);
        return found;
    }
    find_event(json_object_get(world->by_subject, meta_text(object, "uid")), object, reason, part,
               &found);
    find_event(json_object_get(world->by_subject, ""), object, reason, part, &found); /* by name */
    return found;
}
