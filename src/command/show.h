/* A plan as people read it. */
#ifndef COMMAND_SHOW_H
#define COMMAND_SHOW_H

#include <stdio.h>

#include "command/session.h"
#include "release/plan.h"
#include "release/prune.h"

/* A line for each object that changes, by component, and the sum: "2 to create, 1 to change". */
void show_summary(FILE *out, const struct session *session, const struct plan *plan);

/* Each change in full, as a unified text with the lines of the profile. */
void show_changes(FILE *out, struct session *session, const struct plan *plan);

/* The same as values: [{ component, origin, object, action, sign, notes, text }], the text as
 * ui/changes.h has it; what has left the profile is without a component. A new reference. */
json_t *show_changes_json(struct session *session, const struct plan *plan);

/* What the survey refused, a line each, but for the first (which the error tells). */
void show_refusals(FILE *out, const struct plan *plan);

/* "hooks: before_apply, on_failure": those of the profile, where something is to be done. */
void show_hooks(FILE *out, const struct session *session, const struct plan *plan);

/* "2 to create, 1 to change; 5 unchanged". The caller's. */
char *show_counts(const struct plan_counts *counts);

/* The plan as JSON on standard output: release, counts, and the steps that do something, each
 * change with the line of the profile that made it. */
void show_json(struct session *session, const struct plan *plan);

/* What a plan does, without what changes in each object: { counts, objects }. A new reference. */
json_t *show_steps(struct session *session, const struct plan *plan);

/* An object that has gone, as an event tells it. A new reference. */
json_t *show_gone(const struct member *member, enum prune_fate fate);

/* The counts by name, a new reference. */
json_t *show_counts_json(const struct plan_counts *counts);

#endif
