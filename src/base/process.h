/* Another program's output, for values that the operator lets it give. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Runs argv (found by PATH, NULL at its end; no shell) with no input and its own standard error,
 * and adds what it prints to `out`. Returns 0, or -1 with ERR_FAILED: not found, ended otherwise
 * than with 0, more output than `out` takes, not done within 60 seconds, or interrupted.
 */
int process_output(const char *const *argv, struct buf *out, struct err *err);

#endif
