#include "command/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/hooks.h"
#include "object/diff.h"
#include "object/path.h"
#include "release/task.h"
#include "ui/changes.h"
#include "ui/terminal.h"

enum { PATHS_SHOWN = 3 };

static const struct {
    const char *sign, *colour;
} signs[] = {
    [SURVEY_SAME] = { " ", "" },           [SURVEY_CREATE] = { "+", "\x1b[32m" },
    [SURVEY_CHANGE] = { "~", "\x1b[33m" }, [SURVEY_REPLACE] = { "!", "\x1b[31m" },
    [SURVEY_GROW] = { "^", "\x1b[33m" },
};

/* ": spec.replicas, spec.template.spec.containers[0].image (and 2 more)". */
static void add_paths(struct buf *out, const json_t *changes)
{
    size_t i, count = json_array_size(changes);
    json_t *change;
    json_array_foreach(changes, i, change) {
        if (i == PATHS_SHOWN)
            break;
        char *path = path_format(json_object_get(change, "path"));
        buf_addf(out, "%s%s", i ? ", " : ": ", *path ? path : "all of it");
        free(path);
    }
    if (count > PATHS_SHOWN)
        buf_addf(out, " (and %zu more)", count - PATHS_SHOWN);
}

static void add_claims(struct buf *out, const json_t *claims)
{
    json_t *claim;
    size_t i;
    json_array_foreach(claims, i, claim)
        buf_addf(out, "%s%s %s -> %s", i ? ", " : "; claims grow, pods stay: ",
                 json_string_value(json_object_get(claim, "name")),
                 json_string_value(json_object_get(claim, "from")),
                 json_string_value(json_object_get(claim, "to")));
}

static void describe_item(struct buf *out, const struct session *session, const struct plan *plan,
                          size_t index)
{
    const struct survey_item *found = &plan->items[index];
    char *label = work_item_label(&plan->work->items[index]);
    json_t *changes = plan_changes(plan, session->schemas, index);
    buf_adds(out, label);
    add_paths(out, changes);
    if (found->action == SURVEY_REPLACE)
        buf_addf(out, "; deleted and made anew%s",
                 task_is(plan->work->items[index].object)
                     ? ""
                     : ", for a field that changes is immutable");
    if (found->action == SURVEY_GROW)
        add_claims(out, found->claims);
    json_decref(changes);
    free(label);
}

static void print_notes(FILE *out, const json_t *notes, int indent)
{
    json_t *note;
    size_t i;
    json_array_foreach(notes, i, note)
        fprintf(out, "%*s%s\n", indent, "", json_string_value(note));
}

/* "ConfigMap shop/old". The caller's. */
static char *member_label(const struct member *member)
{
    return xasprintf("%s %s%s%s", member->kind, member->namespace, *member->namespace ? "/" : "",
                     member->name);
}

/* "has left the profile", and what holds it. The caller's. */
static char *leaver_words(const struct plan_leaver *leaver)
{
    if (leaver->fate == PLAN_IN_USE)
        return xstrdup("earlier content that a workload still refers to; it is kept");
    return xasprintf("has left the profile%s%s", leaver->fate == PLAN_KEEP ? "; it is kept: " : "",
                     leaver->fate == PLAN_KEEP && leaver->why ? leaver->why : "");
}

static void print_leavers(FILE *out, const struct plan *plan, int width, bool colour)
{
    for (size_t i = 0; i < plan->leavers_count; i++) {
        const struct plan_leaver *leaver = &plan->leavers[i];
        if (leaver->fate == PLAN_IN_USE)
            continue; /* nothing that anybody has to know at each apply */
        bool deletes = leaver->fate == PLAN_DELETE;
        char *label = member_label(leaver->member), *words = leaver_words(leaver);
        fprintf(out, "  %-*s  %s%s%s %s: %s\n", width, "", deletes && colour ? "\x1b[31m" : "",
                deletes ? "-" : "=", deletes && colour ? "\x1b[0m" : "", label, words);
        free(words);
        free(label);
    }
}

static int name_width(const struct plan *plan)
{
    int width = 0;
    for (size_t i = 0; i < plan->work->profile->count; i++) {
        int length = (int)strlen(plan->work->profile->components[i].name);
        width = length > width ? length : width;
    }
    return width;
}

char *show_counts(const struct plan_counts *counts)
{
    const struct {
        size_t count;
        const char *words;
    } parts[] = {
        { counts->create, "to create" },   { counts->change, "to change" },
        { counts->replace, "to replace" }, { counts->grow, "to grow" },
        { counts->delete, "to delete" },
    };
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].count)
            buf_addf(&text, "%s%zu %s", text.len ? ", " : "", parts[i].count, parts[i].words);
    if (!text.len)
        buf_adds(&text, "nothing to change");
    buf_addf(&text, "; %zu unchanged", counts->same);
    return buf_detach(&text);
}

void show_summary(FILE *out, const struct session *session, const struct plan *plan)
{
    bool colour = terminal_colour(out);
    int width = name_width(plan);
    size_t last = (size_t)-1;
    struct plan_counts counts;
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct work_item *item = &plan->work->items[i];
        const struct survey_item *found = &plan->items[i];
        struct buf words = BUF_INIT;
        if (found->action == SURVEY_SAME && json_array_size(found->notes) == 0)
            continue;
        const char *name = plan->work->profile->components[item->component].name;
        describe_item(&words, session, plan, i);
        fprintf(out, "  %-*s  %s%s%s %s\n", width, item->component == last ? "" : name,
                colour ? signs[found->action].colour : "", signs[found->action].sign,
                colour ? "\x1b[0m" : "", buf_text(&words));
        print_notes(out, found->notes, width + 6);
        last = item->component;
        buf_release(&words);
    }
    print_leavers(out, plan, width, colour);
    plan_count(plan, &counts);
    char *sum = show_counts(&counts);
    fprintf(out, "%s\n", sum);
    free(sum);
    show_hooks(out, session, plan);
}

void show_hooks(FILE *out, const struct session *session, const struct plan *plan)
{
    bool none = session->options->no_hooks || plan_is_empty(plan);
    char *names = none ? NULL : hooks_names(session->profile.source);
    if (names)
        fprintf(out, "hooks: %s\n", names);
    free(names);
}

/* ---- in full ---- */

struct origins {
    struct session *session;
    const struct work_item *item;
    const json_t *after; /* the object that paths are of */
    bool once;           /* a line is told where it begins only: all of the object is new */
    char *last;
};

/* The index of the element of a list in the profile that a live element is: by its name. */
static size_t own_index(const json_t *own, const json_t *element, size_t index)
{
    const char *name = json_string_value(json_object_get(element, "name"));
    json_t *other;
    size_t i;
    json_array_foreach(own, i, other) {
        const char *its = json_string_value(json_object_get(other, "name"));
        if (name && its && strcmp(name, its) == 0)
            return i;
    }
    return index;
}

/* The same place in the profile's object: a server may have put elements between. */
static json_t *own_path(const struct origins *origins, const json_t *path)
{
    json_t *translated = json_array(), *step;
    const json_t *own = origins->item->object, *live = origins->after;
    size_t i;
    json_array_foreach(path, i, step) {
        if (json_is_string(step)) {
            live = json_object_get(live, json_string_value(step));
            own = json_object_get(own, json_string_value(step));
            json_array_append(translated, step);
        } else {
            size_t index = (size_t)json_integer_value(step);
            live = json_array_get(live, index);
            index = own_index(own, live, index);
            own = json_array_get(own, index);
            json_array_append_new(translated, json_integer((json_int_t)index));
        }
        if (!own) {
            json_decref(translated);
            return NULL;
        }
    }
    return translated;
}

static const char *origin_of(const json_t *path, void *arg)
{
    struct origins *origins = arg;
    json_t *own = own_path(origins, path);
    if (!own)
        return NULL;
    const char *origin = session_origin(origins->item, own, origins->session);
    json_decref(own);
    if (!origin || !origins->once)
        return origin;
    bool again = origins->last && strcmp(origins->last, origin) == 0;
    free(origins->last);
    origins->last = xstrdup(origin);
    return again ? NULL : origin;
}

/* The change of an item, below its head. */
static void show_diff(FILE *out, struct session *session, const struct plan *plan, size_t index,
                      bool colour)
{
    const struct survey_item *found = &plan->items[index];
    const struct work_item *item = &plan->work->items[index];
    /* What is new is shown as the profile says it, without what the server adds. */
    bool is_new = found->action == SURVEY_CREATE || !found->after;
    json_t *before = found->live ? diff_cleaned(found->live) : NULL;
    json_t *after = diff_cleaned(is_new ? item->object : found->after);
    struct origins origins = { session, item, after, is_new, NULL };
    struct changes_style style = { .colour = colour, .origin = origin_of, .arg = &origins };
    changes_print(out, session->schemas, before, after, &style);
    free(origins.last);
    json_decref(before);
    json_decref(after);
}

/* "Deployment shop/web (deleted and made anew)". The caller's. */
static char *item_head(const struct plan *plan, size_t index)
{
    const struct survey_item *found = &plan->items[index];
    struct buf words = BUF_INIT;
    char *label = work_item_label(&plan->work->items[index]);
    buf_adds(&words, label);
    if (found->action == SURVEY_GROW)
        add_claims(&words, found->claims);
    if (found->action == SURVEY_REPLACE)
        buf_adds(&words, " (deleted and made anew)");
    free(label);
    return buf_detach(&words);
}

static void show_item(FILE *out, struct session *session, const struct plan *plan, size_t index)
{
    const struct survey_item *found = &plan->items[index];
    bool colour = terminal_colour(out);
    char *head = item_head(plan, index);
    fprintf(out, "%s%s%s %s\n", colour ? signs[found->action].colour : "",
            signs[found->action].sign, colour ? "\x1b[0m" : "", head);
    print_notes(out, found->notes, 4);
    show_diff(out, session, plan, index, colour);
    free(head);
}

/* What goes with something that has left, below its head. */
static void show_leaver_diff(FILE *out, struct session *session, const struct plan_leaver *leaver,
                             bool colour)
{
    struct changes_style style = { .colour = colour };
    if (leaver->fate != PLAN_DELETE)
        return;
    json_t *before = diff_cleaned(leaver->member->object);
    changes_print(out, session->schemas, before, NULL, &style);
    json_decref(before);
}

static void show_leaver(FILE *out, struct session *session, const struct plan_leaver *leaver)
{
    if (leaver->fate == PLAN_IN_USE)
        return;
    char *label = member_label(leaver->member), *words = leaver_words(leaver);
    fprintf(out, "%s %s: %s\n", leaver->fate == PLAN_DELETE ? "-" : "=", label, words);
    show_leaver_diff(out, session, leaver, terminal_colour(out));
    free(words);
    free(label);
}

void show_changes(FILE *out, struct session *session, const struct plan *plan)
{
    size_t last = (size_t)-1;
    bool colour = terminal_colour(out);
    const char *on = colour ? "\x1b[1m" : "", *off = colour ? "\x1b[0m" : "";
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct work_item *item = &plan->work->items[i];
        if (plan->items[i].action == SURVEY_SAME && json_array_size(plan->items[i].notes) == 0)
            continue;
        const struct component *component = &plan->work->profile->components[item->component];
        if (item->component != last)
            fprintf(out, "%s%s%s (%s)\n", on, component->name, off, component->origin);
        last = item->component;
        show_item(out, session, plan, i);
    }
    for (size_t i = 0; i < plan->leavers_count; i++)
        show_leaver(out, session, &plan->leavers[i]);
}

void show_refusals(FILE *out, const struct plan *plan)
{
    bool first = true;
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct err *refusal = plan->items[i].refusal;
        if (refusal && !first)
            fprintf(out, "bkdeploy: %s\n", refusal->message);
        first = first && !refusal;
    }
}

/* ---- as values ---- */

static void set_diff(json_t *entry, FILE *out, char **text, size_t *length)
{
    if (!out)
        return;
    fclose(out);
    json_object_set_new(entry, "text", json_stringn(*text, *length));
    free(*text);
}

json_t *show_changes_json(struct session *session, const struct plan *plan)
{
    json_t *list = json_array();
    char *text;
    size_t length;
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct survey_item *found = &plan->items[i];
        const struct work_item *item = &plan->work->items[i];
        const struct component *component = &plan->work->profile->components[item->component];
        if (found->action == SURVEY_SAME && json_array_size(found->notes) == 0)
            continue;
        char *head = item_head(plan, i);
        json_t *entry =
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:O?}", "component", component->name, "origin",
                      component->origin, "object", head, "action", plan_action_name(found->action),
                      "sign", signs[found->action].sign, "notes", found->notes);
        FILE *out = open_memstream(&text, &length);
        if (out)
            show_diff(out, session, plan, i, false);
        set_diff(entry, out, &text, &length);
        json_array_append_new(list, entry);
        free(head);
    }
    for (size_t i = 0; i < plan->leavers_count; i++) {
        const struct plan_leaver *leaver = &plan->leavers[i];
        bool goes = leaver->fate == PLAN_DELETE;
        if (leaver->fate == PLAN_IN_USE)
            continue;
        char *label = member_label(leaver->member), *words = leaver_words(leaver);
        json_t *entry =
            json_pack("{s:s, s:s, s:s, s:[s]}", "object", label, "action", goes ? "delete" : "keep",
                      "sign", goes ? "-" : "=", "notes", words);
        FILE *out = open_memstream(&text, &length);
        if (out)
            show_leaver_diff(out, session, leaver, false);
        set_diff(entry, out, &text, &length);
        json_array_append_new(list, entry);
        free(words);
        free(label);
    }
    return list;
}

json_t *show_counts_json(const struct plan_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "create", (json_int_t)counts->create,
                     "change", (json_int_t)counts->change, "replace", (json_int_t)counts->replace,
                     "grow", (json_int_t)counts->grow, "delete", (json_int_t)counts->delete, "keep",
                     (json_int_t)counts->keep, "unchanged", (json_int_t)counts->same);
}

/* Gives each change of an object the line of the profile that made it. */
static void add_origins(struct session *session, const struct plan *plan, size_t index,
                        json_t *step)
{
    struct origins origins = { .session = session,
                               .item = &plan->work->items[index],
                               .after = plan->items[index].after };
    json_t *change;
    size_t i;
    json_array_foreach(json_object_get(step, "changes"), i, change) {
        const char *origin = origin_of(json_object_get(change, "path"), &origins);
        if (origin)
            json_object_set_new(change, "origin", json_string(origin));
    }
}

json_t *show_steps(struct session *session, const struct plan *plan)
{
    json_t *steps = plan_steps(plan, session->schemas), *step;
    struct plan_counts counts;
    for (size_t i = json_array_size(steps); i-- > 0;) {
        step = json_array_get(steps, i);
        json_object_del(step, "changes");
        if (strcmp(json_string_value(json_object_get(step, "action")), "none") == 0)
            json_array_remove(steps, i);
    }
    plan_count(plan, &counts);
    return json_pack("{s:o, s:o}", "counts", show_counts_json(&counts), "objects", steps);
}

json_t *show_gone(const struct member *member, enum prune_fate fate)
{
    static const char *const words[] = {
        [PRUNE_DELETED] = "deleted", [PRUNE_ABSENT] = "gone", [PRUNE_REPLACED] = "left"
    };
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "apiVersion", member->api_version, "kind",
                     member->kind, "namespace", member->namespace, "name", member->name, "outcome",
                     words[fate]);
}

void show_json(struct session *session, const struct plan *plan)
{
    json_t *steps = plan_steps(plan, session->schemas), *step;
    struct plan_counts counts;
    for (size_t i = 0; i < plan->work->count; i++)
        add_origins(session, plan, i, json_array_get(steps, i));
    for (size_t i = json_array_size(steps); i-- > 0;) {
        step = json_array_get(steps, i);
        if (strcmp(json_string_value(json_object_get(step, "action")), "none") == 0 &&
            json_array_size(json_object_get(step, "notes")) == 0)
            json_array_remove(steps, i);
    }
    plan_count(plan, &counts);
    json_t *report =
        json_pack("{s:s, s:s, s:s, s:o, s:o}", "release", session->identity.name, "environment",
                  session->profile.environment, "namespace", session->identity.namespace, "counts",
                  show_counts_json(&counts), "objects", steps);
    json_t *hooks = json_object_get(session->profile.source, "hooks");
    if (hooks)
        json_object_set(report, "hooks", hooks);
    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(report);
}
