/*
 * Which pods of a profile no node takes, by the scheduler's own rules on what is known beforehand:
 * requests against what is free, selectors and node affinity, taints, cordons, required (anti-)
 * affinity between pods, and topology spread (kubernetes.io/docs/concepts/scheduling-eviction).
 */
#ifndef DOCTOR_FIT_H
#define DOCTOR_FIT_H

#include <jansson.h>

#include "doctor/world.h"

/*
 * Adds a finding for each component with pods that are missing and have no room, and one for all
 * components whose pods no node would take for the same reason, though they run.
 */
void fit_look(const struct doctor_world *world, json_t *section);

/* What a pod asks for, { "cpu": 0.5, "memory": 1e9 }: its containers' sum or its largest init
 * container, and its overhead. A new reference. */
json_t *fit_requests(const json_t *pod_spec);

/* The same of limits. */
json_t *fit_limits(const json_t *pod_spec);

/* Quantities as numbers, { "cpu": 0.5 }. A new reference. */
json_t *fit_amounts(const json_t *quantities);

/* Why a node can't take a pod whatever is free on it, "has the taint dedicated=db:NoSchedule"; NULL
 * when it can. The caller's. */
char *fit_refusal(const json_t *node, const json_t *pod_spec);

/* "1.5", "512Mi": an amount of a resource for people. The caller's. */
char *fit_amount(const char *resource, double amount);

/* The first resource of a request that is more than what is free, or NULL; `*lack` is by how much.
 */
const char *fit_lacking(const json_t *requests, const json_t *free, double *lack);

#endif
