#include "ui/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "object/path.h"
#include "ui/shown.h"

enum { VALUE_MAX = 60, EVENTS_SHOWN = 8 };

struct writer {
    FILE *out;
    bool colour;
};

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found ? found : "";
}

static void print_safe(FILE *out, const char *line)
{
    struct buf safe = BUF_INIT;
    shown_add(&safe, line, strlen(line));
    fputs(buf_text(&safe), out);
    buf_release(&safe);
}

/* "  word      text"; nothing when there is no text. */
static void print_field(const struct writer *writer, const char *word, const char *line)
{
    if (!*line)
        return;
    fprintf(writer->out, "  %-9s ", word);
    print_safe(writer->out, line);
    fputc('\n', writer->out);
}

static void print_head(const struct writer *writer, const char *colour, const char *head)
{
    if (writer->colour)
        fprintf(writer->out, "\033[%sm", colour);
    print_safe(writer->out, head);
    if (writer->colour)
        fputs("\033[0m", writer->out);
}

/* "a, b" */
static void add_joined(struct buf *out, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
        buf_addf(out, "%s%s", i ? ", " : "", json_string_value(name));
}

static void print_since(const struct writer *writer, const char *since)
{
    if (!*since)
        return;
    char *ago = moment_ago(since);
    char *line = xasprintf("%s (%s)", since, ago);
    print_field(writer, "since", line);
    free(ago);
    free(line);
}

static void print_root(const struct writer *writer, const json_t *root)
{
    struct buf line = BUF_INIT;
    size_t i;
    json_t *level;
    print_head(writer, "1;31", "ROOT CAUSE");
    fputs("  ", writer->out);
    buf_addf(&line, "%s%s%s (component %s, %s)", text(root, "object"),
             !*text(root, "object")             ? ""
             : json_object_get(root, "readers") ? " "
                                                : ": ",
             text(root, "reason"), text(root, "component"), text(root, "origin"));
    print_safe(writer->out, buf_text(&line));
    fputc('\n', writer->out);
    buf_clear(&line);
    add_joined(&line, json_object_get(root, "readers"));
    print_field(writer, "read by", buf_text(&line));
    print_since(writer, text(root, "since"));
    buf_clear(&line);
    json_array_foreach(json_object_get(root, "blocks"), i, level) {
        buf_adds(&line, i ? " -> " : "");
        add_joined(&line, level);
    }
    print_field(writer, "blocks", buf_text(&line));
    print_field(writer, "try", text(root, "try"));
    buf_release(&line);
}

static void print_events(const struct writer *writer, const json_t *events)
{
    size_t i, count = json_array_size(events);
    json_t *event;
    json_array_foreach(events, i, event) {
        json_int_t times = json_integer_value(json_object_get(event, "count"));
        if (i + EVENTS_SHOWN < count)
            continue;
        char *ago = moment_ago(text(event, "last"));
        char *line = times > 1 ? xasprintf("%s: %s: %s (%" JSON_INTEGER_FORMAT " times, %s)",
                                           text(event, "object"), text(event, "reason"),
                                           text(event, "message"), times, ago)
                               : xasprintf("%s: %s: %s (%s)", text(event, "object"),
                                           text(event, "reason"), text(event, "message"), ago);
        print_field(writer, i == 0 || i + EVENTS_SHOWN == count ? "events" : "", line);
        free(line);
        free(ago);
    }
}

static void print_log(const struct writer *writer, const json_t *log)
{
    const json_t *lines = json_object_get(log, "lines");
    size_t i;
    json_t *line;
    if (!log)
        return;
    if (json_array_size(lines) == 0) {
        print_field(writer, "log", *text(log, "note") ? text(log, "note") : "nothing was logged");
        return;
    }
    char *head =
        xasprintf("the last %zu line%s of container %s%s", json_array_size(lines),
                  json_array_size(lines) == 1 ? "" : "s", text(log, "container"),
                  json_is_true(json_object_get(log, "previous")) ? ", of the run before" : "");
    print_field(writer, "log", head);
    free(head);
    json_array_foreach(lines, i, line) {
        fputs("            ", writer->out);
        print_safe(writer->out, json_string_value(line));
        fputc('\n', writer->out);
    }
}

static void add_value(struct buf *out, const json_t *value)
{
    char *shown = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : xstrdup("nothing");
    size_t length = strlen(shown);
    if (length > VALUE_MAX) {
        size_t cut = VALUE_MAX;
        while (cut > 0 && ((unsigned char)shown[cut] & 0xc0) == 0x80)
            cut--;
        buf_add(out, shown, cut);
        buf_adds(out, "...");
    } else {
        buf_add(out, shown, length);
    }
    free(shown);
}

static void print_changes(const struct writer *writer, const json_t *changed)
{
    size_t i, k;
    json_t *object, *change;
    const char *word = "changed";
    json_array_foreach(changed, i, object) {
        const json_t *changes = json_object_get(object, "changes");
        if (json_array_size(changes) == 0) {
            char *line = xasprintf("%s (%s)", text(object, "object"), text(object, "action"));
            print_field(writer, word, line);
            free(line);
            word = "";
            continue;
        }
        json_array_foreach(changes, k, change) {
            struct buf line = BUF_INIT;
            char *path = path_format(json_object_get(change, "path"));
            buf_addf(&line, "%s %s: ", text(object, "object"), path);
            add_value(&line, json_object_get(change, "before"));
            buf_adds(&line, " -> ");
            add_value(&line, json_object_get(change, "after"));
            print_field(writer, word, buf_text(&line));
            word = "";
            buf_release(&line);
            free(path);
        }
    }
}

static void print_component(const struct writer *writer, const json_t *entry)
{
    fputc('\n', writer->out);
    print_head(writer, "1", text(entry, "component"));
    fprintf(writer->out, " (%s)%s", text(entry, "origin"), *text(entry, "object") ? ": " : "");
    print_safe(writer->out, text(entry, "object"));
    fputc('\n', writer->out);
    print_field(writer, "pod", text(entry, "pod"));
    print_field(writer, "reason", text(entry, "reason"));
    print_since(writer, text(entry, "since"));
    print_events(writer, json_object_get(entry, "events"));
    print_log(writer, json_object_get(entry, "log"));
    print_changes(writer, json_object_get(entry, "changed"));
    print_field(writer, "try", text(entry, "try"));
}

static void print_blocked(const struct writer *writer, const json_t *entry)
{
    print_head(writer, "1", text(entry, "component"));
    fprintf(writer->out, " (%s): blocked by %s, which failed\n", text(entry, "origin"),
            text(entry, "by"));
}

void report_print(FILE *out, const json_t *report, bool colour)
{
    struct writer writer = { out, colour };
    size_t i;
    json_t *entry;
    fputc('\n', out);
    print_root(&writer, json_object_get(report, "root"));
    json_array_foreach(json_object_get(report, "components"), i, entry)
        print_component(&writer, entry);
    json_array_foreach(json_object_get(report, "blocked"), i, entry) {
        if (i == 0)
            fputc('\n', out);
        print_blocked(&writer, entry);
    }
    json_array_foreach(json_object_get(report, "notes"), i, entry) {
        fputs(i ? "note: " : "\nnote: ", out);
        print_safe(out, json_string_value(entry));
        fputc('\n', out);
    }
    fputc('\n', out);
}
