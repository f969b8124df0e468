#include "doctor/drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "doctor/finding.h"
#include "object/meta.h"
#include "object/path.h"
#include "release/identity.h"

enum { FIELDS_SHOWN = 3, VALUE_SHOWN = 80 };

/* ---- whose a field is ---- */

/* The node of a set of fields (object/fields.h) that stands for an item of a list: its keys, its
 * value or its index; NULL when the set has none. */
static const json_t *item_node(const json_t *fields, const json_t *item, size_t index)
{
    const char *key, *name;
    json_t *node, *value;
    json_object_foreach((json_t *)fields, key, node) {
        if (strncmp(key, "i:", 2) == 0 && strtoul(key + 2, NULL, 10) == index)
            return node;
        if (strncmp(key, "k:", 2) != 0 && strncmp(key, "v:", 2) != 0)
            continue;
        json_t *keys = json_loads(key + 2, JSON_DECODE_ANY, NULL);
        bool same = keys != NULL && (*key == 'k' || json_equal(keys, (json_t *)item));
        if (same && *key == 'k')
            json_object_foreach(keys, name, value) {
                json_t *has = json_object_get(item, name);
                same &= has && json_equal(has, value);
            }
        json_decref(keys);
        if (same)
            return node;
    }
    return NULL;
}

static bool owns(const json_t *fields, const json_t *value, const json_t *path)
{
    size_t i;
    json_t *step;
    json_array_foreach((json_t *)path, i, step) {
        if (json_object_size(fields) == 0)
            return i > 0; /* it has the whole */
        if (json_is_string(step)) {
            char *key = xasprintf("f:%s", json_string_value(step));
            fields = json_object_get(fields, key);
            value = json_object_get(value, json_string_value(step));
            free(key);
        } else {
            size_t index = (size_t)json_integer_value(step);
            value = json_array_get(value, index);
            fields = item_node(fields, value, index);
        }
        if (!fields)
            return false;
    }
    return true;
}

const json_t *drift_manager(const json_t *live, const json_t *after, const json_t *path)
{
    const json_t *managers = json_object_get(json_object_get(live, "metadata"), "managedFields");
    const json_t *found = NULL;
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)managers, i, entry) {
        const json_t *fields = json_object_get(entry, "fieldsV1");
        if ((owns(fields, after, path) || owns(fields, live, path)) &&
            (!found || strcmp(object_text(entry, "time"), object_text(found, "time")) >= 0))
            found = entry;
    }
    return found;
}

/* ---- words ---- */

static void add_value(struct buf *out, const json_t *value)
{
    char *text = json_is_string(value) ? xstrdup(json_string_value(value))
                                       : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    size_t length = strlen(text);
    if (length > VALUE_SHOWN) {
        length = VALUE_SHOWN;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
        buf_add(out, text, length);
        buf_adds(out, "…");
    } else {
        buf_adds(out, *text ? text : "\"\"");
    }
    free(text);
}

/* "spec.replicas is 5, the profile says 3". */
static void add_change(struct buf *out, const json_t *change, bool secret)
{
    const json_t *before = json_object_get(change, "before"),
                 *after = json_object_get(change, "after");
    char *path = path_format(json_object_get(change, "path"));
    buf_addf(out, "%s", path);
    free(path);
    if (json_object_get(change, "order")) {
        buf_adds(out, " stands in another order");
    } else if (secret && before && after) {
        buf_adds(out, " is another value than the profile's");
    } else if (!before) {
        buf_adds(out, " is missing");
        if (!secret) {
            buf_adds(out, ", the profile says ");
            add_value(out, after);
        }
    } else if (!after) {
        buf_adds(out, " is not the profile's");
    } else {
        buf_adds(out, " is ");
        add_value(out, before);
        buf_adds(out, ", the profile says ");
        add_value(out, after);
    }
}

/* "; changed by 'kubectl-edit' 3 min ago": whoever has it but us. */
static bool add_manager(struct buf *out, const json_t *manager)
{
    const char *name = object_text(manager, "manager"), *time = object_text(manager, "time");
    if (!*name || strcmp(name, IDENTITY_MANAGER) == 0)
        return false;
    buf_addf(out, " (by '%s'", name);
    if (*time) {
        char *ago = moment_ago(time);
        buf_addf(out, " %s", ago);
        free(ago);
    }
    buf_adds(out, ")");
    return true;
}

/* ---- findings ---- */

static const char *component_of(const struct plan *plan, const struct work_item *item)
{
    return plan->work->profile->components[item->component].name;
}

static json_t *add_finding(const struct plan *plan, const struct work_item *item,
                           const char *severity, const char *message, json_t *section)
{
    json_t *finding = finding_add(section, severity, "%s", message);
    bool namespaced = !item->collection || strstr(item->collection, "/namespaces/");
    finding_component(finding, component_of(plan, item));
    finding_named(finding, item->api_version, item->kind, namespaced ? item->namespace : "",
                  item->name);
    finding_is_drift(finding);
    return finding;
}

static void tell_refusal(const struct plan *plan, size_t index, const struct drift_options *options,
                         json_t *section)
{
    const struct work_item *item = &plan->work->items[index];
    const struct err *refusal = plan->items[index].refusal;
    if (refusal->kind == ERR_UNREACHABLE) { /* one of a kind tells enough */
        char *words = xasprintf("%s objects can't be compared: ", item->kind);
        if (!strstr(object_text(section, "note"), words))
            section_note(section, "%s%s", words, refusal->message);
        free(words);
        return;
    }
    json_t *finding = add_finding(plan, item, "error", refusal->message, section);
    finding_remedy(finding, "correct the profile, or the object: %s is refused as it is",
                   options->apply);
}

static void tell_missing(const struct plan *plan, size_t index, const struct drift_options *options,
                         json_t *section)
{
    const struct work_item *item = &plan->work->items[index];
    json_t *finding =
        add_finding(plan, item, "error", "it is in the profile and not on the cluster", section);
    const char *origin = plan->work->profile->components[item->component].origin;
    if (origin)
        json_object_set_new(finding, "origin", json_string(origin));
    finding_remedy(finding, "%s", options->apply);
}

static void tell_changes(const struct plan *plan, size_t index, const struct drift_options *options,
                         json_t *section)
{
    const struct work_item *item = &plan->work->items[index];
    const struct survey_item *found = &plan->items[index];
    json_t *changes = plan_changes(plan, options->schemas, index), *change, *path;
    bool secret = strcmp(item->kind, "Secret") == 0, by_other = false;
    struct buf text = BUF_INIT;
    size_t i, count = json_array_size(changes);
    json_array_foreach(changes, i, change) {
        path = json_object_get(change, "path");
        if (i >= FIELDS_SHOWN)
            break;
        buf_adds(&text, i ? "; " : "");
        add_change(&text, change, secret);
        by_other |= add_manager(&text, drift_manager(found->live, found->after, path));
    }
    if (count > FIELDS_SHOWN)
        buf_addf(&text, "; and %zu more field%s", count - FIELDS_SHOWN,
                 count == FIELDS_SHOWN + 1 ? "" : "s");
    if (count == 0)
        buf_adds(&text, "it is not as the profile says");
    json_t *finding =
        add_finding(plan, item, by_other ? "error" : "warning", buf_text(&text), section);
    finding_evidence(finding, "changes", changes);
    path = json_object_get(json_array_get(changes, 0), "path");
    const char *origin = options->origin && path ? options->origin(item, path, options->arg) : NULL;
    if (origin)
        json_object_set_new(finding, "origin", json_string(origin));
    finding_remedy(finding,
                   by_other ? "put it back: %s --force-conflicts; or take it into the "
                              "profile"
                            : "%s",
                   options->apply);
    buf_release(&text);
}

static void tell_leavers(const struct plan *plan, const struct drift_options *options,
                         json_t *section)
{
    for (size_t i = 0; i < plan->leavers_count; i++) {
        const struct member *member = plan->leavers[i].member;
        if (plan->leavers[i].fate != PLAN_DELETE)
            continue;
        json_t *finding = finding_add(section, "warning",
                                      "it has left the profile, and is still "
                                      "on the cluster");
        finding_named(finding, member->api_version, member->kind, member->namespace, member->name);
        finding_is_drift(finding);
        finding_remedy(finding, "%s", options->apply);
    }
}

void drift_look(const struct plan *plan, const struct drift_options *options, json_t *section)
{
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct survey_item *found = &plan->items[i];
        if (found->refusal)
            tell_refusal(plan, i, options, section);
        else if (found->action == SURVEY_CREATE)
            tell_missing(plan, i, options, section);
        else if (found->action != SURVEY_SAME)
            tell_changes(plan, i, options, section);
    }
    tell_leavers(plan, options, section);
}
