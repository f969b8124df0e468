#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/moment.h"
#include "command/command.h"
#include "command/readiness.h"
#include "command/session.h"
#include "release/status.h"
#include "rollout/follow.h"
#include "ui/terminal.h"

enum { LINE_MS = 1000 }; /* between two lines on one object */

static void print_table(const struct work *work, const struct status_row *rows)
{
    bool colour = terminal_colour(stdout);
    int names = 9, labels = 6; /* the headings' own widths */
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        int name = (int)strlen(work->profile->components[item->component].name);
        int label = (int)(strlen(item->kind) + strlen(item->name)) + 1;
        names = name > names ? name : names;
        labels = label > labels ? label : labels;
    }
    printf("%-*s  %-*s  %-7s  %s\n", names, "COMPONENT", labels, "OBJECT", "STATE", "READY");
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        const struct verdict *verdict = &rows[i].verdict;
        const char *word = status_word(&rows[i]), *on = "", *off = "";
        if (colour) {
            on = strcmp(word, "ready") == 0 ? "\x1b[32m" : "\x1b[31m";
            off = "\x1b[0m";
        }
        char count[48] = "", *label = xasprintf("%s/%s", item->kind, item->name);
        if (rows[i].exists && verdict->wanted > 0)
            snprintf(count, sizeof count, "%d/%d", verdict->ready, verdict->wanted);
        const char *message = rows[i].exists ? verdict->message : "";
        printf("%-*s  %-*s  %s%-7s%s", names, work->profile->components[item->component].name,
               labels, label, on, word, off);
        if (*count || *message)
            printf("  %s%s%s", count, *count && *message ? "  " : "", message);
        putchar('\n');
        free(label);
    }
}

static json_t *row_json(const struct work *work, size_t index, const struct status_row *row)
{
    const struct work_item *item = &work->items[index];
    const struct verdict *verdict = &row->verdict;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "component",
                     work->profile->components[item->component].name, "kind", item->kind,
                     "namespace", item->namespace, "name", item->name, "state", status_word(row),
                     "ready", verdict->ready, "wanted", verdict->wanted, "message",
                     verdict->message);
}

static void print_json(const struct work *work, const struct status_row *rows, bool ready)
{
    json_t *objects = json_array();
    for (size_t i = 0; i < work->count; i++)
        json_array_append_new(objects, row_json(work, i, &rows[i]));
    json_t *report =
        json_pack("{s:s, s:s, s:b, s:o}", "profile", work->profile->name, "environment",
                  work->profile->environment, "ready", (int)ready, "objects", objects);
    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(report);
}

/* For programs that read on. */
static void print_events(struct feed *stream, const struct work *work,
                         const struct status_row *rows)
{
    for (size_t i = 0; i < work->count; i++)
        feed_event(stream, "object", row_json(work, i, &rows[i]));
}

struct asking {
    struct readiness readiness;
    const struct work *work;
};

static bool ask_scripts(const struct work_item *item, const json_t *object, struct verdict *verdict,
                        void *arg)
{
    const struct asking *asking = arg;
    return readiness_of(&asking->readiness, item, object, verdict);
}

/* ---- watching ---- */

struct watched {
    size_t index; /* of the row */
    struct status_row shown;
    long long shown_at; /* clock_ms(); 0: not since the first table */
};

struct watching {
    const struct options *options;
    const struct work *work;
    struct status_row *rows;
    struct watched *watched;
    size_t count;
    struct asking *asking;
    bool changed;
    bool in_place;
    struct err err;
};

static bool is_same(const struct status_row *a, const struct status_row *b)
{
    const struct verdict *one = &a->verdict, *other = &b->verdict;
    return a->exists == b->exists &&
           (!a->exists ||
            (one->state == other->state && one->ready == other->ready &&
             one->wanted == other->wanted && strcmp(one->message, other->message) == 0));
}

static void on_changed(size_t index, const json_t *object, const struct verdict *verdict, void *arg)
{
    struct watching *watching = arg;
    watching->rows[watching->watched[index].index] =
        (struct status_row){ .exists = object != NULL, .verdict = *verdict };
    watching->changed = true;
}

static void on_failed(const struct err *err, void *arg)
{
    struct watching *watching = arg;
    watching->err = *err;
    watching->changed = true;
}

static bool ask_own(size_t index, const json_t *object, struct verdict *verdict, void *arg)
{
    const struct watching *watching = arg;
    return ask_scripts(&watching->work->items[watching->watched[index].index], object, verdict,
                       watching->asking);
}

static void print_line(const struct watching *watching, size_t index)
{
    const struct work *work = watching->work;
    const struct work_item *item = &work->items[index];
    const struct status_row *row = &watching->rows[index];
    const struct verdict *verdict = &row->verdict;
    if (watching->options->feed) {
        feed_event(watching->options->feed, "object", row_json(work, index, row));
        return;
    }
    char *now = moment_now();
    printf("%s  %s  %s/%s  %s", now, work->profile->components[item->component].name, item->kind,
           item->name, status_word(row));
    if (row->exists && verdict->wanted > 0)
        printf("  %d/%d", verdict->ready, verdict->wanted);
    if (row->exists && *verdict->message)
        printf("  %s", verdict->message);
    putchar('\n');
    free(now);
}

/* Prints what has changed, of an object at most every second. Returns the milliseconds until there
 * is more to print, or until pods are to be judged again. */
static long print_changes(struct watching *watching)
{
    long long now = clock_ms();
    bool any = false;
    for (size_t i = 0; i < watching->count; i++) {
        struct watched *watched = &watching->watched[i];
        const struct status_row *row = &watching->rows[watched->index];
        if (is_same(row, &watched->shown) || now - watched->shown_at < LINE_MS)
            continue;
        watched->shown = *row;
        watched->shown_at = now;
        any = true;
        if (!watching->in_place)
            print_line(watching, watched->index);
    }
    if (any && watching->in_place) {
        fputs("\x1b[H\x1b[2J", stdout); /* the whole screen anew */
        print_table(watching->work, watching->rows);
    }
    fflush(stdout);
    return LINE_MS;
}

/* Goes on after the first table until it is interrupted. */
static int watch(struct watching *watching, struct kube_client *client, struct err *err)
{
    const struct follow_hooks hooks = { on_changed, on_failed, ask_own, watching };
    const struct work *work = watching->work;
    struct follow *follow = follow_new(client, &hooks);
    watching->watched = xcalloc(work->count + 1, sizeof *watching->watched);
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        watching->watched[watching->count++] =
            (struct watched){ .index = i, .shown = watching->rows[i], .shown_at = -LINE_MS };
        follow_add(follow, item->collection, item->name, work_crd_of(work, item) != NULL);
    }
    follow_start(follow);
    int result = 0;
    while (result >= 0 && watching->err.kind == ERR_NONE && !ferror(stdout)) {
        watching->changed = false;
        result = kube_idle(client, -1, &watching->changed, print_changes(watching), err);
        follow_tick(follow);
    }
    follow_free(follow);
    free(watching->watched);
    if (watching->err.kind != ERR_NONE) {
        *err = watching->err;
        return -1;
    }
    if (result >= 0)
        return err_set(err, ERR_FAILED, "cannot write to standard output");
    return err->kind == ERR_INTERRUPTED ? err_exit_code(err->kind) : -1; /* as it is meant to end */
}

int command_status(const struct options *options, struct err *err)
{
    struct health *health = NULL;
    struct session session;
    if (options->files_count && options->watch)
        return err_set(err, ERR_USAGE, "-f has nothing to --watch: files don't change");
    if (options->files_count)
        return command_status_files(options, err);
    if (options->health_dir) {
        health = health_open(options->health_dir, &options->script.limits, err);
        if (!health)
            return -1;
    }
    if (session_open_any(&session, options, err) != 0) {
        health_close(health);
        return -1;
    }
    const struct work *work = &session.work;
    struct status_row *rows = xcalloc(work->count, sizeof *rows);
    struct asking asking = { { session.script, health }, work };
    int result = status_run(session.client, work, ask_scripts, &asking, rows, err);
    if (result == 0) {
        bool ready = true;
        for (size_t i = 0; i < work->count; i++)
            ready &= rows[i].exists && rows[i].verdict.state == VERDICT_CURRENT;
        if (options->output && options->watch)
            print_events(options->feed, work, rows);
        else if (options->output)
            print_json(work, rows, ready);
        else
            print_table(work, rows);
        fflush(stdout);
        result = ready ? 0 : 1;
        struct watching watching = { .options = options,
                                     .work = work,
                                     .rows = rows,
                                     .asking = &asking,
                                     .in_place = !options->output && terminal_in_place(stdout),
                                     .err = ERR_INIT };
        if (options->watch)
            work_resolve_brought(&session.work);
        if (options->watch)
            result = watch(&watching, session.client, err);
    }
    free(rows);
    session_close(&session);
    health_close(health);
    return result;
}
