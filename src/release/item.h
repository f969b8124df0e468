/*
 * One object on its way onto the cluster: what other managers had is adopted, claims are grown,
 * what can't be changed is deleted and made anew, the rest is applied; then it is followed until it
 * is ready. Which object goes when is for release/apply.h.
 */
#ifndef RELEASE_ITEM_H
#define RELEASE_ITEM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/plan.h"
#include "rollout/tracker.h"
#include "rollout/verdict.h"

enum item_state { ITEM_PENDING, ITEM_SENT, ITEM_APPLIED, ITEM_READY };

struct items;

struct item {
    struct items *all;
    const struct work_item *work;
    const struct survey_item *found;
    enum item_state state;
    bool managed;            /* its managers' fields were moved to us */
    json_t *live;            /* as it was read for that once more; NULL: the plan's serves */
    int adoptions;           /* tries of that */
    size_t claims;           /* that are being grown */
    bool grown;              /* they all were */
    bool replaced;           /* was deleted to be made anew */
    bool altered;            /* was created or changed */
    bool doomed;             /* was being deleted when it was applied: to be made anew */
    int late;                /* tries that came before the server served the new kind */
    json_t *object;          /* while no tracker has it; see item_live() */
    struct verdict *verdict; /* NULL: none was told yet; see item_verdict() */
};

struct items {
    struct kube_client *client;
    const struct plan *plan;
    struct tracker *tracker; /* NULL once nothing is followed any more */
    bool no_wait;            /* but for namespaces and CRDs, what is applied is ready */
    bool has_own_rules;      /* somebody else may say when an object is ready */
    bool stopped;            /* what comes in is counted, and starts nothing */
    struct item *list;       /* as many as plan->work->items */
    size_t count;
    size_t created, changed, unchanged;
    /* Some item has come further; one has failed (`whole`: as all others would, since the API
     * server can't be reached). From the client's callbacks. */
    void (*moved)(struct item *item, void *arg);
    void (*failed)(struct item *item, const struct err *err, bool whole, void *arg);
    void *arg;
};

/* Makes the list; the other fields are the caller's to fill in before. */
void items_init(struct items *items);
void items_release(struct items *items);

/* Sends the item; one that is as described is only followed. */
void item_send(struct item *item);

/* Whether the plan has something to send of it. */
bool item_is_to_send(const struct item *item);

/* How it stands, as told last; all zero before. */
const struct verdict *item_verdict(const struct item *item);

/* The newest that is known of the object on the cluster, borrowed; NULL: nothing is. */
const json_t *item_live(const struct item *item);

/* Ends the following; what is known of the objects stays. */
void items_stop(struct items *items);

#endif
