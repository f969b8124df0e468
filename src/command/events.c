#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "command/command.h"
#include "command/session.h"
#include "kube/list.h"
#include "kube/watch.h"
#include "object/meta.h"
#include "release/kin.h"
#include "ui/table.h"
#include "ui/terminal.h"

enum { HTTP_FORBIDDEN = 403 };

/* Events that say the same of the same object. */
struct row {
    char *key;
    const char *component;
    char *kind, *namespace, *name, *type, *reason, *message;
    char *first, *last; /* as text */
    long long first_ns, last_ns;
    json_t *counts; /* of each event, by its uid */
    long long count;
};

struct events {
    const struct options *options;
    struct kube_client *client;
    struct kin *kin;
    const char *component; /* NULL: of all */
    struct row *rows;
    size_t count;
    json_t *pending; /* what a watch has brought */
    bool has_pending;
    long long after_ns; /* nothing older than this */
    bool colour;
    struct err err; /* of a watch */
};

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found ? found : "";
}

/* ---- rows ---- */

/* When it was seen last; the text is the event's. */
static const char *last_of(const json_t *event)
{
    const char *const times[] = {
        text(json_object_get(event, "series"), "lastObservedTime"),
        text(event, "lastTimestamp"),
        text(event, "eventTime"),
        meta_text(event, "creationTimestamp"),
    };
    size_t i = 0;
    while (i < 3 && !*times[i])
        i++;
    return times[i];
}

static const char *first_of(const json_t *event)
{
    const char *first = text(event, "firstTimestamp");
    return *first ? first : *text(event, "eventTime") ? text(event, "eventTime") : last_of(event);
}

static long long count_of(const json_t *event)
{
    long long count = json_integer_value(json_object_get(event, "count"));
    long long series =
        json_integer_value(json_object_get(json_object_get(event, "series"), "count"));
    count = series > count ? series : count;
    return count > 0 ? count : 1;
}

static struct row *find_row(struct events *events, const json_t *event, const char *component)
{
    const json_t *object = json_object_get(event, "involvedObject");
    char *key = xasprintf("%s|%s|%s|%s|%s|%s", text(event, "type"), text(object, "namespace"),
                          text(object, "kind"), text(object, "name"), text(event, "reason"),
                          text(event, "message"));
    for (size_t i = 0; i < events->count; i++) {
        if (strcmp(events->rows[i].key, key) == 0) {
            free(key);
            return &events->rows[i];
        }
    }
    events->rows = xrealloc(events->rows, (events->count + 1) * sizeof *events->rows);
    struct row *row = &events->rows[events->count++];
    *row = (struct row){
        .key = key,
        .component = component,
        .kind = xstrdup(text(object, "kind")),
        .namespace = xstrdup(text(object, "namespace")),
        .name = xstrdup(text(object, "name")),
        .type = xstrdup(text(event, "type")),
        .reason = xstrdup(text(event, "reason")),
        .message = xstrdup(text(event, "message")),
        .first = xstrdup(""),
        .last = xstrdup(""),
        .counts = json_object(),
    };
    return row;
}

static void row_release(struct row *row)
{
    char *const texts[] = { row->key,    row->kind,    row->namespace, row->name, row->type,
                            row->reason, row->message, row->first,     row->last };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    json_decref(row->counts);
}

static void replace(char **own, const char *with)
{
    free(*own);
    *own = xstrdup(with);
}

/* Takes an event in. `*changed` is the row that says something new by it, or NULL: it is not of the
 * release, is too old, or was known. Returns 0, or -1 after an interrupt. */
static int take(struct events *events, const json_t *event, const struct row **changed,
                struct err *err)
{
    const char *component;
    long long last = moment_parse(last_of(event), NULL),
              first = moment_parse(first_of(event), NULL);
    *changed = NULL;
    if (last < events->after_ns)
        return 0;
    if (kin_find(events->kin, json_object_get(event, "involvedObject"), &component, err) != 0)
        return -1;
    if (!component || (events->component && strcmp(component, events->component) != 0))
        return 0;
    struct row *row = find_row(events, event, component);
    const char *uid = meta_text(event, "uid");
    long long before = json_integer_value(json_object_get(row->counts, uid));
    if (count_of(event) == before)
        return 0;
    row->count += count_of(event) - before;
    json_object_set_new(row->counts, uid, json_integer(count_of(event)));
    if (!*row->last || last >= row->last_ns) {
        row->last_ns = last;
        replace(&row->last, last_of(event));
    }
    if (!*row->first || first < row->first_ns) {
        row->first_ns = first;
        replace(&row->first, first_of(event));
    }
    *changed = row;
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *one = a, *other = b;
    if (one->last_ns != other->last_ns)
        return one->last_ns < other->last_ns ? -1 : 1;
    return strcmp(one->key, other->key);
}

/* ---- output ---- */

static json_t *row_json(const struct row *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "component",
                     row->component, "kind", row->kind, "namespace", row->namespace, "name",
                     row->name, "type", row->type, "reason", row->reason, "message", row->message,
                     "count", (json_int_t)row->count, "first", row->first, "last", row->last);
}

/* The same; "type" is the stream's word. */
static json_t *row_event(const struct row *row)
{
    json_t *event = row_json(row);
    json_object_del(event, "type");
    json_object_set_new(event, "severity", json_string(row->type));
    return event;
}

/* A line of what was seen when; `widths` of type, object, and reason. */
static void put_row(const struct events *events, const struct row *row, const char *when,
                    const int *widths)
{
    char *object = xasprintf("%s/%s", row->kind, row->name);
    char *reason = row->count > 1 ? xasprintf("%s (%lld times)", row->reason, row->count)
                                  : xstrdup(row->reason);
    char *const cells[] = { table_clean(row->type), table_clean(object), table_clean(reason),
                            table_clean(row->message) };
    bool coloured = events->colour && strcmp(row->type, "Normal") != 0;
    printf("%-*s  %s%-*s%s  %-*s  %-*s  %s\n", widths[0], when, coloured ? "\x1b[33m" : "",
           widths[1], cells[0], coloured ? "\x1b[0m" : "", widths[2], cells[1], widths[3], cells[2],
           cells[3]);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        free(cells[i]);
    free(object);
    free(reason);
}

static int wider(int width, size_t length)
{
    return (int)length > width ? (int)length : width;
}

/* All rows, with headings, the newest last. */
static void put_table(const struct events *events)
{
    int widths[] = { 9, 7, 6, 6 }; /* the headings' own, and Warning */
    char **ago = xcalloc(events->count, sizeof *ago);
    for (size_t i = 0; i < events->count; i++) {
        const struct row *row = &events->rows[i];
        char number[32];
        int extra =
            row->count > 1 ? snprintf(number, sizeof number, " (%lld times)", row->count) : 0;
        ago[i] = moment_ago(row->last);
        widths[0] = wider(widths[0], strlen(ago[i]));
        widths[1] = wider(widths[1], strlen(row->type));
        widths[2] = wider(widths[2], strlen(row->kind) + strlen(row->name) + 1);
        widths[3] = wider(widths[3], strlen(row->reason) + (size_t)extra);
    }
    if (events->count)
        printf("%-*s  %-*s  %-*s  %-*s  MESSAGE\n", widths[0], "LAST SEEN", widths[1], "TYPE",
               widths[2], "OBJECT", widths[3], "REASON");
    for (size_t i = 0; i < events->count; i++) {
        put_row(events, &events->rows[i], ago[i], widths);
        free(ago[i]);
    }
    free(ago);
}

/* One row as it comes. */
static void put_line(const struct events *events, const struct row *row)
{
    static const int widths[] = { 20, 7, 1, 1 };
    if (events->options->feed)
        feed_event(events->options->feed, "event", row_event(row));
    else
        put_row(events, row, row->last, widths);
}

static void put_all(struct events *events)
{
    if (events->count)
        qsort(events->rows, events->count, sizeof *events->rows, compare_rows);
    if (events->options->watch) {
        for (size_t i = 0; i < events->count; i++)
            put_line(events, &events->rows[i]);
    } else if (events->options->output) {
        json_t *list = json_array();
        for (size_t i = 0; i < events->count; i++)
            json_array_append_new(list, row_json(&events->rows[i]));
        json_t *report = json_pack("{s:o}", "events", list);
        json_dumpf(report, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(report);
    } else {
        put_table(events);
    }
}

/* ---- reading ---- */

/* Where the events are: { path: whether a refusal is told }. Those of objects in no namespace are
 * in "default". */
static json_t *find_places(const struct work *work)
{
    json_t *places = json_object();
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        bool namespaced = item->collection && strstr(item->collection, "/namespaces/");
        if (!item->collection || (!namespaced && strcmp(item->kind, "Namespace") == 0))
            continue;
        char *path =
            xasprintf("/api/v1/namespaces/%s/events", namespaced ? item->namespace : "default");
        if (namespaced || !json_object_get(places, path))
            json_object_set_new(places, path, json_boolean(namespaced));
        free(path);
    }
    return places;
}

/* The events of a namespace; false in `*listed` when they may not be read. */
static int read_place(struct events *events, const char *path, bool told, bool *listed,
                      struct err *err)
{
    struct err refusal = ERR_INIT;
    json_t *list = NULL, *event;
    size_t i;
    long status = kube_list(events->client, path, NULL, &list, &refusal);
    *listed = status == 200;
    if (status == HTTP_FORBIDDEN) {
        if (told)
            fprintf(stderr, "no events: %s\n", refusal.message);
        return 0;
    }
    if (status != 200) {
        *err = refusal;
        return -1;
    }
    int result = 0;
    const struct row *unused;
    json_array_foreach(list, i, event) {
        if (result == 0)
            result = take(events, event, &unused, err);
    }
    json_decref(list);
    return result;
}

static void on_event(const json_t *event, bool deleted, void *arg)
{
    struct events *events = arg;
    if (deleted)
        return;
    json_array_append(events->pending, (json_t *)event);
    events->has_pending = true;
}

static void on_failed(const struct err *err, void *arg)
{
    struct events *events = arg;
    events->err = *err;
    events->has_pending = true;
}

/* Tells of what the watches have brought; outside of their callbacks, since it may ask. */
static int tell_pending(struct events *events, struct err *err)
{
    json_t *pending = events->pending, *event;
    size_t i;
    int result = 0;
    events->pending = json_array();
    events->has_pending = false;
    json_array_foreach(pending, i, event) {
        const struct row *changed = NULL;
        if (result == 0)
            result = take(events, event, &changed, err);
        if (changed)
            put_line(events, changed);
    }
    json_decref(pending);
    if (result == 0 && ferror(stdout))
        result = err_set(err, ERR_FAILED, "cannot write to standard output");
    if (result == 0 && events->err.kind != ERR_NONE) {
        *err = events->err;
        result = -1;
    }
    return result;
}

static int watch_places(struct events *events, const json_t *paths, struct err *err)
{
    size_t i, count = json_array_size(paths);
    struct place {
        struct kube_watch *watch;
    } *watched = xcalloc(count + 1, sizeof *watched);
    json_t *path;
    json_array_foreach((json_t *)paths, i, path)
        watched[i].watch = kube_watch_new(events->client, json_string_value(path), NULL, on_event,
                                          on_failed, events);
    int result = count ? 0 : 1;
    while (result == 0) {
        result = kube_run(events->client, &events->has_pending, -1, err);
        if (result == 0)
            result = tell_pending(events, err);
    }
    for (i = 0; i < count; i++)
        kube_watch_free(watched[i].watch);
    free(watched);
    if (result < 0 && err->kind == ERR_INTERRUPTED)
        return err_exit_code(ERR_INTERRUPTED); /* as it is meant to end */
    return result < 0 ? -1 : 0;
}

static int read_all(struct events *events, const struct work *work, struct err *err)
{
    json_t *places = find_places(work), *told, *watched = json_array();
    const char *path;
    int result = 0;
    json_object_foreach(places, path, told) {
        char *namespace = xstrndup(path + strlen("/api/v1/namespaces/"),
                                   strcspn(path + strlen("/api/v1/namespaces/"), "/"));
        bool listed = false;
        if (result == 0 && json_is_true(told))
            result = kin_load(events->kin, namespace, err);
        if (result == 0)
            result = read_place(events, path, json_is_true(told), &listed, err);
        if (listed)
            json_array_append_new(watched, json_string(path));
        free(namespace);
    }
    if (result == 0)
        put_all(events);
    if (result == 0 && events->options->watch)
        result = watch_places(events, watched, err);
    json_decref(places);
    json_decref(watched);
    return result;
}

static int check_component(const struct profile *profile, const char *component, struct err *err)
{
    for (size_t i = 0; i < profile->count; i++)
        if (!component || strcmp(profile->components[i].name, component) == 0)
            return 0;
    return component
               ? err_set(err, ERR_USAGE, "'%s' has no component '%s'", profile->name, component)
               : 0;
}

int command_events(const struct options *options, struct err *err)
{
    struct session session;
    if (session_open_any(&session, options, err) != 0)
        return -1;
    struct events events = {
        .options = options,
        .client = session.client,
        .kin = kin_new(session.client, &session.work),
        .component = options->words_count ? options->words[0] : NULL,
        .pending = json_array(),
        .colour = terminal_colour(stdout),
        .err = ERR_INIT,
    };
    if (options->since_ms)
        events.after_ns = (kube_time_ms(session.client) - options->since_ms) * 1000000;
    if (options->watch)
        setvbuf(stdout, NULL, _IOLBF, 0);
    int result = check_component(&session.profile, events.component, err);
    if (result == 0)
        result = read_all(&events, &session.work, err);
    if (result == 0 && fflush(stdout) != 0)
        result = err_set(err, ERR_FAILED, "cannot write to standard output");
    for (size_t i = 0; i < events.count; i++)
        row_release(&events.rows[i]);
    free(events.rows);
    json_decref(events.pending);
    kin_free(events.kin);
    session_close(&session);
    return result;
}
