/*
 * The parts of a doctor, each of what was gathered (doctor/world.h) into the findings of its
 * section (doctor/finding.h). Nothing here asks the cluster.
 */
#ifndef DOCTOR_SECTIONS_H
#define DOCTOR_SECTIONS_H

#include <jansson.h>

#include "doctor/world.h"

/* References of pods to what is not there, or has changed since they read it; pods of another image
 * than their workload has. `sections` has what was told before. */
void configuration_look(const struct doctor_world *world, const json_t *sections, json_t *section);

/* Room on nodes, quotas, claims, autoscalers, disruption budgets; with fit.h and quota.h. */
void resources_look(const struct doctor_world *world, json_t *section);

/* Containers that end, for want of memory or by themselves, and of which nothing was told. */
void restarts_look(const struct doctor_world *world, const json_t *sections, json_t *section);

/* Services, routes; with policies.h. */
void network_look(const struct doctor_world *world, const json_t *sections, json_t *section);

/* NetworkPolicies that cut what components need of each other. */
void policies_look(const struct doctor_world *world, json_t *section);

/* Workloads that have not come up, and why; each into the section (configuration, resources,
 * network) that the cause belongs to. */
void workloads_look(const struct doctor_world *world, const json_t *sections, json_t *configuration,
                    json_t *resources, json_t *network);

#endif
