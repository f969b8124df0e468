/* What doctor looks at (doctor/world.h), read from the cluster once, all kinds at the same time. */
#ifndef DOCTOR_GATHER_H
#define DOCTOR_GATHER_H

#include <jansson.h>

#include "base/err.h"
#include "doctor/world.h"
#include "kube/client.h"
#include "release/work.h"

struct gathered {
    struct doctor_world world;
    json_t *wanted, *live, *needs; /* what `world` has borrowed */
};

/* The sections that a kind that can't be read is noted in. */
struct gather_sections {
    json_t *configuration, *resources, *network;
};

/* Reads everything. What may not be read is noted. Returns 0, or -1 with err after an interrupt;
 * release in both cases. */
int gather(struct gathered *gathered, struct kube_client *client, const struct work *work,
           const struct gather_sections *sections, struct err *err);
void gather_release(struct gathered *gathered);

#endif
