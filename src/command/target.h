/* A release on a cluster, by its name or by its profile. */
#ifndef COMMAND_TARGET_H
#define COMMAND_TARGET_H

#include <stdbool.h>

#include "command/command.h"
#include "kube/client.h"
#include "release/identity.h"

struct target {
    struct kube_client *client;
    struct identity identity;
    char *namespace; /* that of the kubeconfig's context */
    char *cluster;   /* for people: "context 'local' (https://127.0.0.1:6443)" */
};

/*
 * The first argument is the path of a profile, which is evaluated for its name and namespace, or
 * the name of a release: in the namespace of --namespace, else in the one namespace of the cluster
 * that has such a release. Returns 0, or -1 with err: ERR_USAGE when there is none or more than
 * one.
 */
int target_open(struct target *target, const struct options *options, struct err *err);

/* The same of a profile that is evaluated already. */
int target_open_profile(struct target *target, const struct profile *profile,
                        const struct options *options, struct err *err);
void target_close(struct target *target);

/* Whether a first argument is the path of a profile: a file, a folder that has one, or what can't
 * be a release's name. */
bool target_is_profile(const char *word);

/* The way to the cluster alone: client and `cluster`. Returns 0 or -1; close in both cases. */
int target_connect(struct target *target, const struct options *options, struct err *err);

/* The source of the newest revision of its release; `sealed`: Secrets have no values in it, and no
 * key is asked for. The caller's; NULL with err. */
json_t *target_newest(struct target *target, bool sealed, struct err *err);

#endif
