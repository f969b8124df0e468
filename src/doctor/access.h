/* The way to the cluster: its release, its clock, and what this user may do there. */
#ifndef DOCTOR_ACCESS_H
#define DOCTOR_ACCESS_H

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/identity.h"
#include "release/work.h"

/* Adds findings to the section. Returns 0, or -1 with err: the cluster can't be reached, or an
 * interrupt. */
int access_look(struct kube_client *client, const struct work *work,
                const struct identity *identity, json_t *section, struct err *err);

/* By the server's "v1.36": whether it is further off from what bkdeploy knows than versions of
 * Kubernetes may be apart; then a finding. */
void access_version(const char *server, json_t *section);

/* By how many milliseconds this machine's clock is ahead of the server's. */
void access_clock(long long ahead_ms, json_t *section);

/* What apply does with the objects of the work, and for itself, as permissions.h has it. A new
 * reference. */
json_t *access_needs(const struct work *work, const struct identity *identity);

#endif
