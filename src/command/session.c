#include "command/session.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/kubeconfig.h"

static bool same_server(const char *a, const char *b)
{
    size_t length = strlen(a), other = strlen(b);
    while (length && a[length - 1] == '/')
        length--;
    while (other && b[other - 1] == '/')
        other--;
    return length == other && strncmp(a, b, length) == 0;
}

/* An environment may be pinned to its cluster; another one is not touched. */
static int check_pin(const struct profile *profile, const struct kube_access *access,
                     struct err *err)
{
    const struct pin *pin = &profile->pin;
    if (pin->server && !same_server(pin->server, access->server))
        return err_set(err, ERR_PROFILE,
                       "%s: environment '%s' belongs to the server %s, but context '%s' is %s; "
                       "choose another --context",
                       pin->origin, profile->environment, pin->server, access->context,
                       access->server);
    if (pin->context && fnmatch(pin->context, access->context, 0) != 0)
        return err_set(err, ERR_PROFILE,
                       "%s: environment '%s' belongs to contexts '%s', not '%s'; choose another "
                       "--context",
                       pin->origin, profile->environment, pin->context, access->context);
    return 0;
}

static int check_pinned_uid(const struct session *session, struct err *err)
{
    const struct profile *profile = &session->profile;
    json_t *namespace;
    if (!profile->pin.uid)
        return 0;
    if (kube_fetch(session->client, "GET", "/api/v1/namespaces/kube-system", NULL, NULL, &namespace,
                   err) < 0)
        return err_wrap(err, "%s: to know the cluster", profile->pin.origin);
    const char *uid =
        json_string_value(json_object_get(json_object_get(namespace, "metadata"), "uid"));
    int result = 0;
    if (!uid || strcmp(uid, profile->pin.uid) != 0)
        result = err_set(err, ERR_PROFILE,
                         "%s: environment '%s' belongs to the cluster whose kube-system has uid "
                         "%s; that of %s is %s",
                         profile->pin.origin, profile->environment, profile->pin.uid,
                         session->cluster, uid ? uid : "not known");
    json_decref(namespace);
    return result;
}

static int connect_to_cluster(struct session *session, const struct options *options,
                              struct err *err)
{
    struct kube_access access;
    if (kube_access_load(&access, options->kubeconfig, options->context, err) != 0)
        return -1;
    if (check_pin(&session->profile, &access, err) != 0) {
        kube_access_release(&access);
        return -1;
    }
    session->cluster = xasprintf("context '%s' (%s)", access.context, access.server);
    session->client = kube_client_new(&access, err);
    kube_access_release(&access);
    return session->client ? check_pinned_uid(session, err) : -1;
}

int session_open(struct session *session, const struct options *options, struct err *err)
{
    *session = (struct session){ .client = NULL };
    if (script_eval(&options->script, &session->profile, err) != 0)
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
