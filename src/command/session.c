#include "command/session.h"

#include <stdlib.h>

#include "base/mem.h"
#include "kube/kubeconfig.h"

static int connect_to_cluster(struct session *session, const struct options *options,
                              struct err *err)
{
    struct kube_access access;
    if (kube_access_load(&access, options->kubeconfig, options->context, err) != 0)
        return -1;
    session->cluster = xasprintf("context '%s' (%s)", access.context, access.server);
    session->client = kube_client_new(&access, err);
    kube_access_release(&access);
    return session->client ? 0 : -1;
}

int session_open(struct session *session, const struct options *options, struct err *err)
{
    *session = (struct session){ .client = NULL };
    if (script_eval(options->profile, options->environment, &options->limits, &session->profile,
                    err) != 0)
        return -1;
    int result = connect_to_cluster(session, options, err);
    if (result == 0) {
        session->discovery = kube_discovery_new(session->client);
        result = work_init(&session->work, &session->profile, session->discovery, err);
    }
    if (result != 0)
        session_close(session);
    return result;
}

void session_close(struct session *session)
{
    work_release(&session->work);
    kube_discovery_free(session->discovery);
    kube_client_free(session->client);
    profile_release(&session->profile);
    free(session->cluster);
}
