/*
 * Tasks: Jobs that a release runs while it is applied. Their annotation says when, beside whenever
 * their description changes: "changed" not at all, "always" at every apply that does something
 * else. One that has failed runs again in both cases.
 */
#ifndef RELEASE_TASK_H
#define RELEASE_TASK_H

#include <jansson.h>
#include <stdbool.h>

#include "release/plan.h"

#define TASK_ANNOTATION "bkdeploy/task"

/* Whether an object is one. */
bool task_is(const json_t *object);

/* Whether the Job, as it is on the cluster, has come to its end, well or not. */
bool task_is_over(const json_t *live);

/* Makes a plan that is complete replace the tasks that are to run again, with a note why. */
void task_settle(struct plan *plan);

#endif
