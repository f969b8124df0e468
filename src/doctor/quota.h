/*
 * ResourceQuotas and LimitRanges of a namespace against what a profile brings: what is used up,
 * what won't be let in, and by how much (kubernetes.io/docs/concepts/policy).
 */
#ifndef DOCTOR_QUOTA_H
#define DOCTOR_QUOTA_H

#include <jansson.h>

#include "doctor/world.h"

/*
 * What objects would add to a quota, under its names: { "pods": 2, "requests.cpu": 1, "services":
 * 1, "count/deployments.apps": 1 }. `collection` is the path of the object's collection, or NULL
 * when it is not to be made; `pods` how many pods it is to get.
 */
void quota_add(json_t *needs, const json_t *object, const char *collection, size_t pods);

/*
 * The first name under which a quota has less left than is needed, NULL when there is none; how
 * much is left and how much is needed. A quota with scopes is taken for one without pods: they may
 * not be of its scope.
 */
const char *quota_short(const json_t *quota, const json_t *needs, double *left, double *needed);

/* Adds findings: quotas that are used up or have no room for what is missing or for one more pod of
 * a rollout; containers outside of a LimitRange. */
void quota_look(const struct doctor_world *world, json_t *section);

#endif
