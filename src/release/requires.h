/*
 * What a profile needs of other releases on the cluster, by version: "bkiam ^1.12.0". A release is
 * known by the recommended labels
 * (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels): a namespace of its
 * part-of, or a Deployment of its instance or name; its version is app.kubernetes.io/version, or
 * that of helm.sh/chart.
 */
#ifndef RELEASE_REQUIRES_H
#define RELEASE_REQUIRES_H

#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "object/profile.h"

/* Asks the cluster for each requirement of the profile. Returns 0, or -1 with ERR_PROFILE for the
 * first one that no release fulfils. */
int requires_check(struct kube_client *client, const struct profile *profile, struct err *err);

/* Whether a version ("1.12.3", "v4.5.1-alpha.401") lies in a range: "^1.2.0" (same leftmost number
 * that is not 0), "~1.2.0" (same first two), ">=1.2", "1.2" (those numbers), "" (any). What follows
 * the numbers of a version does not count. */
bool requires_in_range(const char *version, const char *range);

#endif
