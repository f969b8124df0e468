#include "ui/page_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "ui/html.h"

enum {
    ROW = 26,  /* px, as in page_style.c */
    TICKS = 7, /* at most */
    WORDS_MAX = 300,
    ALL_MAX = 200 << 10, /* bytes of the table of all changes */
};

/* What became of one component. */
struct lane {
    const json_t *changes, *node;
    const char *state; /* the last */
    double begin, end; /* ms, out of waiting and of the last change; begin < 0: never begun */
    size_t index;
    long after; /* the lane that it waited for last; -1: none */
};

struct chart {
    const json_t *page;
    struct lane *lanes; /* by component */
    struct lane **order;
    size_t count;
    double from, until; /* ms */
};

static double ms_of(const json_t *change)
{
    return json_number_value(json_object_get(change, "ms"));
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool is_end(const char *state)
{
    return is(state, "ready") || is(state, "failed") || is(state, "blocked");
}

/* ---- what happened ---- */

static void read_lane(struct lane *lane)
{
    size_t i, count = json_array_size(lane->changes);
    json_t *change;
    lane->begin = -1;
    lane->after = -1;
    lane->state = count ? object_text(json_array_get(lane->changes, count - 1), "state") : "";
    json_array_foreach((json_t *)lane->changes, i, change) {
        const char *state = object_text(change, "state");
        if (lane->begin < 0 && !is(state, "waiting") && !is(state, "blocked"))
            lane->begin = ms_of(change);
        lane->end = ms_of(change);
    }
}

/* Which of its needs was ready last before a component began. */
static void find_waits(struct chart *chart)
{
    const json_t *topology = json_object_get(chart->page, "topology");
    json_t *places = json_object(), *edge;
    size_t i;
    for (i = 0; i < chart->count; i++)
        json_object_set_new(places, object_text(chart->lanes[i].node, "id"),
                            json_integer((json_int_t)i));
    json_array_foreach(json_object_get(topology, "edges"), i, edge) {
        const json_t *from = json_object_get(places, object_text(edge, "from"));
        const json_t *to = json_object_get(places, object_text(edge, "to"));
        if (!from || !to)
            continue;
        struct lane *lane = &chart->lanes[json_integer_value(from)];
        const struct lane *need = &chart->lanes[json_integer_value(to)];
        if (lane->begin >= 0 && is(need->state, "ready") && need->begin >= 0 &&
            need->end <= lane->begin + 1 &&
            (lane->after < 0 || need->end > chart->lanes[lane->after].end))
            lane->after = (long)need->index;
    }
    json_decref(places);
}

static int compare_lanes(const void *a, const void *b)
{
    const struct lane *one = *(struct lane *const *)a, *other = *(struct lane *const *)b;
    bool one_began = one->begin >= 0, other_began = other->begin >= 0;
    if (one_began != other_began)
        return one_began ? -1 : 1;
    if (one_began && one->begin != other->begin)
        return one->begin < other->begin ? -1 : 1;
    return one->index < other->index ? -1 : 1;
}

static bool read_chart(struct chart *chart)
{
    const json_t *rows = json_object_get(chart->page, "timeline");
    const json_t *nodes = json_object_get(json_object_get(chart->page, "topology"), "nodes");
    bool any = false;
    chart->count = json_array_size(rows);
    chart->lanes = xcalloc(chart->count + 1, sizeof *chart->lanes);
    chart->order = xcalloc(chart->count + 1, sizeof(struct lane *));
    for (size_t i = 0; i < chart->count; i++) {
        struct lane *lane = &chart->lanes[i];
        *lane = (struct lane){ .changes = json_array_get(rows, i),
                               .node = json_array_get(nodes, i),
                               .index = i };
        read_lane(lane);
        chart->order[i] = lane;
        if (json_array_size(lane->changes) == 0)
            continue;
        double first = ms_of(json_array_get(lane->changes, 0));
        chart->from = !any || first < chart->from ? first : chart->from;
        chart->until = lane->end > chart->until ? lane->end : chart->until;
        any = true;
    }
    const json_t *rollout = json_object_get(chart->page, "rollout_ms");
    const json_t *before = json_object_get(chart->page, "before_ms");
    double whole = json_number_value(before) + json_number_value(rollout);
    if (rollout && whole > chart->until)
        chart->until = whole;
    if (chart->until < chart->from + 1)
        chart->until = chart->from + 1;
    qsort(chart->order, chart->count, sizeof(struct lane *), compare_lanes);
    if (any)
        find_waits(chart);
    return any;
}

/* ---- the picture ---- */

static double share(const struct chart *chart, double ms)
{
    return 100 * (ms - chart->from) / (chart->until - chart->from);
}

/* Milliseconds between two lines. */
static double step_for(double span)
{
    static const double steps[] = { 1, 2, 5 }, minutes[] = { 0.5, 1, 2, 5, 10, 20, 30, 60, 120 };
    double power = 1, step = 1;
    for (size_t i = 0; span >= 120000 && i < sizeof minutes / sizeof *minutes; i++) {
        step = minutes[i] * 60000;
        if (span / step <= TICKS)
            return step;
    }
    for (size_t i = 0; span / step > TICKS; i++) {
        power *= i && i % 3 == 0 ? 10 : 1;
        step = steps[i % 3] * power;
    }
    return step;
}

/* A line at each round time, or what time that is. */
static void add_axis(const struct chart *chart, struct buf *out, bool words_only)
{
    double span = chart->until - chart->from, step = step_for(span);
    for (size_t i = 0; (double)i * step <= span; i++) {
        double at = (double)i * step;
        struct buf words = BUF_INIT;
        double x = 100 * at / span;
        if (!words_only) {
            html_addf(out,
                      "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"100%%\"/>\n",
                      x, x);
            continue;
        }
        if (i == 0)
            buf_adds(&words, "0");
        else if (span < 1000)
            buf_addf(&words, "%.0f ms", at);
        else if (span < 120000)
            buf_addf(&words, step < 1000 ? "%.1f s" : "%.0f s", at / 1000);
        else
            page_duration(&words, at);
        html_addf(out, "<text class=\"%s\" x=\"%.2f%%\" y=\"15\" text-anchor=\"%s\">%s</text>\n",
                  i % 3 ? "minor" : "major", x,
                  x < 4    ? "start"
                  : x > 94 ? "end"
                           : "middle",
                  buf_text(&words));
        buf_release(&words);
    }
}

static void add_bar(const struct chart *chart, struct buf *out, size_t row, const char *state,
                    const json_t *first, double until)
{
    struct buf time = BUF_INIT;
    double from = ms_of(first), x = share(chart, from), width = share(chart, until) - x;
    bool failed = is(state, "failed");
    page_duration(&time, until - from);
    width = width < 0.35 ? 0.35 : width;
    x = x > 99.65 ? 99.65 : x;
    html_addf(out,
              "<rect class=\"%s\" x=\"%.2f%%\" y=\"%zu\" width=\"%.2f%%\" height=\"%d\" rx=\"2\">"
              "<title>",
              state, x, row * ROW + (is(state, "waiting") ? 9 : 5), width,
              is(state, "waiting") ? 8 : 16);
    html_text(out, failed ? "failed" : state, WORDS_MAX);
    html_addf(out, " %s", buf_text(&time));
    if (*object_text(first, "words")) {
        buf_adds(out, ": ");
        html_text(out, object_text(first, "words"), WORDS_MAX);
    }
    buf_adds(out, "</title></rect>\n");
    buf_release(&time);
}

/* A bar for each state that it was in, one for all changes of words within. */
static void add_bars(const struct chart *chart, struct buf *out, const struct lane *lane,
                     size_t row)
{
    size_t count = json_array_size(lane->changes);
    for (size_t i = 0, next; i < count; i = next) {
        const json_t *first = json_array_get(lane->changes, i);
        const char *state = object_text(first, "state");
        next = i + 1;
        while (next < count && is(object_text(json_array_get(lane->changes, next), "state"), state))
            next++;
        double until = next < count ? ms_of(json_array_get(lane->changes, next)) : chart->until;
        if (is(state, "ready") && next == count && i > 0)
            break; /* it has come to its end */
        if (is(state, "ready") || is(state, "failed"))
            until = ms_of(first);
        /* What led to a failure is as red as it. */
        const char *then =
            next < count ? object_text(json_array_get(lane->changes, next), "state") : "";
        add_bar(chart, out, row, is(state, "rolling") && is(then, "failed") ? "failed" : state,
                first, until);
    }
}

/* From the end of what was waited for to the begin of what waited. */
static void add_wait(const struct chart *chart, struct buf *out, const struct lane *lane,
                     const size_t *rows)
{
    if (lane->after < 0)
        return;
    double x = share(chart, lane->begin);
    size_t from = rows[lane->after], to = rows[lane->index];
    html_addf(out,
              "<line class=\"then\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%zu\" y2=\"%zu\"/>"
              "<circle class=\"knot\" cx=\"%.2f%%\" cy=\"%zu\" r=\"2.5\"/>\n",
              x, x, from * ROW + ROW / 2, to * ROW + ROW / 2, x, from * ROW + ROW / 2);
}

static void add_picture(const struct chart *chart, struct buf *out)
{
    size_t *rows = xcalloc(chart->count + 1, sizeof *rows);
    for (size_t i = 0; i < chart->count; i++)
        rows[chart->order[i]->index] = i;
    html_addf(out,
              "<svg role=\"img\" aria-label=\"timeline\" width=\"100%%\" height=\"%zu\">\n"
              "<defs><pattern id=\"w\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
              "patternTransform=\"rotate(45)\"><rect class=\"hatch-bg\" width=\"6\" height=\"6\"/>"
              "<line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>\n",
              chart->count * ROW);
    for (size_t i = 0; i < chart->count; i += 2)
        html_addf(out, "<rect class=\"stripe\" x=\"0\" y=\"%zu\" width=\"100%%\" height=\"%d\"/>\n",
                  i * ROW, ROW);
    add_axis(chart, out, false);
    for (size_t i = 0; i < chart->count; i++)
        add_wait(chart, out, chart->order[i], rows);
    for (size_t i = 0; i < chart->count; i++)
        add_bars(chart, out, chart->order[i], i);
    buf_adds(out, "</svg>\n");
    free(rows);
}

static void add_ends(const struct chart *chart, struct buf *out)
{
    buf_adds(out, "<div class=\"ends\">\n");
    for (size_t i = 0; i < chart->count; i++) {
        const struct lane *lane = chart->order[i];
        const char *sign = is(lane->state, "ready") ? "✓ " : is(lane->state, "failed") ? "✗ " : "";
        const char *tone = is(lane->state, "ready")    ? "good"
                           : is(lane->state, "failed") ? "bad"
                                                       : "none";
        struct buf time = BUF_INIT;
        if (lane->begin >= 0)
            page_duration(&time, (is_end(lane->state) ? lane->end : chart->until) - lane->begin);
        html_addf(out, "<div class=\"%s\"><span style=\"color:var(--tone)\">%s%s</span> %s</div>\n",
                  tone, sign, is(lane->state, "ready") ? "" : lane->state, buf_text(&time));
        buf_release(&time);
    }
    buf_adds(out, "</div>\n");
}

/* ---- in words ---- */

/* The components that made it as long as it was: each the last need of the next. */
static void add_chain(const struct chart *chart, struct buf *out)
{
    const struct lane *last = NULL;
    size_t length = 0;
    for (size_t i = 0; i < chart->count; i++) {
        const struct lane *lane = &chart->lanes[i];
        if (lane->begin >= 0 && (!last || lane->end > last->end))
            last = lane;
    }
    const struct lane **chain = xcalloc(chart->count + 1, sizeof(struct lane *));
    for (; last && length < chart->count;
         last = last->after < 0 ? NULL : &chart->lanes[last->after])
        chain[length++] = last;
    if (length > 1) {
        buf_adds(out, "<p class=\"chain\"><span class=\"soft\">Critical path:</span>\n");
        for (size_t i = length; i-- > 0;) {
            struct buf time = BUF_INIT;
            page_duration(&time, (is_end(chain[i]->state) ? chain[i]->end : chart->until) -
                                     chain[i]->begin);
            html_addf(out, "<b>%s</b><span>%s</span>\n", object_text(chain[i]->node, "label"),
                      buf_text(&time));
            if (i)
                buf_adds(out, "<span class=\"soft\">→</span>\n");
            buf_release(&time);
        }
        buf_adds(out, "</p>\n");
    }
    free(chain);
}

static void add_all_changes(const struct chart *chart, struct buf *out)
{
    size_t begin = out->len, left_out = 0;
    buf_adds(out, "<details><summary>Every step, in words</summary><div class=\"box\" "
                  "style=\"border:0;margin:0\"><table><tr><th class=\"num\">after</th>"
                  "<th>component</th><th>state</th><th>what it waited for</th></tr>\n");
    for (size_t i = 0; i < chart->count; i++) {
        const struct lane *lane = chart->order[i];
        size_t k;
        json_t *change;
        json_array_foreach((json_t *)lane->changes, k, change) {
            if (out->len - begin > ALL_MAX) {
                left_out++;
                continue;
            }
            struct buf time = BUF_INIT;
            page_duration(&time, ms_of(change) - chart->from);
            html_addf(out, "<tr><td class=\"num\">%s</td><td>%s</td><td>%s</td><td>",
                      buf_text(&time), k ? "" : object_text(lane->node, "label"),
                      object_text(change, "state"));
            html_text(out, object_text(change, "words"), WORDS_MAX);
            buf_adds(out, "</td></tr>\n");
            buf_release(&time);
        }
    }
    buf_adds(out, "</table></div>");
    if (left_out)
        html_addf(out, "<div class=\"soft small\">%zu more are left out.</div>", left_out);
    buf_adds(out, "</details>\n");
}

void page_timeline(const json_t *page, struct buf *out)
{
    struct chart chart = { .page = page };
    if (read_chart(&chart)) {
        buf_adds(out, "<section id=\"timeline\">\n<h2>Timeline</h2>\n");
        add_chain(&chart, out);
        buf_adds(out, "<div class=\"legend\"><span style=\"--c:var(--wait)\">waiting for what it "
                      "needs</span><span style=\"--c:var(--apply)\">applying</span>"
                      "<span style=\"--c:var(--roll)\">rolling out</span>"
                      "<span style=\"--c:var(--bad)\">failed</span></div>\n"
                      "<div class=\"box tall\"><div class=\"lanes\">\n<div class=\"axis\"></div>"
                      "<svg class=\"axis\" height=\"22\">\n");
        add_axis(&chart, out, true);
        buf_adds(out, "</svg><div class=\"axis\"></div>\n<div class=\"names\">\n");
        for (size_t i = 0; i < chart.count; i++)
            html_addf(out, "<div title=\"%s\">%s</div>\n",
                      object_text(chart.order[i]->node, "label"),
                      object_text(chart.order[i]->node, "label"));
        buf_adds(out, "</div>\n");
        add_picture(&chart, out);
        add_ends(&chart, out);
        buf_adds(out, "</div></div>\n");
        add_all_changes(&chart, out);
        buf_adds(out, "</section>\n");
    }
    free(chart.lanes);
    free(chart.order);
}
