/* A topology (object/topology.h) as a text that other programs draw. Components are boxes around
 * their objects; a status is a colour. */
#ifndef UI_GRAPH_H
#define UI_GRAPH_H

#include <jansson.h>

#include "base/buf.h"

/* A flowchart of Mermaid, as GitHub and GitLab draw it. */
void graph_mermaid(const json_t *topology, struct buf *out);

/* A digraph in the DOT language of Graphviz. */
void graph_dot(const json_t *topology, struct buf *out);

#endif
