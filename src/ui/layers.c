#include "ui/layers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SWEEPS = 12, SHIFTS = 12 };

struct graph {
    struct layers *layers;
    size_t parts;
    const size_t (*needs)[2];
    size_t need_count;
    const struct layers_size *size;
    size_t **columns; /* the nodes of each, in their order */
    size_t *lengths;
    size_t *starts; /* of the links from each column, which stand together */
    double *means;  /* a node's wish */
};

/* ---- columns ---- */

/* Each part one column right of the last that it needs. */
static void find_columns(struct graph *graph)
{
    struct layers_node *nodes = graph->layers->nodes;
    bool moved = true;
    for (size_t round = 0; moved && round <= graph->parts; round++) {
        moved = false;
        for (size_t i = 0; i < graph->need_count; i++) {
            const size_t *need = graph->needs[i];
            if (nodes[need[0]].column > nodes[need[1]].column)
                continue;
            nodes[need[0]].column = nodes[need[1]].column + 1;
            moved = true;
        }
    }
    for (size_t i = 0; i < graph->parts; i++)
        if (nodes[i].column >= graph->layers->columns)
            graph->layers->columns = nodes[i].column + 1;
}

/* A part that nothing else holds stands right before the first that needs it. */
static void pull_right(struct graph *graph)
{
    struct layers_node *nodes = graph->layers->nodes;
    for (size_t i = graph->parts; i-- > 0;) {
        size_t nearest = SIZE_MAX;
        bool is_root = true;
        for (size_t k = 0; k < graph->need_count; k++) {
            is_root &= graph->needs[k][0] != i;
            if (graph->needs[k][1] == i && nodes[graph->needs[k][0]].column < nearest)
                nearest = nodes[graph->needs[k][0]].column;
        }
        if (is_root && nearest != SIZE_MAX)
            nodes[i].column = nearest - 1;
    }
}

static size_t add_node(struct layers *layers, struct layers_node node)
{
    layers->nodes = xrealloc(layers->nodes, (layers->count + 1) * sizeof *layers->nodes);
    layers->nodes[layers->count] = node;
    return layers->count++;
}

static void add_link(struct layers *layers, size_t from, size_t to)
{
    layers->links = xrealloc(layers->links, (layers->link_count + 1) * sizeof *layers->links);
    layers->links[layers->link_count++] = (struct layers_link){ from, to };
}

/* Lines from one part share their way through the columns between. */
static void add_lines(struct graph *graph)
{
    struct layers *layers = graph->layers;
    size_t *lane = xcalloc(graph->parts * (layers->columns + 1) + 1, sizeof *lane); /* node + 1 */
    for (size_t i = 0; i < graph->need_count; i++) {
        size_t target = graph->needs[i][0], source = graph->needs[i][1], from = source;
        for (size_t c = layers->nodes[source].column + 1; c < layers->nodes[target].column; c++) {
            size_t *known = &lane[source * layers->columns + c];
            if (!*known) {
                struct layers_node line = { .part = source, .is_line = true, .column = c };
                *known = 1 + add_node(layers, line);
                add_link(layers, from, *known - 1);
            }
            from = *known - 1;
        }
        add_link(layers, from, target);
    }
    free(lane);
}

/* ---- order ---- */

/* Puts the links in the order of the columns that they come from. */
static void sort_links(struct graph *graph)
{
    struct layers *layers = graph->layers;
    struct layers_link *sorted = xcalloc(layers->link_count + 1, sizeof *sorted);
    size_t *next = xcalloc(layers->columns + 2, sizeof *next);
    graph->starts = xcalloc(layers->columns + 2, sizeof *graph->starts);
    for (size_t i = 0; i < layers->link_count; i++)
        graph->starts[layers->nodes[layers->links[i].from].column + 1]++;
    for (size_t c = 0; c <= layers->columns; c++) {
        next[c] = graph->starts[c];
        graph->starts[c + 1] += graph->starts[c];
    }
    for (size_t i = 0; i < layers->link_count; i++)
        sorted[next[layers->nodes[layers->links[i].from].column]++] = layers->links[i];
    free(layers->links);
    free(next);
    layers->links = sorted;
}

static void fill_columns(struct graph *graph)
{
    struct layers *layers = graph->layers;
    graph->columns = xcalloc(layers->columns + 1, sizeof *graph->columns);
    graph->lengths = xcalloc(layers->columns + 1, sizeof *graph->lengths);
    for (size_t i = 0; i < layers->count; i++)
        layers->nodes[i].order = graph->lengths[layers->nodes[i].column]++;
    for (size_t c = 0; c < layers->columns; c++)
        graph->columns[c] = xcalloc(graph->lengths[c] + 1, sizeof **graph->columns);
    for (size_t i = 0; i < layers->count; i++)
        graph->columns[layers->nodes[i].column][layers->nodes[i].order] = i;
}

static double place_of(const struct layers_node *node, bool by_order)
{
    return by_order ? (double)node->order : node->y;
}

/* The wishes of a column's nodes: the mean place of those that each is linked to, on the sides that
 * count. */
static void find_means(struct graph *graph, size_t column, bool left, bool right, bool by_order)
{
    struct layers *layers = graph->layers;
    const size_t *nodes = graph->columns[column], length = graph->lengths[column];
    size_t *counts = xcalloc(length + 1, sizeof *counts);
    for (size_t i = 0; i < length; i++)
        graph->means[nodes[i]] = 0;
    size_t first = graph->starts[left && column > 0 ? column - 1 : column];
    for (size_t i = first; i < graph->starts[right ? column + 1 : column]; i++) {
        const struct layers_link *link = &layers->links[i];
        bool comes = layers->nodes[link->to].column == column;
        size_t own = comes ? link->to : link->from, other = comes ? link->from : link->to;
        graph->means[own] += place_of(&layers->nodes[other], by_order);
        counts[layers->nodes[own].order]++;
    }
    for (size_t i = 0; i < length; i++)
        graph->means[nodes[i]] = counts[i] ? graph->means[nodes[i]] / (double)counts[i]
                                           : place_of(&layers->nodes[nodes[i]], by_order);
    free(counts);
}

/* By the wishes; what wishes the same stays as it is. */
static void sort_column(struct graph *graph, size_t column)
{
    size_t *nodes = graph->columns[column];
    for (size_t i = 1; i < graph->lengths[column]; i++) {
        size_t node = nodes[i], k = i;
        for (; k > 0 && graph->means[nodes[k - 1]] > graph->means[node]; k--)
            nodes[k] = nodes[k - 1];
        nodes[k] = node;
    }
    for (size_t i = 0; i < graph->lengths[column]; i++)
        graph->layers->nodes[nodes[i]].order = i;
}

static void find_order(struct graph *graph)
{
    size_t columns = graph->layers->columns;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        bool rightwards = sweep % 2 == 0;
        for (size_t c = 1; c < columns; c++) {
            size_t column = rightwards ? c : columns - 1 - c;
            find_means(graph, column, rightwards, !rightwards, true);
            sort_column(graph, column);
        }
    }
}

/* ---- places ---- */

static double room(const struct graph *graph, size_t node)
{
    return graph->layers->nodes[node].is_line ? graph->size->lane : graph->size->height;
}

/*
 * Puts the nodes of a column as near to their wishes as their order and their heights allow, by
 * least squares: neighbours that would be too near form a block that stands at the mean of what its
 * members wish (pool adjacent violators).
 */
static void place_column(struct graph *graph, size_t column)
{
    const size_t *nodes = graph->columns[column];
    size_t length = graph->lengths[column], blocks = 0;
    double *offset = xcalloc(length + 1, sizeof *offset); /* below the first of the column */
    double *sum = xcalloc(length + 1, sizeof *sum);
    size_t *members = xcalloc(length + 1, sizeof *members);
    for (size_t i = 0; i < length; i++) {
        if (i > 0)
            offset[i] = offset[i - 1] + (room(graph, nodes[i - 1]) + room(graph, nodes[i])) / 2;
        sum[blocks] = graph->means[nodes[i]] - offset[i];
        members[blocks++] = 1;
        while (blocks > 1 && sum[blocks - 2] / (double)members[blocks - 2] >
                                 sum[blocks - 1] / (double)members[blocks - 1]) {
            sum[blocks - 2] += sum[blocks - 1];
            members[blocks - 2] += members[blocks - 1];
            blocks--;
        }
    }
    for (size_t b = 0, i = 0; b < blocks; b++)
        for (size_t k = 0; k < members[b]; k++, i++)
            graph->layers->nodes[nodes[i]].y = sum[b] / (double)members[b] + offset[i];
    free(offset);
    free(sum);
    free(members);
}

static void find_places(struct graph *graph)
{
    struct layers *layers = graph->layers;
    double least = 0, most = 0, highest = 0;
    for (size_t c = 0; c < layers->columns; c++) {
        double y = 0;
        for (size_t i = 0; i < graph->lengths[c]; i++) {
            size_t node = graph->columns[c][i];
            layers->nodes[node].y = y + room(graph, node) / 2;
            y += room(graph, node);
        }
        highest = y > highest ? y : highest;
    }
    for (int shift = 0; highest <= graph->size->window && shift < SHIFTS; shift++) {
        for (size_t i = 0; i < layers->columns; i++) {
            bool last = shift == SHIFTS - 1;
            size_t column = shift % 2 ? i : layers->columns - 1 - i;
            find_means(graph, column, true, !last || i == 0, false);
            place_column(graph, column);
        }
    }
    for (size_t i = 0; i < layers->count; i++) {
        double half = room(graph, i) / 2, y = layers->nodes[i].y;
        least = i == 0 || y - half < least ? y - half : least;
        most = i == 0 || y + half > most ? y + half : most;
    }
    for (size_t i = 0; i < layers->count; i++)
        layers->nodes[i].y -= least;
    layers->height = most - least;
}

void layers_make(struct layers *layers, size_t parts, const size_t (*needs)[2], size_t need_count,
                 const struct layers_size *size)
{
    struct graph graph = {
        .layers = layers, .parts = parts, .needs = needs, .need_count = need_count, .size = size
    };
    *layers = (struct layers){ .nodes = xcalloc(parts + 1, sizeof *layers->nodes), .count = parts };
    for (size_t i = 0; i < parts; i++)
        layers->nodes[i].part = i;
    find_columns(&graph);
    pull_right(&graph);
    add_lines(&graph);
    sort_links(&graph);
    fill_columns(&graph);
    graph.means = xcalloc(layers->count + 1, sizeof *graph.means);
    find_order(&graph);
    find_places(&graph);
    for (size_t c = 0; c < layers->columns; c++)
        free(graph.columns[c]);
    free(graph.columns);
    free(graph.lengths);
    free(graph.starts);
    free(graph.means);
}

void layers_release(struct layers *layers)
{
    free(layers->nodes);
    free(layers->links);
    *layers = (struct layers){ NULL };
}
