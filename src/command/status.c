#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/command.h"
#include "command/session.h"
#include "release/status.h"
#include "ui/progress.h"

static const char *word_of(const struct status_row *row)
{
    if (!row->exists)
        return "missing";
    switch (row->verdict.state) {
    case VERDICT_CURRENT: return "ready";
    case VERDICT_IN_PROGRESS: return "rolling";
    case VERDICT_FAILED: return "failed";
    case VERDICT_GONE: return "missing";
    }
    return "";
}

static void print_table(const struct work *work, const struct status_row *rows)
{
    bool colour = progress_colour(stdout);
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
        const char *word = word_of(&rows[i]), *on = "", *off = "";
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

static void print_json(const struct work *work, const struct status_row *rows, bool ready)
{
    json_t *objects = json_array();
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        const struct verdict *verdict = &rows[i].verdict;
        json_array_append_new(
            objects, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "component",
                               work->profile->components[item->component].name, "kind", item->kind,
                               "namespace", item->namespace, "name", item->name, "state",
                               word_of(&rows[i]), "ready", verdict->ready, "wanted",
                               verdict->wanted, "message", verdict->message));
    }
    json_t *report =
        json_pack("{s:s, s:s, s:b, s:o}", "profile", work->profile->name, "environment",
                  work->profile->environment, "ready", (int)ready, "objects", objects);
    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(report);
}

int command_status(const struct options *options, struct err *err)
{
    struct session session;
    if (session_open(&session, options, err) != 0)
        return -1;
    const struct work *work = &session.work;
    struct status_row *rows = xcalloc(work->count, sizeof *rows);
    int result = status_run(session.client, work, rows, err);
    if (result == 0) {
        bool ready = true;
        for (size_t i = 0; i < work->count; i++)
            ready &= rows[i].exists && rows[i].verdict.state == VERDICT_CURRENT;
        if (options->output)
            print_json(work, rows, ready);
        else
            print_table(work, rows);
        result = ready ? 0 : 1;
    }
    free(rows);
    session_close(&session);
    return result;
}
