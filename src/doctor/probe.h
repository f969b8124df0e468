/*
 * Whether backends outside of the cluster can be reached from inside: a Job of one pod that tries
 * to connect to each, and is deleted then. The only part of a doctor that writes.
 */
#ifndef DOCTOR_PROBE_H
#define DOCTOR_PROBE_H

#include <jansson.h>

#include "base/err.h"
#include "doctor/world.h"
#include "kube/client.h"

/*
 * What is to be tried, [{ host, port, component }], a new reference: Services of the profile that
 * have no pods behind them, and pairs of variables X_HOST and X_PORT of its containers that name
 * such a Service or a host that is no Service of the profile.
 */
json_t *probe_targets(const struct doctor_world *world);

/* Tries them from `namespace` by `image`, which has sh and nc, and adds a finding for each that is
 * not reached. What keeps the pod from running is a note. Returns 0, or -1 with err after an
 * interrupt. */
int probe_look(const struct doctor_world *world, struct kube_client *client, const char *namespace,
               const char *image, json_t *section, struct err *err);

#endif
