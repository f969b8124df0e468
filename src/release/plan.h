/*
 * All that an apply will do: what becomes of each object of the profile, and of the objects of the
 * release that the profile no longer has. Made without a write; the same profile on the same
 * cluster gives the same plan.
 */
#ifndef RELEASE_PLAN_H
#define RELEASE_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "object/schema.h"
#include "release/identity.h"
#include "release/inventory.h"
#include "release/removal.h"
#include "release/survey.h"

/* What becomes of an object that has left the profile. */
enum plan_fate {
    PLAN_DELETE,
    PLAN_KEEP,   /* protected, data, or it holds something that would go with it */
    PLAN_IN_USE, /* earlier content that a workload still refers to */
};

struct plan_leaver {
    const struct member *member;
    enum plan_fate fate;
    const char *why; /* of PLAN_KEEP */
};

struct plan {
    struct work *work;         /* borrowed */
    const char *set_id;        /* of the release's ApplySet; borrowed */
    struct memory *memory;     /* holds the marks of what is the same; the apply adds to it */
    struct survey_item *items; /* one for each of work->items */
    struct inventory inventory;
    struct member *gone; /* those of its members that have left, as they are there */
    struct removal removal;
    struct plan_leaver *leavers;
    size_t leavers_count;
};

struct plan_counts {
    size_t create, change, replace, grow, delete, keep, same;
};

struct plan_options {
    struct survey_options survey; /* set_id is filled in */
    bool wait;                    /* what is the same but has not come up is waited for */
    bool (*has_own_rule)(const struct work_item *item, void *arg); /* as of census.h */
    void *own_arg;
};

/* Asks the cluster. Returns 0, or -1 with the first refusal in err; release in both cases: then
 * `items` tell of the others. */
int plan_make(struct plan *plan, struct kube_client *client, struct work *work,
              const struct identity *identity, const struct plan_options *options, struct err *err);
void plan_release(struct plan *plan);

void plan_count(const struct plan *plan, struct plan_counts *counts);

/* Whether there is nothing to send. */
bool plan_is_empty(const struct plan *plan);

/* "create", "change", "replace", "grow", "none". */
const char *plan_action_name(enum survey_action action);

/* The changes of one object, as of object/diff.h, less those of its values if it is a Secret. A new
 * reference. */
json_t *plan_changes(const struct plan *plan, const struct schema_set *set, size_t index);

/*
 * The plan as values: [{ component, origin, apiVersion, kind, namespace, name, action, uid,
 * resourceVersion, changes, notes }], with "delete", "keep" and "in use" for those that have left.
 * A new reference.
 */
json_t *plan_steps(const struct plan *plan, const struct schema_set *set);

/*
 * Whether this plan does what the steps of another one said: the same action, and the same change
 * of each object whose resourceVersion has moved. What would be deleted but was not said to be is
 * kept (its fate becomes PLAN_KEEP). Returns 0, or -1 with ERR_CONFLICT that names the first
 * difference.
 */
int plan_hold_to(struct plan *plan, const struct schema_set *set, const json_t *steps,
                 struct err *err);

#endif
