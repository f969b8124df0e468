/*
 * A plan as a file: what the profile made, the steps that it leads to, and on which cluster, with a
 * hash over all of it. Values of Secrets are not in it: those that don't change are read from the
 * cluster again, those to be generated are made by the apply, and others are sealed by the
 * operator's key or left out.
 */
#ifndef COMMAND_PLAN_FILE_H
#define COMMAND_PLAN_FILE_H

#include <stdbool.h>

#include "command/session.h"
#include "release/plan.h"

/* Whether a path is a file that holds a plan (or what begins like one). */
bool plan_file_is(const char *path);

/*
 * Writes a new file. `source` is what the profile made before its Secrets were filled; `key_path`
 * names a file with the operator's key, or is NULL. `*left_out` counts the values that the file
 * lacks: then it can't be applied. Returns 0 or -1.
 */
int plan_file_write(struct session *session, const struct plan *plan, const json_t *source,
                    const char *key_path, const char *path, size_t *left_out, struct err *err);

/* Reads one. Returns a new reference: { source, steps, cluster, release, made, options }, or NULL
 * with ERR_PROFILE when it is none or was altered. */
json_t *plan_file_read(const char *path, struct err *err);

/* Puts the values of Secrets back into the source that the session was opened with, and holds the
 * cluster to that of the plan. Returns 0 or -1. */
int plan_file_fill(struct session *session, const json_t *file, const char *key_path,
                   struct err *err);

#endif
