/*
 * What a release remembers of its last apply: for each object a mark of what was sent and of how
 * our entry in its managedFields was then. As long as a list shows the same entry, and the profile
 * makes the same object, none of our fields was changed by anyone: another writer would have taken
 * the field over (kubernetes.io/docs/reference/using-api/server-side-apply, "Field management"),
 * one under our name would have changed the entry's time. So nothing needs to be asked or sent.
 *
 * The marks are a Secret of the release; one that is lost costs a slower apply, nothing else, and
 * an old one can't lie: a mark holds for exactly the state that it was made of.
 */
#ifndef RELEASE_MEMORY_H
#define RELEASE_MEMORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/identity.h"

struct memory;

/* Reads the marks; none are known where they are missing, damaged, or not to be read by this user.
 * NULL with err when the server can't be asked at all. Free with memory_free(). */
struct memory *memory_load(struct kube_client *client, const struct identity *identity,
                           struct err *err);
void memory_free(struct memory *memory);

/* The mark of an object of the profile that lies at `path`, and of the live one, of which metadata
 * serves. 0 when there is none: the live object has no entry of ours. */
uint64_t memory_mark(struct memory *memory, const char *path, const json_t *object,
                     const json_t *live);

/* Whether the last apply left this mark. */
bool memory_has(const struct memory *memory, uint64_t mark);

/* Takes a mark into what memory_write() writes down; 0 is left out. */
void memory_keep(struct memory *memory, uint64_t mark);

/* Writes down what was kept, if that is something else than what was there; also after an
 * interrupt. Returns 0 or -1. */
int memory_write(struct memory *memory, struct err *err);

#endif
