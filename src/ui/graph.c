#include "ui/graph.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "ui/shown.h"

/* How the nodes of a kind look. */
struct shape {
    const char *kind;
    const char *open, *close; /* in Mermaid */
    const char *dot;
};

static const struct shape shapes[] = {
    { "Service", "([", "])", "ellipse" },
    { "Ingress", "{{", "}}", "hexagon" },
    { "HTTPRoute", "{{", "}}", "hexagon" },
    { "Gateway", "{{", "}}", "hexagon" },
    { "Host", "((", "))", "oval" },
    { "ConfigMap", "[/", "/]", "note" },
    { "Secret", "[/", "/]", "note" },
    { "PersistentVolumeClaim", "[(", ")]", "cylinder" },
    { "HorizontalPodAutoscaler", "[\\", "\\]", "trapezium" },
};
static const struct shape box = { "", "[", "]", "box" };

static const struct {
    const char *status, *fill, *stroke;
} colours[] = {
    { "ready", "#d8f0dd", "#1a7f37" },   { "rolling", "#fdf0c9", "#9a6700" },
    { "missing", "#eceff2", "#6e7781" }, { "unknown", "#eceff2", "#6e7781" },
    { "failed", "#ffdcd8", "#cf222e" },
};
enum { COLOURS = sizeof colours / sizeof *colours };

/* What both languages are written from. */
struct drawing {
    const json_t *nodes, *edges;
    json_t *places; /* an id to the index of its node */
    struct buf *out;
};

static struct drawing begin(const json_t *topology, struct buf *out)
{
    struct drawing drawing = { json_object_get(topology, "nodes"),
                               json_object_get(topology, "edges"), json_object(), out };
    size_t i;
    json_t *node;
    json_array_foreach((json_t *)drawing.nodes, i, node)
        json_object_set_new(drawing.places, object_text(node, "id"), json_integer((json_int_t)i));
    return drawing;
}

static size_t place(const struct drawing *drawing, const json_t *edge, const char *end)
{
    return (size_t)json_integer_value(json_object_get(drawing->places, object_text(edge, end)));
}

static bool is_component(const json_t *node)
{
    return strcmp(object_text(node, "kind"), "Component") == 0 &&
           json_object_get(node, "origin") != NULL;
}

static const struct shape *shape_of(const json_t *node)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(object_text(node, "kind"), shapes[i].kind) == 0)
            return &shapes[i];
    return &box;
}

/* Calls each for the nodes of a component, "": for those of none. */
static void each_within(const struct drawing *drawing, const char *component,
                        void (*each)(const struct drawing *drawing, size_t index))
{
    size_t i;
    json_t *node;
    json_array_foreach((json_t *)drawing->nodes, i, node) {
        if (!is_component(node) && strcmp(object_text(node, "component"), component) == 0)
            each(drawing, i);
    }
}

/* ---- Mermaid ---- */

/* Within quotes, where `#35;` is a character by its number: all but what surely means nothing. */
static void mermaid_text(struct buf *out, const char *text)
{
    struct buf shown = BUF_INIT;
    shown_add(&shown, text, strlen(text));
    for (const char *c = buf_text(&shown); *c; c++) {
        unsigned char byte = (unsigned char)*c;
        bool plain = byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= 'a' && byte <= 'z') || strchr(" ./:-_,", byte);
        if (plain)
            buf_add(out, c, 1);
        else
            buf_addf(out, "#%u;", byte);
    }
    buf_release(&shown);
}

static void mermaid_node(const struct drawing *drawing, size_t index)
{
    const json_t *node = json_array_get(drawing->nodes, index);
    const struct shape *shape = shape_of(node);
    struct buf *out = drawing->out;
    buf_addf(out, "  n%zu%s\"", index, shape->open);
    if (strcmp(object_text(node, "kind"), "Host") != 0) {
        mermaid_text(out, object_text(node, "kind"));
        buf_adds(out, " ");
    }
    mermaid_text(out, object_text(node, "label"));
    buf_addf(out, "\"%s\n", shape->close);
}

static void mermaid_classes(const struct drawing *drawing)
{
    struct buf *out = drawing->out;
    size_t i;
    json_t *node;
    for (size_t k = 0; k < COLOURS; k++) {
        const char *status = colours[k].status;
        bool any = false;
        json_array_foreach((json_t *)drawing->nodes, i, node) {
            if (strcmp(object_text(node, "status"), status) != 0)
                continue;
            buf_addf(out, any ? ",n%zu" : "  class n%zu", i);
            any = true;
        }
        if (any)
            buf_addf(out, " %s\n  classDef %s fill:%s,stroke:%s,color:#1f2328\n", status, status,
                     colours[k].fill, colours[k].stroke);
    }
}

void graph_mermaid(const json_t *topology, struct buf *out)
{
    struct drawing drawing = begin(topology, out);
    size_t i;
    json_t *node, *edge;
    buf_adds(out, "flowchart LR\n");
    json_array_foreach((json_t *)drawing.nodes, i, node) {
        if (!is_component(node))
            continue;
        buf_addf(out, "  subgraph n%zu[\"", i);
        mermaid_text(out, object_text(node, "label"));
        buf_adds(out, "\"]\n");
        each_within(&drawing, object_text(node, "name"), mermaid_node);
        buf_adds(out, "  end\n");
    }
    each_within(&drawing, "", mermaid_node);
    json_array_foreach((json_t *)drawing.edges, i, edge) {
        bool needs = strcmp(object_text(edge, "why"), "needs") == 0;
        if (json_object_get(edge, "implied"))
            continue;
        buf_addf(out, "  n%zu %s", place(&drawing, edge, "from"), needs ? "==>" : "-->|\"");
        if (!needs) {
            mermaid_text(out, object_text(edge, "why"));
            buf_adds(out, "\"|");
        }
        buf_addf(out, " n%zu\n", place(&drawing, edge, "to"));
    }
    mermaid_classes(&drawing);
    json_decref(drawing.places);
}

/* ---- DOT ---- */

/* Within quotes; Graphviz reads \N and the like there, and &amp; as HTML does. */
static void dot_text(struct buf *out, const char *text)
{
    struct buf shown = BUF_INIT;
    shown_add(&shown, text, strlen(text));
    for (const char *c = buf_text(&shown); *c; c++) {
        if (*c == '&')
            buf_adds(out, "&amp;");
        else if (*c == '"' || *c == '\\')
            buf_addf(out, "\\%c", *c);
        else
            buf_add(out, c, 1);
    }
    buf_release(&shown);
}

static void dot_colour(struct buf *out, const json_t *node)
{
    for (size_t k = 0; k < COLOURS; k++)
        if (strcmp(object_text(node, "status"), colours[k].status) == 0)
            buf_addf(out, " fillcolor=\"%s\" color=\"%s\"", colours[k].fill, colours[k].stroke);
}

static void dot_node(const struct drawing *drawing, size_t index)
{
    const json_t *node = json_array_get(drawing->nodes, index);
    struct buf *out = drawing->out;
    buf_addf(out, "    n%zu [shape=%s label=\"", index, shape_of(node)->dot);
    if (strcmp(object_text(node, "kind"), "Host") != 0) {
        dot_text(out, object_text(node, "kind"));
        buf_adds(out, "\\n");
    }
    dot_text(out, object_text(node, "label"));
    buf_adds(out, "\"");
    dot_colour(out, node);
    if (json_is_true(json_object_get(node, "external")))
        buf_adds(out, " style=\"dashed,filled\"");
    buf_adds(out, "];\n");
}

static void dot_component(const struct drawing *drawing, size_t index)
{
    const json_t *node = json_array_get(drawing->nodes, index);
    struct buf *out = drawing->out;
    buf_addf(out,
             "  subgraph \"cluster_n%zu\" {\n    style=\"rounded,filled\" fillcolor=\"#f6f8fa\" "
             "color=\"#afb8c1\" label=\"",
             index);
    dot_text(out, object_text(node, "label"));
    buf_adds(out, "\"");
    dot_colour(out, node);
    /* An edge of Graphviz goes from node to node: each box has one for those from box to box. */
    buf_addf(out, ";\n    n%zu [shape=point style=invis];\n", index);
    each_within(drawing, object_text(node, "name"), dot_node);
    buf_adds(out, "  }\n");
}

void graph_dot(const json_t *topology, struct buf *out)
{
    struct drawing drawing = begin(topology, out);
    size_t i;
    json_t *node, *edge;
    buf_adds(out, "digraph \"");
    dot_text(out, object_text(topology, "profile"));
    buf_adds(out, "\" {\n  rankdir=LR; compound=true; newrank=true;\n  node "
                  "[fontname=\"sans-serif\" fontsize=10 "
                  "style=filled fillcolor=\"#ffffff\" color=\"#57606a\"];\n  edge "
                  "[fontname=\"sans-serif\" fontsize=8 color=\"#57606a\"];\n  graph "
                  "[fontname=\"sans-serif\" fontsize=11];\n");
    json_array_foreach((json_t *)drawing.nodes, i, node) {
        if (is_component(node))
            dot_component(&drawing, i);
    }
    each_within(&drawing, "", dot_node);
    json_array_foreach((json_t *)drawing.edges, i, edge) {
        size_t from = place(&drawing, edge, "from"), to = place(&drawing, edge, "to");
        if (json_object_get(edge, "implied"))
            continue;
        buf_addf(out, "  n%zu -> n%zu [", from, to);
        if (is_component(json_array_get(drawing.nodes, from))) {
            buf_addf(out, "ltail=\"cluster_n%zu\" lhead=\"cluster_n%zu\" penwidth=2", from, to);
        } else {
            buf_adds(out, "label=\"");
            dot_text(out, object_text(edge, "why"));
            buf_adds(out, "\"");
        }
        buf_adds(out, "];\n");
    }
    buf_adds(out, "}\n");
    json_decref(drawing.places);
}
