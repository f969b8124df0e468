/*
 * Why what an apply waits for does not come up. The namespaces that something waits in are watched
 * from the moment that the wait gets long; a cause that is certain and stays so for a grace, the
 * component's own or that of all, is doom.
 */
#ifndef RELEASE_REASONS_H
#define RELEASE_REASONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "kube/client.h"
#include "release/work.h"
#include "rollout/diagnosis.h"

enum reasons_state {
    REASONS_UNSENT, /* not applied yet */
    REASONS_NEVER,  /* nor will it be: its component has failed, or is blocked */
    REASONS_WAITS,  /* applied, not ready */
    REASONS_FAILED, /* the same, but nobody waits for it any more: what was found of it stays */
    REASONS_READY,
};

/* What the apply knows of the items of its work. */
struct reasons_ways {
    enum reasons_state (*state)(size_t index, void *arg);
    /* The newest state of an object, borrowed; may be NULL. */
    const json_t *(*live)(size_t index, void *arg);
    void *arg;
};

struct reasons;

struct reasons *reasons_new(struct kube_client *client, const struct work *work,
                            const struct reasons_ways *ways, long grace_ms);
void reasons_free(struct reasons *reasons);

/* Looks at what waits; to be called when reasons_due() says so, outside of the client's callbacks.
 * `*changed` tells whether another diagnosis came out. Returns the index of an item that is doomed,
 * else the count of items. */
size_t reasons_look(struct reasons *reasons, bool *changed);

/* Milliseconds until the next look, at least 1. */
long reasons_due(const struct reasons *reasons);

/* Ends the watching, before the client is drained; NULL is nothing. */
void reasons_stop(struct reasons *reasons);

/* The last look, after that: with what is on the cluster now, no matter for how long anything
 * has waited. Blocks for some requests. */
void reasons_settle(struct reasons *reasons);

/* What keeps the item from coming up, free of values of the profile's Secrets; NULL: not known. */
const struct diagnosis *reasons_of(const struct reasons *reasons, size_t index);

/* The events that matter for the item, as of diagnosis_events(), and the values taken out. A new
 * reference. */
json_t *reasons_events(const struct reasons *reasons, size_t index);

/* The values of the profile's Secrets, for mask_text(): an array, the reasons'. */
const json_t *reasons_secrets(const struct reasons *reasons);

/* Sentences on what could not be looked at: an array, the reasons'. */
const json_t *reasons_notes(const struct reasons *reasons);

#endif
