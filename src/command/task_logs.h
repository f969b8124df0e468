/*
 * What the tasks of a release (release/task.h) print, shown while an apply waits for them: a line
 * each, with the component's name. Runs in the client's loop, as background calls.
 */
#ifndef COMMAND_TASK_LOGS_H
#define COMMAND_TASK_LOGS_H

#include "kube/client.h"
#include "release/plan.h"
#include "ui/progress.h"

struct task_logs;

/* Follows from now on the tasks of a plan that run already. NULL when there are no tasks, which is
 * nothing to the others. `plan` is borrowed, and `progress`, above whose lines the logs go. */
struct task_logs *task_logs_new(struct kube_client *client, const struct plan *plan,
                                struct progress *progress);
void task_logs_free(struct task_logs *logs);

/* The component is about to be applied: follows its task, if it is one. */
void task_logs_begin(struct task_logs *logs, size_t component);

/* It is ready, or has failed: waits a moment for the rest of its log. */
void task_logs_end(struct task_logs *logs, size_t component);

#endif
