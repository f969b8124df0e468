/* What every command that works on a cluster begins with: the profile and the way to the server. */
#ifndef COMMAND_SESSION_H
#define COMMAND_SESSION_H

#include "command/command.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "object/profile.h"
#include "release/work.h"

struct session {
    char *cluster; /* for people: "context 'local' (https://127.0.0.1:6443)" */
    struct profile profile;
    struct kube_client *client;
    struct kube_discovery *discovery;
    struct work work;
};

/* Evaluates the profile before anything of the cluster is touched. Returns 0, or -1 with err, the
 * session then being released. */
int session_open(struct session *session, const struct options *options, struct err *err);
void session_close(struct session *session);

#endif
