/*
 * The revisions of a release, a Secret each in its namespace: what was applied, when, by whom, and
 * how it went. Their contents are the source of the profile, in which the values of Secrets are
 * sealed by the release's own key, another Secret, made when it is needed first. A listing reads
 * metadata alone.
 */
#ifndef RELEASE_REVISION_H
#define RELEASE_REVISION_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/identity.h"

/* Texts are NULL or "" where nothing is known. */
struct revision {
    int number;
    char *outcome; /* applying, done, failed, interrupted, ... */
    char *when;    /* RFC 3339; revision_write(): NULL is now */
    char *who;     /* revision_write(): NULL is who runs the program */
    char *profile, *environment, *commit, *message, *summary;
};

/* All revisions, ascending; texts are never NULL. Free with revision_list_free(). Returns 0 or -1.
 */
int revision_list(struct kube_client *client, const struct identity *identity,
                  struct revision **list, size_t *count, struct err *err);
void revision_list_free(struct revision *list, size_t count);

/*
 * Writes a revision. What is cut off in between is no revision: the Secret of that name comes last.
 * Texts of more than 2000 bytes are cut. Returns 0, or -1 with ERR_LOCKED when the number is taken.
 */
int revision_write(struct kube_client *client, const struct identity *identity,
                   const struct revision *revision, const json_t *source, struct err *err);

/*
 * The source that was written; `*source` is the caller's reference. Returns 0, or -1: ERR_USAGE
 * when there is no such revision, ERR_FAILED naming the Secret when it is damaged or its values
 * can't be unsealed.
 */
int revision_read(struct kube_client *client, const struct identity *identity, int number,
                  json_t **source, struct err *err);

/* The same with the values of Secrets as they lie there, { "sealed": "..." }; asks for no key. */
int revision_read_sealed(struct kube_client *client, const struct identity *identity, int number,
                         json_t **source, struct err *err);

/* How it went, and a line about it (NULL: as it was). Also after an interrupt, within 3 s. Returns
 * 0 or -1. */
int revision_set_outcome(struct kube_client *client, const struct identity *identity, int number,
                         const char *outcome, const char *summary, struct err *err);

/* Deletes the oldest beyond the newest `keep` (at least 1), but never the last one that is done,
 * and what a writer left that was cut off. Returns 0 or -1. */
int revision_trim(struct kube_client *client, const struct identity *identity, int keep,
                  struct err *err);

#endif
