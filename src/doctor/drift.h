/* Where the cluster is not as the profile says, field by field, with who changed it and when. */
#ifndef DOCTOR_DRIFT_H
#define DOCTOR_DRIFT_H

#include <jansson.h>

#include "object/schema.h"
#include "release/plan.h"

struct drift_options {
    const struct schema_set *schemas;
    /* As of survey_options. */
    const char *(*origin)(const struct work_item *item, const json_t *path, void *arg);
    void *arg;
    const char *apply; /* the command that puts it right, "bkdeploy apply profiles/x -e dev" */
};

/*
 * Adds a finding for each object that an apply of the plan would change, make or delete, and for
 * each that it could not. The plan was made so that fields of others are taken (survey_options
 * .force). Nothing of an object that may not be read or tried: that is a note.
 */
void drift_look(const struct plan *plan, const struct drift_options *options, json_t *section);

/*
 * Who set the field at a path (object/path.h) of a live object: the entry of its managedFields,
 * the newest if there are several; NULL when nobody owns it. `after` is the object that the
 * indexes of the path are of.
 */
const json_t *drift_manager(const json_t *live, const json_t *after, const json_t *path);

#endif
