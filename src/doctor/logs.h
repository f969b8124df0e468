/* What the pods of a release have logged of errors in the last ten minutes. */
#ifndef DOCTOR_LOGS_H
#define DOCTOR_LOGS_H

#include <jansson.h>

#include "base/err.h"
#include "doctor/world.h"
#include "kube/client.h"

/* Reads the logs, within bounds, and adds a finding for each kind of line; values of Secrets are
 * taken out. What can't be read is noted. Returns 0, or -1 with err after an interrupt. */
int logs_look(const struct doctor_world *world, struct kube_client *client, json_t *section,
              struct err *err);

#endif
