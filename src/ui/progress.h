/*
 * A line per component while the work goes on: rewritten in place on a terminal, a plain line at
 * each change elsewhere (a file, a CI log). NO_COLOR and TERM=dumb are heeded (no-color.org).
 */
#ifndef UI_PROGRESS_H
#define UI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct progress;

enum progress_state {
    PROGRESS_WAITING,
    PROGRESS_APPLYING,
    PROGRESS_ROLLING, /* applied, not ready yet */
    PROGRESS_MISSING, /* not there */
    PROGRESS_DONE,
    PROGRESS_FAILED,
};

/* `names` of `count` lines are borrowed. `out` is usually stderr. */
struct progress *progress_new(FILE *out, const char *const *names, size_t count);

/* Sets the state and its words ("Deployment web: 1 of 3 available"); shows the change. */
void progress_set(struct progress *progress, size_t line, enum progress_state state,
                  const char *words);

/* To be called about every second, for running times and reminders. Returns the milliseconds until
 * it should be called next. */
long progress_tick(struct progress *progress);

/* Leaves the lines as they are and the cursor below them. */
void progress_free(struct progress *progress);

/* Whether `out` is a terminal on which the cursor can be moved. */
bool progress_in_place(FILE *out);

/* Whether to colour what goes to `out`. */
bool progress_colour(FILE *out);

#endif
