/*
 * What is below the workloads of some namespaces (ReplicaSets, pods, claims) and their events, kept
 * up to date by one watch a kind and namespace. What may not be read is left out and noted: it
 * makes diagnoses poorer, nothing else.
 */
#ifndef ROLLOUT_LOOKOUT_H
#define ROLLOUT_LOOKOUT_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/client.h"
#include "rollout/diagnosis.h"

struct lookout;

struct lookout *lookout_new(struct kube_client *client);
void lookout_free(struct lookout *lookout);

/*
 * Begins to listen for Warnings in a namespace, which cost next to nothing as long as all goes
 * well: its pods may be ten thousand. Nothing when that, or more, is done already.
 */
void lookout_listen(struct lookout *lookout, const char *namespace);

/* Whether there was one (an old one counts, too), or they may not be read: it is time to look. */
bool lookout_is_alarmed(const struct lookout *lookout, const char *namespace);

/* Begins to watch a namespace; nothing when that is done already. */
void lookout_open(struct lookout *lookout, const char *namespace);

/* Asks for the nodes, once: they are many and big, so only when their taints are of interest. Who
 * may not read them does without. */
void lookout_ask_nodes(struct lookout *lookout);

/* Ends the watches; what they have brought stays. */
void lookout_stop(struct lookout *lookout);

/* Whether something has been heard since it was asked last. */
bool lookout_has_news(struct lookout *lookout);

/* Sets the maps of `world`, the lookout's; they are NULL for a namespace that is not watched. */
void lookout_world(const struct lookout *lookout, const char *namespace,
                   struct diagnosis_world *world);

/*
 * Reads a namespace once more when the watches have ended, so that what is told afterwards is not
 * of a watch that had only begun; what has gone meanwhile is kept. Blocks: outside of callbacks
 * only.
 */
void lookout_settle(struct lookout *lookout, const char *namespace);

/* Sentences on what may not be read, the lookout's: an array. */
const json_t *lookout_notes(const struct lookout *lookout);

#endif
