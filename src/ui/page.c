#include "ui/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "ui/html.h"
#include "ui/page_parts.h"

enum { COMMIT_SHOWN = 12 };

/* ---- what the sections share ---- */

void page_duration(struct buf *out, double ms)
{
    long seconds = (long)(ms / 1000);
    if (ms < 100)
        buf_addf(out, "%.0f ms", ms);
    else if (ms < 60000)
        buf_addf(out, "%.1f s", ms / 1000);
    else if (seconds < 3600)
        buf_addf(out, seconds % 60 ? "%ld min %ld s" : "%ld min", seconds / 60, seconds % 60);
    else
        buf_addf(out, "%ld h %ld min", seconds / 3600, seconds / 60 % 60);
}

const char *page_state(const json_t *page, size_t component)
{
    const json_t *row = json_array_get(json_object_get(page, "timeline"), component);
    size_t count = json_array_size(row);
    const char *live = object_text(
        json_array_get(json_object_get(json_object_get(page, "topology"), "nodes"), component),
        "status");
    return count ? object_text(json_array_get(row, count - 1), "state") : live;
}

char *page_fit(const char *text, size_t columns)
{
    size_t used = 0;
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if ((byte & 0xC0) == 0x80)
            continue;
        used += byte >= 0xE0 ? 2 : 1; /* most of what is so far up is wide */
        if (used <= columns)
            continue;
        const char *cut = c; /* room for the ellipsis */
        do
            cut--;
        while (cut > text && ((unsigned char)*cut & 0xC0) == 0x80);
        char *kept = xstrndup(text, (size_t)(cut - text)), *made = xasprintf("%s…", kept);
        free(kept);
        return made;
    }
    return xstrdup(text);
}

/* ---- the head ---- */

static void add_fact(struct buf *out, const char *word, const char *text)
{
    if (*text)
        html_addf(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", word, text);
}

static void add_count(struct buf *out, const char *word, const json_t *counts, const char *key)
{
    json_int_t count = json_integer_value(json_object_get(counts, key));
    if (count)
        html_addf(out, "<div><dt>%s</dt><dd>%ld</dd></div>\n", word, (long)count);
}

static size_t count_components(const json_t *page)
{
    const json_t *nodes = json_object_get(json_object_get(page, "topology"), "nodes");
    size_t count = 0;
    while (json_object_get(json_array_get(nodes, count), "origin"))
        count++;
    return count;
}

static void add_times(const json_t *page, struct buf *out)
{
    static const struct {
        const char *key, *words;
    } spans[] = { { "before_ms", "to plan and lock" },
                  { "rollout_ms", "rollout" },
                  { "after_ms", "deletions and record" } };
    bool went_back = json_object_get(page, "rolled_back") != NULL;
    struct buf words = BUF_INIT;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        const json_t *span = json_object_get(page, spans[i].key);
        if (!span)
            continue;
        buf_adds(&words, words.len ? ", " : "");
        page_duration(&words, json_number_value(span));
        bool last = i + 1 == sizeof spans / sizeof *spans;
        buf_addf(&words, " %s", last && went_back ? "to go back" : spans[i].words);
    }
    if (words.len)
        html_addf(out, "<div class=\"wide\"><dt>where the time went</dt><dd>%s</dd></div>\n",
                  buf_text(&words));
    buf_release(&words);
}

static void add_facts(const json_t *page, struct buf *out)
{
    const json_t *done = json_object_get(page, "done");
    size_t components = count_components(page);
    struct buf time = BUF_INIT;
    buf_adds(out, "<dl class=\"facts\">\n");
    add_fact(out, "environment", object_text(page, "environment"));
    add_fact(out, "namespace", object_text(page, "namespace"));
    add_fact(out, "cluster", object_text(page, "cluster"));
    add_count(out, "revision", page, "revision");
    char *started = xstrdup(object_text(page, "started"));
    if (strchr(started, 'T'))
        *strchr(started, 'T') = ' ';
    add_fact(out, "started", started);
    free(started);
    if (json_object_get(page, "seconds")) {
        page_duration(&time, 1000 * json_number_value(json_object_get(page, "seconds")));
        add_fact(out, "took", buf_text(&time));
    }
    add_fact(out, "by", object_text(page, "by"));
    if (strcmp(object_text(page, "path"), object_text(page, "release")) != 0)
        add_fact(out, "profile", object_text(page, "path"));
    char *commit = xstrndup(object_text(page, "commit"), COMMIT_SHOWN);
    add_fact(out, "commit", commit);
    free(commit);
    add_fact(out, "message", object_text(page, "message"));
    if (components && json_object_get(page, "ready"))
        html_addf(out, "<div><dt>components</dt><dd>%ld of %zu ready</dd></div>\n",
                  (long)json_integer_value(json_object_get(page, "ready")), components);
    add_count(out, "objects created", done, "created");
    add_count(out, "objects changed", done, "changed");
    add_count(out, "objects unchanged", done, "unchanged");
    add_count(out, "objects deleted", done, "deleted");
    add_times(page, out);
    buf_adds(out, "</dl>\n");
    buf_release(&time);
}

/* Where in the page: what is there is known by its heading. */
static void add_contents(const struct buf *body, struct buf *out)
{
    static const struct {
        const char *id, *words;
    } parts[] = {
        { "failures", "What failed" }, { "timeline", "Timeline" }, { "topology", "Topology" },
        { "changes", "Changes" },      { "doctor", "Doctor" },
    };
    buf_adds(out, "<nav>");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *mark = xasprintf("<section id=\"%s\">", parts[i].id);
        if (strstr(buf_text(body), mark))
            html_addf(out, "<a href=\"#%s\">%s</a>\n", parts[i].id, parts[i].words);
        free(mark);
    }
    buf_adds(out, "</nav>\n");
}

static void add_rollback(const json_t *page, struct buf *out)
{
    const json_t *back = json_object_get(page, "rolled_back");
    long number = (long)json_integer_value(json_object_get(back, "revision"));
    const char *error = object_text(back, "error");
    if (!back)
        return;
    html_addf(out, "<p class=\"error %s\">", *error ? "bad" : "warn");
    if (!number)
        html_addf(out, "Not rolled back: %s", error);
    else if (*error)
        html_addf(out, "The rollback to revision %ld failed, too: %s", number, error);
    else
        html_addf(out, "Rolled back: the release is again as revision %ld.", number);
    buf_adds(out, "</p>\n");
}

static void add_head(const json_t *page, const struct buf *body, struct buf *out)
{
    const json_t *outcome = json_object_get(page, "outcome");
    const char *tone = object_text(outcome, "tone"), *error = object_text(outcome, "error");
    const char *release = object_text(page, "release");
    html_addf(out,
              "<header class=\"%s\">\n<div class=\"head\"><h1>%s %s</h1>"
              "<span class=\"badge\" id=\"outcome\">%s</span></div>\n",
              tone, object_text(page, "command"), *release ? release : object_text(page, "path"),
              object_text(outcome, "word"));
    if (*error)
        html_addf(out, "<p class=\"error\">%s</p>\n", error);
    add_rollback(page, out);
    add_facts(page, out);
    add_contents(body, out);
    buf_adds(out, "</header>\n");
}

void page_write(const json_t *page, struct buf *out)
{
    struct buf body = BUF_INIT;
    const char *release = object_text(page, "release");
    page_failures(page, &body);
    page_doctor(page, &body);
    page_timeline(page, &body);
    page_topology(page, &body);
    page_changes(page, &body);
    buf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'; img-src data:\">\n"
                  "<link rel=\"icon\" href=\"data:,\">\n");
    html_addf(out, "<title>%s %s: %s</title>\n<style>\n", object_text(page, "command"),
              *release ? release : object_text(page, "path"),
              object_text(json_object_get(page, "outcome"), "word"));
    buf_adds(out, page_style);
    buf_adds(out, "</style>\n</head>\n<body>\n<main>\n");
    add_head(page, &body, out);
    buf_add(out, buf_text(&body), body.len);
    html_addf(out, "<footer>bkdeploy %s</footer>\n</main>\n</body>\n</html>\n",
              object_text(page, "version"));
    buf_release(&body);
}
