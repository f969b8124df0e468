/* What becomes of each component in the course of an apply, recorded from its progress. */
#ifndef UI_TIMELINE_H
#define UI_TIMELINE_H

#include <jansson.h>
#include <stddef.h>

#include "ui/progress.h"

struct timeline;

struct timeline *timeline_new(size_t components);
void timeline_free(struct timeline *timeline);

/* Records what the progress of these components tells, which began `begin_ms` after the whole. */
void timeline_follow(struct timeline *timeline, struct progress *progress, long begin_ms);

/*
 * For each component its changes: [[{ ms, state, words }]], with the state as "waiting",
 * "applying", "rolling", "missing", "ready", "failed" or "blocked", and milliseconds since the
 * whole began. Of very many the first and the last are kept. A new reference.
 */
json_t *timeline_json(const struct timeline *timeline);

#endif
