/*
 * A place for each part of a graph without cycles: in columns, every part right of all that it
 * needs, with few lines that cross, and near to what it hangs together with. After K. Sugiyama,
 * "Methods for visual understanding of hierarchical system structures" (1981), in the plain form:
 * longest paths, means of the neighbours, least squares.
 */
#ifndef UI_LAYERS_H
#define UI_LAYERS_H

#include <stdbool.h>
#include <stddef.h>

struct layers_size {
    double height; /* of a part, the space below it included */
    double lane;   /* of a line that goes through a column */
    double window; /* higher columns begin at the top each, so that all are in sight there */
};

/* A part, or a line on its way through a column between two parts. */
struct layers_node {
    size_t part; /* of a line, the part that it comes from */
    bool is_line;
    size_t column;
    double y; /* of its middle, from 0 */
    size_t order;
};

/* From a node of one column to one of the next. */
struct layers_link {
    size_t from, to;
};

struct layers {
    struct layers_node *nodes; /* the parts come first */
    size_t count;
    struct layers_link *links;
    size_t link_count;
    size_t columns;
    double height;
};

/* `needs` holds `need_count` pairs { part, what it needs }, without cycles. Release in any case. */
void layers_make(struct layers *layers, size_t parts, const size_t (*needs)[2], size_t need_count,
                 const struct layers_size *size);
void layers_release(struct layers *layers);

#endif
