/*
 * What is wrong with a release, or will be: access, configuration, resources, network, logs; each
 * with evidence and a remedy. Reads only, but for a probe that is asked for.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "doctor/drift.h"
#include "kube/client.h"
#include "release/identity.h"
#include "release/work.h"

struct doctor_request {
    struct kube_client *client;
    const struct work *work;
    const struct identity *identity;
    /* Findings of a check of the profile, as script_review() gives them; NULL: none was made. */
    const json_t *check;
    /* The plan of the profile (or the release's newest revision), refused or not; NULL with the
     * reason in `no_plan`. */
    const struct plan *plan;
    const struct err *no_plan;
    struct drift_options drift;
    const char *probe_image; /* of a pod that tries backends outside; NULL: none is made */
};

/*
 * The sections, [{ name, state, checked?, note?, findings }] as in finding.h, a new reference. NULL
 * with err when the cluster is lost on the way, or after an interrupt.
 */
json_t *doctor_run(const struct doctor_request *request, struct err *err);

/* The same when there is no way to the cluster: why, the check, and nothing else. */
json_t *doctor_offline(const json_t *check, const struct err *why);

/* Whether the sections have a finding. */
bool doctor_has_findings(const json_t *sections);

#endif
