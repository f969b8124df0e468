/* Another program's output, for values that the operator lets it give. No shell is between. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Runs argv (found by PATH, NULL at its end) with no input and its own standard error, and adds
 * what it prints to `out`. Returns 0, or -1 with ERR_FAILED: not found, ended otherwise than with
 * 0, more output than `out` takes, not done within 60 seconds, or interrupted.
 */
int process_output(const char *const *argv, struct buf *out, struct err *err);

/* The same step by step, for who has other work meanwhile. */
struct process {
    const char *name;
    pid_t pid;
    int fd; /* readable when there is something to read, or nothing will be any more */
    int status;
    bool over;
};

int process_start(struct process *process, const char *const *argv, struct err *err);

/* Reads what is there. Returns 1, 0 at the end, or -1 with err. */
int process_read(struct process *process, struct buf *out, struct err *err);

/* Whether the program has ended. */
bool process_is_over(struct process *process);

/* Ends with it, and ends it when it is not over. */
void process_stop(struct process *process);

/* How it ended: 0, or -1 with err. */
int process_result(const struct process *process, struct err *err);

#endif
