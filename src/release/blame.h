/*
 * Which field of a described object a cause of failure comes from.
 */
#ifndef RELEASE_BLAME_H
#define RELEASE_BLAME_H

#include <jansson.h>

#include "release/work.h"
#include "rollout/diagnosis.h"

/* The path of the field, or NULL when no one field is to blame. A new reference. */
json_t *blame_field(const struct work_item *item, const struct diagnosis *diagnosis);

/* "Deployment web, env PASSWORD": who reads what is missing. The caller's to free. */
char *blame_reader(const struct work_item *item, const struct diagnosis *diagnosis);

#endif
