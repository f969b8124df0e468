#include "release/conflict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "object/fields.h"
#include "object/meta.h"
#include "object/path.h"

/* What is said of the manager:
 *   conflict with "kubectl" with subresource "scale" using apps/v1 at 2026-11-24T10:02:11Z
 * The version stands there when it has updated, not when it has applied. */

/* A string of Go's %q behind `before`, "" when it is not there; `*at` moves behind it. */
static char *take_quoted(const char **at, const char *before)
{
    const char *start = strstr(*at, before);
    if (!start)
        return xstrdup("");
    struct buf name = BUF_INIT;
    const char *c = start + strlen(before);
    while (*c && *c != '"') {
        if (*c == '\\' && c[1])
            c++;
        buf_add(&name, c++, 1);
    }
    *at = *c ? c + 1 : c;
    return buf_detach(&name);
}

static void read_manager(struct conflict *conflict, const char *message)
{
    const char *at = message, *time;
    conflict->manager = take_quoted(&at, "conflict with \"");
    conflict->subresource = take_quoted(&at, " with subresource \"");
    conflict->operation = xstrdup(strncmp(at, " using ", 7) == 0 ? "Update" : "Apply");
    time = strstr(at, " at ");
    conflict->since = xstrdup(time ? time + 4 : "");
}

static bool is_entry(const json_t *entry, const struct conflict *conflict)
{
    return strcmp(object_text(entry, "manager"), conflict->manager) == 0 &&
           strcmp(object_text(entry, "operation"), conflict->operation) == 0 &&
           strcmp(object_text(entry, "subresource"), conflict->subresource) == 0;
}

/* Since when: managedFields tell when the manager last wrote what it owns. */
static void find_since(struct conflict *conflict, const json_t *live)
{
    const json_t *entries = json_object_get(json_object_get(live, "metadata"), "managedFields"),
                 *best = NULL;
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        if (!is_entry(entry, conflict))
            continue;
        if (fields_contain(json_object_get(entry, "fieldsV1"), conflict->field_path)) {
            best = entry;
            break;
        }
        best = best ? best : entry;
    }
    const char *since = object_text(best, "time");
    if (*since) {
        free(conflict->since);
        conflict->since = xstrdup(since);
    }
}

static bool is_path(const json_t *path, size_t index, const char *element)
{
    const char *own = json_string_value(json_array_get(path, index));
    return own && strcmp(own, element) == 0;
}

/* Values of a Secret; an annotation may hold them, too, as kubectl's does. */
static bool is_secret(const char *kind, const json_t *path)
{
    return strcmp(kind, "Secret") == 0 &&
           (is_path(path, 0, "f:data") || is_path(path, 0, "f:stringData") ||
            (is_path(path, 0, "f:metadata") && is_path(path, 1, "f:annotations")));
}

/* Policy. */

/* `*` stands for any text, and nothing else is special; with `part`, what fits may go on with an
 * element of a path. */
static bool fits(const char *pattern, const char *text, bool part)
{
    const char *star = NULL, *again = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = pattern++;
            again = text;
        } else if (!*pattern && (!*text || (part && (*text == '.' || *text == '[')))) {
            return true;
        } else if (*pattern && *pattern == *text) {
            pattern++;
            text++;
        } else if (star && *again) {
            pattern = star + 1;
            text = ++again;
        } else {
            return false;
        }
    }
}

static bool rule_fits(const json_t *rule, const char *key, const char *text, bool part)
{
    const char *pattern = json_string_value(json_object_get(rule, key));
    return !pattern || fits(pattern, text, part);
}

/* By its names (containers[web]), by its indexes (containers[0]), or as the API server writes it.
 */
static bool field_fits(const json_t *rule, const struct conflict *conflict, const char *written)
{
    char *place = conflict->path ? path_format(conflict->path) : xstrdup("");
    bool fit = rule_fits(rule, "field", conflict->field, true) ||
               (*place && rule_fits(rule, "field", place, true)) ||
               rule_fits(rule, "field", written + (*written == '.'), true);
    free(place);
    return fit;
}

static bool is_bundle(const char *kind, const char *field)
{
    size_t length = strlen(field), end = strlen("caBundle");
    if (length < end || strcmp(field + length - end, "caBundle") != 0)
        return false;
    return strcmp(kind, "ValidatingWebhookConfiguration") == 0 ||
           strcmp(kind, "MutatingWebhookConfiguration") == 0 ||
           strcmp(kind, "CustomResourceDefinition") == 0 || strcmp(kind, "APIService") == 0;
}

static bool is_scaled(const struct conflict *conflict, bool has_autoscaler)
{
    return strcmp(conflict->field, "spec.replicas") == 0 &&
           (has_autoscaler || (strcmp(conflict->manager, "kube-controller-manager") == 0 &&
                               strcmp(conflict->subresource, "scale") == 0));
}

static void decide(struct conflict *conflict, const struct conflict_policy *policy,
                   const char *kind, const char *written)
{
    static const char *const words[] = { "stop", "take", "yield" };
    size_t i;
    json_t *rule;
    json_array_foreach(policy->rules, i, rule) {
        if (!rule_fits(rule, "kind", kind, false) ||
            !rule_fits(rule, "manager", conflict->manager, false) ||
            !field_fits(rule, conflict, written))
            continue;
        const char *origin = object_text(rule, "origin"), *action = object_text(rule, "action");
        for (int k = CONFLICT_STOP; k <= CONFLICT_YIELD; k++)
            if (strcmp(action, words[k]) == 0)
                conflict->action = (enum conflict_action)k;
        conflict->why = *origin ? xasprintf("the profile says so (%s)", origin)
                                : xstrdup("the profile says so");
        return;
    }
    conflict->action = CONFLICT_YIELD;
    if (policy->force) {
        conflict->action = CONFLICT_TAKE;
        conflict->why = xstrdup("--force-conflicts");
    } else if (is_scaled(conflict, policy->has_autoscaler)) {
        conflict->why = xstrdup("an autoscaler sets it");
    } else if (is_bundle(kind, conflict->field)) {
        conflict->why = xstrdup("certificates are put in by another");
    } else {
        conflict->action = CONFLICT_STOP;
        conflict->why = xstrdup("nothing says whose it is to be");
    }
}

static void read_one(struct conflict *conflict, const json_t *cause, const json_t *live,
                     const json_t *desired, const struct conflict_policy *policy)
{
    struct err ignored = ERR_INIT;
    const char *written = object_text(cause, "field"), *kind = object_text(desired, "kind");
    read_manager(conflict, object_text(cause, "message"));
    conflict->field_path = fields_parse_path(written, desired, &ignored);
    if (conflict->field_path) {
        conflict->field = fields_format_path(conflict->field_path);
        conflict->path = fields_path_in(desired, conflict->field_path);
        conflict->secret = is_secret(kind, conflict->field_path);
        find_since(conflict, live);
    } else { /* a form of later API servers: it can be told and taken, not yielded */
        conflict->field = xstrdup(written);
        conflict->secret = strcmp(kind, "Secret") == 0;
    }
    if (conflict->path && !conflict->secret) {
        conflict->ours = fields_value_in(desired, conflict->field_path);
        conflict->theirs = live ? fields_value_in(live, conflict->field_path) : NULL;
    }
    decide(conflict, policy, kind, written);
    if (!conflict->path && conflict->action == CONFLICT_YIELD) {
        conflict->action = CONFLICT_STOP;
        free(conflict->why);
        conflict->why = xstrdup("it can't be left out, as it is not in what the profile says");
    }
}

int conflict_read(const json_t *status, const json_t *live, const json_t *desired,
                  const struct conflict_policy *policy, struct conflict **list, size_t *count)
{
    const json_t *causes = json_object_get(json_object_get(status, "details"), "causes");
    size_t i;
    json_t *cause;
    *list = xcalloc(json_array_size(causes) + 1, sizeof **list);
    *count = 0;
    json_array_foreach(causes, i, cause) {
        if (strcmp(object_text(cause, "reason"), "FieldManagerConflict") == 0)
            read_one(&(*list)[(*count)++], cause, live, desired, policy);
    }
    if (*count > 0)
        return 0;
    free(*list);
    *list = NULL;
    return -1;
}

void conflict_free(struct conflict *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct conflict *conflict = &list[i];
        free(conflict->manager);
        free(conflict->operation);
        free(conflict->subresource);
        free(conflict->field);
        free(conflict->since);
        free(conflict->why);
        json_decref(conflict->field_path);
        json_decref(conflict->path);
        json_decref(conflict->theirs);
        json_decref(conflict->ours);
    }
    free(list);
}

/* Words. */

static void add_ago(struct buf *words, const char *since)
{
    static const struct {
        long seconds;
        const char *unit;
    } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
    struct tm when = { 0 };
    const char *end = strptime(since, "%Y-%m-%dT%H:%M:%S", &when);
    if (!end || !(*end == 'Z' || *end == '.'))
        return;
    long age = (long)(time(NULL) - timegm(&when));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (age >= units[i].seconds) {
            buf_addf(words, " (%ld %s ago)", age / units[i].seconds, units[i].unit);
            return;
        }
    }
}

static void add_value(struct buf *words, const json_t *value)
{
    enum { LONGEST = 100 };
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    size_t length = text ? strlen(text) : 0;
    if (length > LONGEST) {
        length = LONGEST;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--; /* not in the middle of a character */
        buf_add(words, text, length);
        buf_adds(words, "...");
    } else {
        buf_adds(words, text ? text : "?");
    }
    free(text);
}

static void add_values(struct buf *words, const struct conflict *conflict)
{
    if (conflict->secret) {
        buf_adds(words, "; its value differs from the profile's");
        return;
    }
    if (!conflict->theirs && !conflict->ours)
        return;
    buf_adds(words, conflict->theirs ? ": it is " : ": it is not set");
    if (conflict->theirs)
        add_value(words, conflict->theirs);
    buf_adds(words, ", the profile says ");
    if (conflict->ours)
        add_value(words, conflict->ours);
    else
        buf_adds(words, "nothing");
}

void conflict_describe(const struct conflict *conflict, struct buf *words)
{
    buf_addf(words, "%s belongs to '%s' (%s", conflict->field, conflict->manager,
             strcmp(conflict->operation, "Apply") == 0 ? "apply" : "update");
    if (*conflict->subresource)
        buf_addf(words, ", through %s", conflict->subresource);
    buf_adds(words, ")");
    if (*conflict->since) {
        buf_addf(words, " since %s", conflict->since);
        add_ago(words, conflict->since);
    }
    add_values(words, conflict);
}
