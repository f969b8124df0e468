/*
 * What can be seen before an apply's first write, cheaply: rights that it will need later, quotas
 * of objects, and whether any node is large enough for the pods. No list of pods.
 */
#ifndef DOCTOR_PREFLIGHT_H
#define DOCTOR_PREFLIGHT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/identity.h"
#include "release/plan.h"

/*
 * Returns 0, or -1: ERR_UNREACHABLE for rights that are lacking, ERR_REFUSED for objects that a
 * quota has no room for. `*warnings` gets sentences on pods that no node takes as they are (an
 * autoscaler may bring one) and on quotas of pods: a new reference in both cases. What may not be
 * read is not looked at; nothing is, of a plan that sends nothing.
 */
int preflight(struct kube_client *client, const struct plan *plan, const struct identity *identity,
              json_t **warnings, struct err *err);

#endif
