/* The sections that tell in words: what failed, what changes, what the doctor has found. */
#include "ui/page_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "object/path.h"
#include "ui/html.h"

enum {
    LOG_LINE_MAX = 1000, /* bytes */
    EVENTS_SHOWN = 12,
    VALUE_MAX = 200,
    FAILURES_WHOLE = 400 << 10, /* bytes of a section, up to which each is shown whole; */
    FAILURES_MAX = 600 << 10,   /* up to which the others are named */
    CHANGES_WHOLE = 350 << 10,
    CHANGES_MAX = 600 << 10,
    CHANGES_OPEN = 12,    /* of so few the components are unfolded, */
    CHANGES_UNFOLDED = 4, /* of so few each change */
    OBJECT_MAX = 24 << 10,
    DOCTOR_MAX = 500 << 10,
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* A row of a list of facts; nothing when there is no text. */
static void add_row(struct buf *out, const char *word, const char *text)
{
    if (*text)
        html_addf(out, "<dt>%s</dt><dd>%s</dd>\n", word, text);
}

/* "a, b"; the caller's. */
static char *joined(const json_t *names)
{
    struct buf text = BUF_INIT;
    size_t i;
    json_t *name;
    json_array_foreach((json_t *)names, i, name)
        buf_addf(&text, "%s%s", i ? ", " : "", json_string_value(name));
    return buf_detach(&text);
}

/* ---- what failed ---- */

static void add_try(struct buf *out, const json_t *entry)
{
    if (*object_text(entry, "try"))
        html_addf(out, "<dt>try</dt><dd class=\"try\">%s</dd>\n", object_text(entry, "try"));
}

static void add_root(struct buf *out, const json_t *root)
{
    struct buf blocks = BUF_INIT;
    size_t i;
    json_t *level;
    if (!root)
        return;
    html_addf(
        out,
        "<div class=\"card bad\" id=\"root-cause\"><div class=\"head\"><span "
        "class=\"badge\">root cause</span><h3>%s</h3></div>\n<p>%s</p>\n<dl class=\"rows\">\n",
        object_text(root, "object"), object_text(root, "reason"));
    char *readers = joined(json_object_get(root, "readers"));
    add_row(out, "component", object_text(root, "component"));
    add_row(out, "line", object_text(root, "origin"));
    add_row(out, "read by", readers);
    add_row(out, "since", object_text(root, "since"));
    json_array_foreach(json_object_get(root, "blocks"), i, level) {
        char *names = joined(level);
        buf_addf(&blocks, "%s%s", i ? " → " : "", names);
        free(names);
    }
    add_row(out, "blocks", buf_text(&blocks));
    add_try(out, root);
    buf_adds(out, "</dl></div>\n");
    buf_release(&blocks);
    free(readers);
}

static void add_events(struct buf *out, const json_t *events)
{
    size_t i, count = json_array_size(events);
    json_t *event;
    if (!count)
        return;
    html_addf(out,
              "<details open><summary>Events (%zu)</summary><div class=\"box\" "
              "style=\"border:0;margin:0\"><table><tr><th class=\"num\">last</th>"
              "<th class=\"num\">times</th><th>object</th><th>what</th></tr>\n",
              count);
    json_array_foreach((json_t *)events, i, event) {
        long times = (long)json_integer_value(json_object_get(event, "count"));
        if (i + EVENTS_SHOWN < count)
            continue;
        html_addf(out,
                  "<tr><td class=\"num\">%s</td><td class=\"num\">%ld</td><td>%s</td><td>%s: "
                  "%s</td></tr>\n",
                  object_text(event, "last"), times ? times : 1, object_text(event, "object"),
                  object_text(event, "reason"), object_text(event, "message"));
    }
    buf_adds(out, "</table></div></details>\n");
}

static void add_log(struct buf *out, const json_t *log)
{
    const json_t *lines = json_object_get(log, "lines");
    size_t i;
    json_t *line;
    if (!log)
        return;
    html_addf(out, "<details open><summary>Log of container %s%s</summary><div>",
              object_text(log, "container"),
              json_is_true(json_object_get(log, "previous")) ? ", of the run before" : "");
    if (json_array_size(lines) == 0) {
        html_addf(out, "<p class=\"soft\">%s</p>",
                  *object_text(log, "note") ? object_text(log, "note") : "nothing was logged");
    } else {
        buf_adds(out, "<pre class=\"log\">");
        json_array_foreach((json_t *)lines, i, line) {
            html_text(out, json_string_value(line) ? json_string_value(line) : "", LOG_LINE_MAX);
            buf_adds(out, "\n");
        }
        buf_adds(out, "</pre>");
    }
    buf_adds(out, "</div></details>\n");
}

static void add_value(struct buf *out, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : xstrdup("nothing");
    html_text(out, text, VALUE_MAX);
    free(text);
}

static void add_changed(struct buf *out, const json_t *changed)
{
    size_t i, k;
    json_t *object, *change;
    if (json_array_size(changed) == 0)
        return;
    buf_adds(out, "<details><summary>What this apply changed there</summary><div>");
    json_array_foreach((json_t *)changed, i, object) {
        html_addf(out, "<p>%s <span class=\"soft\">(%s)</span></p>\n",
                  object_text(object, "object"), object_text(object, "action"));
        json_array_foreach(json_object_get(object, "changes"), k, change) {
            char *path = path_format(json_object_get(change, "path"));
            html_addf(out, "<p class=\"mono\">%s: ", path);
            add_value(out, json_object_get(change, "before"));
            buf_adds(out, " → ");
            add_value(out, json_object_get(change, "after"));
            buf_adds(out, "</p>\n");
            free(path);
        }
    }
    buf_adds(out, "</div></details>\n");
}

/* `briefly`: there is no more room than for what it is. */
static void add_failure(struct buf *out, const json_t *entry, bool briefly)
{
    html_addf(out,
              "<div class=\"card bad\"><h3>%s <span class=\"soft small\">%s</span></h3>"
              "<dl class=\"rows\">\n",
              object_text(entry, "component"), object_text(entry, "origin"));
    add_row(out, "object", object_text(entry, "object"));
    add_row(out, "reason", object_text(entry, "reason"));
    if (!briefly) {
        add_row(out, "pod", object_text(entry, "pod"));
        add_row(out, "container", object_text(entry, "container"));
        add_row(out, "since", object_text(entry, "since"));
        add_try(out, entry);
    }
    buf_adds(out, "</dl>\n");
    if (!briefly) {
        add_events(out, json_object_get(entry, "events"));
        add_log(out, json_object_get(entry, "log"));
        add_changed(out, json_object_get(entry, "changed"));
    }
    buf_adds(out, "</div>\n");
}

void page_failures(const json_t *page, struct buf *out)
{
    const json_t *report = json_object_get(page, "report");
    const json_t *refusals = json_object_get(page, "refusals");
    size_t begin = out->len, i, brief = 0;
    json_t *entry;
    if (!report && json_array_size(refusals) == 0)
        return;
    buf_adds(out, "<section id=\"failures\">\n<h2>What failed</h2>\n");
    json_array_foreach((json_t *)refusals, i, entry) {
        if (out->len - begin < FAILURES_WHOLE)
            html_addf(out, "<div class=\"card bad\">%s</div>\n", json_string_value(entry));
    }
    add_root(out, json_object_get(report, "root"));
    json_array_foreach(json_object_get(report, "components"), i, entry) {
        bool briefly = out->len - begin > FAILURES_WHOLE;
        brief += briefly;
        if (out->len - begin < FAILURES_MAX)
            add_failure(out, entry, briefly);
    }
    if (brief)
        html_addf(out,
                  "<p class=\"soft small\">The last %zu are without events and logs, or left "
                  "out, for want of room.</p>\n",
                  brief);
    json_array_foreach(json_object_get(report, "notes"), i, entry)
        html_addf(out, "<p class=\"soft small\">note: %s</p>\n", json_string_value(entry));
    buf_adds(out, "</section>\n");
}

/* ---- what changes ---- */

/* A line of a diff: added, removed or between; the line of the profile behind it is apart. */
static void add_diff_line(struct buf *out, const char *line)
{
    static const char origin[] = "◂ ";
    const char *tag = *line == '+' ? "ins" : *line == '-' ? "del" : "";
    const char *from = *line == '+' ? strstr(line, origin) : NULL;
    for (const char *next = from; next; next = strstr(next + 1, origin))
        from = next;
    char *text = from ? xstrndup(line, (size_t)(from - line)) : xstrdup(line);
    if (*tag)
        buf_addf(out, "<%s>", tag);
    html_addf(out, "%s", text);
    if (from)
        html_addf(out, "<i>%s</i>", from);
    if (*tag)
        buf_addf(out, "</%s>", tag);
    buf_adds(out, "\n");
    free(text);
}

static void add_diff(struct buf *out, const char *text)
{
    size_t begin = out->len, left_out = 0;
    buf_adds(out, "<pre>");
    while (*text) {
        const char *end = strchrnul(text, '\n');
        char *line = xstrndup(text, (size_t)(end - text));
        if (out->len - begin < OBJECT_MAX)
            add_diff_line(out, line);
        else
            left_out++;
        free(line);
        text = *end ? end + 1 : end;
    }
    if (left_out)
        html_addf(out, "<i>… (%zu more lines)</i>\n", left_out);
    buf_adds(out, "</pre>");
}

static const char *tone_of(const char *action)
{
    if (is(action, "create"))
        return "good";
    if (is(action, "delete") || is(action, "replace"))
        return "bad";
    return is(action, "none") || is(action, "keep") ? "none" : "warn";
}

enum change_form { CHANGE_OPEN, CHANGE_FOLDED, CHANGE_BRIEF };

static void add_change(struct buf *out, const json_t *change, enum change_form form)
{
    size_t i;
    json_t *note;
    buf_adds(out, form == CHANGE_OPEN ? "<details open>" : "<details>");
    html_addf(out,
              "<summary><span class=\"%s\"><span class=\"sign\">%s</span></span> "
              "%s</summary><div>",
              tone_of(object_text(change, "action")), object_text(change, "sign"),
              object_text(change, "object"));
    json_array_foreach(json_object_get(change, "notes"), i, note)
        html_addf(out, "<p>%s</p>", json_string_value(note));
    if (form == CHANGE_BRIEF)
        buf_adds(out, "<p class=\"soft small\">Left out for want of room; bkdeploy diff shows "
                      "it.</p>");
    else if (*object_text(change, "text"))
        add_diff(out, object_text(change, "text"));
    buf_adds(out, "</div></details>\n");
}

/* How many of each sign: "+3 ~1". */
static void add_signs(struct buf *out, const json_t *changes, size_t from, size_t until)
{
    static const char signs[] = "+~!^-=";
    for (const char *sign = signs; *sign; sign++) {
        size_t count = 0;
        for (size_t i = from; i < until; i++)
            count += *object_text(json_array_get(changes, i), "sign") == *sign;
        if (count)
            buf_addf(out, " %c%zu", *sign, count);
    }
}

/* Those of one component, which stand together. */
static void add_group(struct buf *out, const json_t *changes, size_t from, size_t until,
                      size_t begin)
{
    const json_t *first = json_array_get(changes, from);
    const char *component = object_text(first, "component");
    bool few = json_array_size(changes) <= CHANGES_OPEN;
    buf_adds(out, few ? "<details open>" : "<details>");
    html_addf(out,
              "<summary><b>%s</b> <span class=\"soft small\">%s</span><span "
              "class=\"sum\">",
              *component ? component : "has left the profile", object_text(first, "origin"));
    add_signs(out, changes, from, until);
    buf_adds(out, "</span></summary><div>\n");
    for (size_t i = from; i < until; i++)
        add_change(out, json_array_get(changes, i),
                   out->len - begin > CHANGES_WHOLE               ? CHANGE_BRIEF
                   : json_array_size(changes) <= CHANGES_UNFOLDED ? CHANGE_OPEN
                                                                  : CHANGE_FOLDED);
    buf_adds(out, "</div></details>\n");
}

void page_changes(const json_t *page, struct buf *out)
{
    const json_t *changes = json_object_get(page, "changes");
    size_t begin = out->len, count = json_array_size(changes), i = 0;
    if (!changes)
        return;
    html_addf(out, "<section id=\"changes\">\n<h2>Changes</h2>\n<p class=\"soft small\">%s</p>\n",
              count ? "What was planned, against what was there. Values of Secrets are not shown."
                    : "Nothing was to change.");
    while (i < count && out->len - begin < CHANGES_MAX) {
        size_t from = i;
        const char *component = object_text(json_array_get(changes, i), "component");
        while (i < count && is(object_text(json_array_get(changes, i), "component"), component))
            i++;
        add_group(out, changes, from, i, begin);
    }
    if (i < count)
        html_addf(out, "<p class=\"soft small\">%zu more are left out.</p>\n", count - i);
    buf_adds(out, "</section>\n");
}

/* ---- the doctor ---- */

static void add_finding(struct buf *out, const json_t *finding)
{
    const json_t *object = json_object_get(finding, "object");
    const char *severity = object_text(finding, "severity");
    const char *namespace = object_text(object, "namespace");
    html_addf(out,
              "<div class=\"card %s\"><div class=\"head\"><span class=\"badge\">%s</span><h3>%s"
              "</h3></div><dl class=\"rows\">\n",
              is(severity, "error")     ? "bad"
              : is(severity, "warning") ? "warn"
                                        : "none",
              severity, object_text(finding, "message"));
    add_row(out, "component", object_text(finding, "component"));
    if (object) {
        char *label = xasprintf("%s %s%s%s", object_text(object, "kind"), namespace,
                                *namespace ? "/" : "", object_text(object, "name"));
        add_row(out, "object", label);
        free(label);
    }
    add_row(out, "line", object_text(finding, "origin"));
    const json_t *evidence = json_object_get(finding, "evidence");
    if (json_is_array(evidence)) {
        size_t i;
        json_t *line;
        buf_adds(out, "<dt>evidence</dt><dd>");
        json_array_foreach((json_t *)evidence, i, line)
            html_addf(out, "<div>%s</div>", json_string_value(line));
        buf_adds(out, "</dd>\n");
    } else {
        add_row(out, "evidence", object_text(finding, "evidence"));
    }
    if (*object_text(finding, "remedy"))
        html_addf(out, "<dt>remedy</dt><dd class=\"try\">%s</dd>\n",
                  object_text(finding, "remedy"));
    buf_adds(out, "</dl></div>\n");
}

void page_doctor(const json_t *page, struct buf *out)
{
    const json_t *sections = json_object_get(json_object_get(page, "doctor"), "sections");
    size_t begin = out->len, i, k, left_out = 0;
    json_t *section, *finding;
    if (!sections)
        return;
    buf_adds(out, "<section id=\"doctor\">\n<h2>Doctor</h2>\n");
    json_array_foreach((json_t *)sections, i, section) {
        const char *state = object_text(section, "state"), *note = object_text(section, "note");
        html_addf(out,
                  "<div class=\"head\" style=\"margin-top:14px\"><h3>%s</h3>"
                  "<span class=\"badge %s\">%s</span></div>\n",
                  object_text(section, "name"),
                  is(state, "clean")      ? "good"
                  : is(state, "findings") ? "bad"
                                          : "none",
                  state);
        if (*note)
            html_addf(out, "<p class=\"soft\">%s</p>\n", note);
        json_array_foreach(json_object_get(section, "findings"), k, finding) {
            if (out->len - begin > DOCTOR_MAX)
                left_out++;
            else
                add_finding(out, finding);
        }
    }
    if (left_out)
        html_addf(out, "<p class=\"soft small\">%zu more findings are left out.</p>\n", left_out);
    buf_adds(out, "</section>\n");
}
