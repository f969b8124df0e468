#include "ui/page_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "ui/html.h"
#include "ui/layers.h"

/* px */
enum {
    WIDTH = 188,
    HEIGHT = 42,
    BETWEEN = 64, /* columns */
    BELOW = 12,
    LANE = 12,
    WINDOW = 900, /* as .tall in page_style.c */
    NAME_COLUMNS = 20,
    KINDS_COLUMNS = 32,
    APART_ROW = 4,         /* parts side by side that hang together with none */
    PARTS_MAX = 150 << 10, /* bytes of the table */
};

struct map {
    const json_t *page, *nodes, *edges;
    json_t *places;    /* an id to the index of its node */
    json_t *within;    /* a component's name to its index */
    size_t count;      /* of components, which are the first nodes */
    struct buf *kinds; /* of each, "Deployment, Service" */
    size_t (*needs)[2];
    size_t need_count;
    bool *tied; /* needs or is needed */
};

static size_t place(const struct map *map, const json_t *edge, const char *end)
{
    return (size_t)json_integer_value(json_object_get(map->places, object_text(edge, end)));
}

/* ---- reading ---- */

/* A kind in a few letters. */
static const char *short_kind(const char *kind)
{
    static const char *const words[][2] = {
        { "PersistentVolumeClaim", "claim" },
        { "HorizontalPodAutoscaler", "autoscaler" },
        { "PodDisruptionBudget", "budget" },
        { "CustomResourceDefinition", "CRD" },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(kind, words[i][0]) == 0)
            return words[i][1];
    return kind;
}

static void read_nodes(struct map *map)
{
    size_t i;
    json_t *node;
    map->places = json_object();
    map->within = json_object();
    while (json_object_get(json_array_get(map->nodes, map->count), "origin"))
        map->count++;
    map->kinds = xcalloc(map->count + 1, sizeof *map->kinds);
    json_array_foreach((json_t *)map->nodes, i, node) {
        json_object_set_new(map->places, object_text(node, "id"), json_integer((json_int_t)i));
        if (i < map->count) {
            json_object_set_new(map->within, object_text(node, "name"),
                                json_integer((json_int_t)i));
            continue;
        }
        const json_t *its = json_object_get(map->within, object_text(node, "component"));
        struct buf *kinds = its ? &map->kinds[json_integer_value(its)] : NULL;
        const char *kind = short_kind(object_text(node, "kind"));
        if (kinds && !strstr(buf_text(kinds), kind))
            buf_addf(kinds, "%s%s", kinds->len ? ", " : "", kind);
    }
}

static void read_edges(struct map *map)
{
    size_t i;
    json_t *edge;
    map->needs = xcalloc(json_array_size(map->edges) + 1, sizeof *map->needs);
    map->tied = xcalloc(map->count + 1, sizeof *map->tied);
    json_array_foreach((json_t *)map->edges, i, edge) {
        size_t from = place(map, edge, "from"), to = place(map, edge, "to");
        if (json_object_get(edge, "implied") || from >= map->count || to >= map->count ||
            from == to)
            continue;
        map->needs[map->need_count][0] = from;
        map->needs[map->need_count++][1] = to;
        map->tied[from] = map->tied[to] = true;
    }
}

/* ---- the picture ---- */

static const char *tone_of(const char *state)
{
    if (strcmp(state, "ready") == 0)
        return "good";
    if (strcmp(state, "failed") == 0)
        return "bad";
    return strcmp(state, "rolling") == 0 || strcmp(state, "applying") == 0 ? "warn" : "none";
}

static const char *sign_of(const char *state)
{
    if (strcmp(state, "ready") == 0)
        return "✓";
    return strcmp(state, "failed") == 0 ? "✗" : "";
}

/* The box of a component, its left upper corner at x, y. */
static void add_box(const struct map *map, struct buf *out, size_t index, double x, double y)
{
    const json_t *node = json_array_get(map->nodes, index);
    const char *state = page_state(map->page, index), *label = object_text(node, "label");
    char *name = page_fit(label, NAME_COLUMNS);
    char *kinds = page_fit(buf_text(&map->kinds[index]), KINDS_COLUMNS);
    html_addf(out, "<title>%s%s%s\n%s</title>", label, *state ? ": " : "", state,
              buf_text(&map->kinds[index]));
    html_addf(out,
              "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"6\"/>"
              "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"4\" height=\"%d\" rx=\"2\"/>"
              "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">%s</text>"
              "<text class=\"kinds\" x=\"%.1f\" y=\"%.1f\">%s</text>"
              "<text class=\"mark\" x=\"%.1f\" y=\"%.1f\">%s</text>",
              x, y, WIDTH, HEIGHT, x, y, HEIGHT, x + 13, y + 18, name, x + 13, y + 33, kinds,
              x + WIDTH - 9, y + 18, sign_of(state));
    free(name);
    free(kinds);
}

static double left(const struct layers_node *node)
{
    return (double)node->column * (WIDTH + BETWEEN);
}

/* A link from the right of one node to the left of the next. */
static void add_link(struct buf *out, const struct layers_node *from, const struct layers_node *to)
{
    double x1 = left(from) + WIDTH, x2 = left(to) - (to->is_line ? 0 : 6);
    double middle = (x1 + x2) / 2;
    html_addf(out, "<path d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x1, from->y, middle,
              from->y, middle, to->y, x2, to->y);
    if (to->is_line)
        html_addf(out, "H%.1f\"/>", x2 + WIDTH);
    else
        html_addf(out, "\"/><path class=\"tip\" d=\"M%.1f %.1fl-8 -4v8z\"/>", x2 + 6, to->y);
}

/* All that belongs to one part is in one group, so that it lights up together: its box, and the
 * lines from it to what needs it. */
static void add_part(const struct map *map, struct buf *out, const struct layers *layers,
                     const size_t *component, size_t part)
{
    const struct layers_node *node = &layers->nodes[part];
    html_addf(out, "<g class=\"%s\">", tone_of(page_state(map->page, component[part])));
    add_box(map, out, component[part], left(node), node->y - HEIGHT / 2.0);
    for (size_t i = 0; i < layers->link_count; i++) {
        const struct layers_link *link = &layers->links[i];
        if (layers->nodes[link->from].part == part)
            add_link(out, &layers->nodes[link->from], &layers->nodes[link->to]);
    }
    buf_adds(out, "</g>\n");
}

static size_t count_apart(const struct map *map)
{
    size_t count = 0;
    for (size_t i = 0; i < map->count; i++)
        count += !map->tied[i];
    return count;
}

/* In rows, from y on. */
static void add_apart(const struct map *map, struct buf *out, double y)
{
    size_t n = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (map->tied[i])
            continue;
        html_addf(out, "<g class=\"%s\">", tone_of(page_state(map->page, i)));
        size_t row = n / APART_ROW, column = n % APART_ROW;
        add_box(map, out, i, (double)column * (WIDTH + 16), y + (double)row * (HEIGHT + BELOW));
        buf_adds(out, "</g>\n");
        n++;
    }
}

static void add_picture(const struct map *map, struct buf *out)
{
    struct layers_size size = { HEIGHT + BELOW, LANE, WINDOW };
    struct layers layers;
    size_t *component = xcalloc(map->count + 1, sizeof *component), parts = 0;
    size_t *part = xcalloc(map->count + 1, sizeof *part), apart = count_apart(map);
    for (size_t i = 0; i < map->count; i++)
        if (map->tied[i]) {
            part[i] = parts;
            component[parts++] = i;
        }
    for (size_t i = 0; i < map->need_count; i++) {
        map->needs[i][0] = part[map->needs[i][0]];
        map->needs[i][1] = part[map->needs[i][1]];
    }
    layers_make(&layers, parts, (const size_t(*)[2])map->needs, map->need_count, &size);
    size_t side = apart < APART_ROW ? apart : APART_ROW;
    double head = parts && apart ? 30 : 0;
    size_t rows = (apart + APART_ROW - 1) / APART_ROW;
    double width = parts ? (double)layers.columns * (WIDTH + BETWEEN) - BETWEEN : 0;
    double beside = side ? (double)side * (WIDTH + 16) - 16 : 0;
    double height = (parts ? layers.height : 0) + head + (double)rows * (HEIGHT + BELOW);
    width = beside > width ? beside : width;
    html_addf(out,
              "<svg class=\"map\" role=\"img\" aria-label=\"topology\" width=\"%.0f\" "
              "height=\"%.0f\" viewBox=\"-2 -2 %.0f %.0f\">\n",
              width + 4, height + 4, width + 4, height + 4);
    for (size_t i = 0; i < parts; i++)
        add_part(map, out, &layers, component, i);
    if (head > 0)
        html_addf(out, "<text class=\"apart\" x=\"0\" y=\"%.1f\">by themselves</text>\n",
                  layers.height + 20);
    add_apart(map, out, (parts ? layers.height : 0) + head);
    buf_adds(out, "</svg>\n");
    layers_release(&layers);
    free(component);
    free(part);
}

/* ---- in words ---- */

/* What a component is made of, and where that leads beyond it. */
static void add_row(const struct map *map, struct buf *out, size_t index, const json_t *objects,
                    const json_t *ways)
{
    const json_t *component = json_array_get(map->nodes, index);
    size_t i;
    json_t *node;
    html_addf(out, "<tr><td>%s<div class=\"soft small\">%s</div></td><td>",
              object_text(component, "label"), object_text(component, "origin"));
    json_array_foreach((json_t *)objects, i, node)
        html_addf(out, "<div>%s %s</div>", object_text(node, "kind"), object_text(node, "label"));
    buf_adds(out, "</td><td>");
    json_array_foreach((json_t *)ways, i, node) {
        html_addf(out, "<div>%s <span class=\"soft\">(%s)</span></div>", object_text(node, "to"),
                  object_text(node, "why"));
    }
    buf_adds(out, "</td></tr>\n");
}

static void add_table(const struct map *map, struct buf *out)
{
    json_t *objects = json_array(), *ways = json_array(), *node, *edge;
    size_t begin = out->len, i, left_out = 0;
    for (i = 0; i < map->count; i++) {
        json_array_append_new(objects, json_array());
        json_array_append_new(ways, json_array());
    }
    json_array_foreach((json_t *)map->nodes, i, node) {
        const json_t *its = json_object_get(map->within, object_text(node, "component"));
        if (its)
            json_array_append(json_array_get(objects, (size_t)json_integer_value(its)), node);
    }
    json_array_foreach((json_t *)map->edges, i, edge) {
        size_t from = place(map, edge, "from");
        const char *name = object_text(json_array_get(map->nodes, from), "component");
        const json_t *its = json_object_get(map->within, name);
        const json_t *to = json_array_get(map->nodes, place(map, edge, "to"));
        if (its && strcmp(object_text(to, "component"), name) != 0)
            json_array_append(json_array_get(ways, (size_t)json_integer_value(its)), edge);
        else if (from < map->count)
            json_array_append(json_array_get(ways, from), edge);
    }
    buf_adds(out, "<details><summary>What each is made of, and leads to</summary>"
                  "<div class=\"box\" style=\"border:0;margin:0\"><table><tr><th>component</th>"
                  "<th>objects</th><th>leads to</th></tr>\n");
    for (i = 0; i < map->count; i++) {
        if (out->len - begin > PARTS_MAX)
            left_out++;
        else
            add_row(map, out, i, json_array_get(objects, i), json_array_get(ways, i));
    }
    buf_adds(out, "</table></div>");
    if (left_out)
        html_addf(out,
                  "<div class=\"soft small\">%zu more are left out; bkdeploy graph has "
                  "them.</div>",
                  left_out);
    buf_adds(out, "</details>\n");
    json_decref(objects);
    json_decref(ways);
}

void page_topology(const json_t *page, struct buf *out)
{
    const json_t *topology = json_object_get(page, "topology");
    struct map map = { .page = page,
                       .nodes = json_object_get(topology, "nodes"),
                       .edges = json_object_get(topology, "edges") };
    read_nodes(&map);
    read_edges(&map);
    if (map.count) {
        buf_adds(out,
                 "<section id=\"topology\">\n<h2>Topology</h2>\n<p class=\"soft small\">A "
                 "line leads from what is needed to what needs it. What follows from others is "
                 "not drawn.</p>\n<div class=\"box tall\">\n");
        add_picture(&map, out);
        buf_adds(out, "</div>\n");
        add_table(&map, out);
        buf_adds(out, "</section>\n");
    }
    for (size_t i = 0; i < map.count; i++)
        buf_release(&map.kinds[i]);
    free(map.kinds);
    free(map.needs);
    free(map.tied);
    json_decref(map.places);
    json_decref(map.within);
}
