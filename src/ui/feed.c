#include "ui/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "ui/shown.h"

struct feed {
    FILE *out;
    json_t *end; /* fields of the last event */
};

struct feed *feed_new(FILE *out)
{
    struct feed *feed = xcalloc(1, sizeof *feed);
    feed->out = out;
    feed->end = json_object();
    return feed;
}

void feed_free(struct feed *feed)
{
    if (!feed)
        return;
    json_decref(feed->end);
    free(feed);
}

char *feed_text(const char *type, json_t *fields)
{
    const char *given = json_string_value(json_object_get(fields, "time"));
    char *now = moment_now();
    json_t *event = json_pack("{s:s, s:s, s:s}", "schema", FEED_SCHEMA, "type", type, "time",
                              given && *given ? given : now);
    json_object_update_missing(event, fields);
    char *text = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(6));
    free(now);
    json_decref(event);
    json_decref(fields);
    return text;
}

static void put(FILE *out, const char *type, json_t *fields)
{
    char *text = feed_text(type, fields);
    fprintf(out, "%s\n", text);
    fflush(out);
    free(text);
}

void feed_event(struct feed *feed, const char *type, json_t *fields)
{
    if (feed)
        put(feed->out, type, fields);
    else
        json_decref(fields);
}

void feed_add_to_end(struct feed *feed, json_t *fields)
{
    if (feed)
        json_object_update(feed->end, fields);
    json_decref(fields);
}

json_t *feed_string(const char *text)
{
    struct buf valid = BUF_INIT;
    shown_add_utf8(&valid, text, strlen(text));
    json_t *string = json_string(buf_text(&valid));
    buf_release(&valid);
    return string;
}

static json_t *error_of(const struct err *err)
{
    return json_pack("{s:i, s:{s:s, s:o}}", "exit", err_exit_code(err->kind), "error", "kind",
                     err_word(err->kind), "message", feed_string(err->message));
}

void feed_end(struct feed *feed, int exit_code, const struct err *err)
{
    bool failed = err->kind != ERR_NONE;
    json_t *fields = failed ? error_of(err) : json_pack("{s:i}", "exit", exit_code);
    json_object_update_missing(fields, feed->end);
    put(feed->out, failed ? "error" : "result", fields);
}

void feed_print_error(FILE *out, const struct err *err)
{
    put(out, "error", error_of(err));
}
