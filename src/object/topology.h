/*
 * What a profile is made of and how its parts hang together, as values:
 *   { profile, environment, namespace,
 *     nodes: [ { id, kind, name, label, component, namespace, origin, external, status, words } ],
 *     edges: [ { from, to, why, implied } ] }
 * First come the components (kind "Component"), then their objects, both in the order of the
 * profile, then what these refer to without being of the profile (`external`), such as hosts,
 * existing Secrets and the claims that a StatefulSet makes. Edges are told once for a pair, with
 * all that they are for ("env, volume"); a need that follows from others is `implied`. What does
 * not apply is left out. The same profile gives the same value.
 */
#ifndef OBJECT_TOPOLOGY_H
#define OBJECT_TOPOLOGY_H

#include <jansson.h>
#include <stddef.h>

#include "object/profile.h"

/* A new reference. */
json_t *topology_make(const struct profile *profile);

/* The node of a component, by its index; borrowed. */
json_t *topology_component(const json_t *topology, size_t index);

/*
 * Notes how an object stands, by its place among all objects of the profile: "ready", "rolling",
 * "missing", "failed" or "unknown", and words to it. Its component is as the worst of its objects.
 */
void topology_mark(json_t *topology, size_t object, const char *status, const char *words);

#endif
