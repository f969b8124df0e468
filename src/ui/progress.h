/*
 * A line per component while the work goes on: redrawn in place on a terminal (ui/board.h), a plain
 * line at each change elsewhere (a file, a CI log). What comes from elsewhere is shown as text,
 * never obeyed.
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
    PROGRESS_BLOCKED, /* never begun: what it needs has failed */
};

/* Called at each change of state or words, with milliseconds since progress_new(). `words` is
 * borrowed. */
typedef void progress_event_fn(size_t index, enum progress_state state, const char *words, long ms,
                               void *arg);

/* `names` of `count` lines are borrowed; the array itself may go. `in_place`: `out`, usually
 * stderr, is a terminal of ours alone. */
struct progress *progress_new(FILE *out, bool in_place, const char *const *names, size_t count);

/* The lines in another order than that of their indexes: `order` has the index of each line. Before
 * anything is set. */
void progress_order(struct progress *progress, const size_t *order);

/* Has every change told to a listener, too; there may be several, called in this order. */
void progress_listen(struct progress *progress, progress_event_fn *listener, void *arg);

/* How much of a line's component is ready; shown at the next change or tick. */
void progress_count(struct progress *progress, size_t index, int ready, int wanted);
void progress_counted(const struct progress *progress, size_t index, int *ready, int *wanted);

/* Sets the state and its words ("Deployment web: 1 of 3 available"); shows the change. */
void progress_set(struct progress *progress, size_t index, enum progress_state state,
                  const char *words);

/* A line of text above the lines of progress, as it is but made safe, to `out`. `progress` may be
 * NULL: there are none. */
void progress_say(struct progress *progress, FILE *out, const char *line);

/* To be called again and again, for running times, the window's size, and reminders. Returns the
 * milliseconds until it should be called next. */
long progress_tick(struct progress *progress);

/* Takes the lines off the terminal: what they told is of no interest any more. */
void progress_clear(struct progress *progress);

/* Leaves the lines as they are and the cursor below them. */
void progress_free(struct progress *progress);

#endif
