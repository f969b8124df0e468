/*
 * What is written down about an apply in the cluster: the inventory, wide enough before the first
 * object is sent and narrow again when what has left is gone, and the revision, begun before and
 * ended after. Whatever stops in between finds its way from these.
 */
#ifndef RELEASE_RECORD_H
#define RELEASE_RECORD_H

#include <stdbool.h>

#include "base/err.h"
#include "release/plan.h"
#include "release/revision.h"

struct record {
    struct kube_client *client;
    const struct identity *identity;
    struct revision *revisions; /* those that are there, ascending */
    size_t count;
    int number; /* of the one that was begun; 0: none */
};

/* Reads which revisions there are. Returns 0 or -1; record_release() in both cases. */
int record_open(struct record *record, struct kube_client *client, const struct identity *identity,
                struct err *err);
void record_release(struct record *record);

/* The newest revision, or the newest below `below` that ended well; NULL when there is none. */
const struct revision *record_last(const struct record *record);
const struct revision *record_last_done(const struct record *record, int below);

/* Whether this plan is worth a revision: it changes something, or the last one did not end well. */
bool record_is_due(const struct record *record, const struct plan *plan);

/* Widens the inventory by what the plan will bring, and begins a revision of `about` (whose number
 * and outcome are set here) with what the profile made. An earlier one that never ended is marked
 * as interrupted. Returns 0 or -1. */
int record_begin(struct record *record, const struct plan *plan, const struct revision *about,
                 const json_t *source, int keep, struct err *err);

/* The inventory is what the profile has, and what is kept of the rest. */
int record_narrow(struct record *record, const struct plan *plan, struct err *err);

/* Ends the revision that was begun; with none, the last one, when it was applied without waiting
 * and all has come up now. */
int record_end(struct record *record, const char *outcome, const char *summary, struct err *err);

#endif
