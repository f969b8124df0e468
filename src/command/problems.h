/* What is wrong with the objects of a profile by themselves, told without a cluster. */
#ifndef COMMAND_PROBLEMS_H
#define COMMAND_PROBLEMS_H

#include <jansson.h>

#include "object/schema.h"

/*
 * Holds each object of what a profile made (object/profile.h) against its schema, those of the
 * profile's own CRDs included, which are added to `set` (NULL: to one of its own). Returns a new
 * reference, [{ component, object (indexes), path, severity, rule, message }], as script_review()
 * takes it.
 */
json_t *problems_of(const json_t *made, struct schema_set *set);

#endif
