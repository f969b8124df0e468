/*
 * What an operator wants to know when an apply has not come up, as values: the one cause that the
 * rest waits for, and of each component that failed its reason, events, log, and what this apply
 * has changed. ui/report.h prints it.
 *   { root: { component, origin, object, reason, since, try, readers: [text], blocks: [[name]] },
 *     components: [ { component, origin, object, pod, container, cause, reason, since, certain,
 *                     events: [as of diagnosis_events()],
 *                     log: { container, previous, lines, note },
 *                     changed: [ { object, action, changes } ], try } ],
 *     blocked: [ { component, origin, by } ], notes: [text] }
 * What is not known is left out. Values of the profile's Secrets are nowhere in it.
 */
#ifndef RELEASE_REPORT_H
#define RELEASE_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/client.h"
#include "object/schema.h"
#include "release/item.h"
#include "release/part.h"
#include "release/plan.h"
#include "release/reasons.h"

struct report_options {
    const struct schema_set *schemas;
    /* As of struct survey_options; may be NULL. */
    const char *(*origin)(const struct work_item *item, const json_t *path, void *arg);
    void *origin_arg;
};

/* How the apply ended. */
struct report_outcome {
    const struct plan *plan;
    const struct reasons *reasons; /* settled */
    const struct items *items;
    const struct part *parts; /* one for each component */
    struct reasons_ways ways;
    bool late; /* the time was over */
};

/* Asks the cluster for logs, and for nothing after an interrupt. NULL when there is nothing to
 * tell. */
json_t *report_make(struct kube_client *client, const struct report_outcome *outcome,
                    const struct report_options *options);

#endif
