/*
 * Values of Secrets that the profile leaves to be made: passwords and key pairs. What the cluster
 * has already is kept, so that they are made once and stable from then on.
 */
#ifndef RELEASE_GENERATE_H
#define RELEASE_GENERATE_H

#include "base/err.h"
#include "kube/client.h"
#include "object/profile.h"

/*
 * Replaces in the profile's Secrets every value of `data` that is a description
 *   { generate = "password", length, alphabet }
 *   { generate = "rsa" | "tls", part, pair, bits, names, days }   (parts of one `pair` belong
 * together) by base64 of what the live Secret has under that key, or of a fresh one. Asks the
 * cluster only when there is something to fill. Returns 0 or -1.
 */
int generate_fill(struct kube_client *client, const struct profile *profile, struct err *err);

#endif
