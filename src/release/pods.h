/* Which pods an object of a release has, told from the object alone. */
#ifndef RELEASE_PODS_H
#define RELEASE_PODS_H

#include <jansson.h>

/* The query that lists them in the object's namespace, "labelSelector=app%3Dweb"; NULL for what has
 * no pods. The caller's. */
char *pods_query(const json_t *object);

#endif
