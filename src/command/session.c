#include "command/session.h"

#include <fnmatch.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/problems.h"
#include "command/target.h"
#include "kube/curl.h"
#include "kube/kubeconfig.h"
#include "release/revision.h"
#include "ui/findings.h"

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

char *session_cluster_uid(struct session *session, struct err *err)
{
    json_t *namespace;
    if (kube_fetch(session->client, "GET", "/api/v1/namespaces/kube-system", NULL, NULL, &namespace,
                   err) < 0)
        return NULL;
    const char *uid =
        json_string_value(json_object_get(json_object_get(namespace, "metadata"), "uid"));
    char *copy = xstrdup(uid ? uid : "not known");
    json_decref(namespace);
    return copy;
}

static int check_pinned_uid(struct session *session, struct err *err)
{
    const struct profile *profile = &session->profile;
    if (!profile->pin.uid)
        return 0;
    char *uid = session_cluster_uid(session, err);
    if (!uid)
        return err_wrap(err, "%s: to know the cluster", profile->pin.origin);
    int result = 0;
    if (strcmp(uid, profile->pin.uid) != 0)
        result = err_set(err, ERR_PROFILE,
                         "%s: environment '%s' belongs to the cluster whose kube-system has uid "
                         "%s; that of %s is %s",
                         profile->pin.origin, profile->environment, profile->pin.uid,
                         session->cluster, uid);
    free(uid);
    return result;
}

static int connect_to_cluster(struct session *session, struct err *err)
{
    const struct options *options = session->options;
    struct kube_access access;
    if (kube_access_load(&access, options->kubeconfig, options->context, err) != 0)
        return -1;
    if (check_pin(&session->profile, &access, err) != 0) {
        kube_access_release(&access);
        return -1;
    }
    session->cluster = xasprintf("context '%s' (%s)", access.context, access.server);
    session->server = xstrdup(access.server);
    session->client = kube_client_new(&access, err);
    kube_access_release(&access);
    return session->client ? check_pinned_uid(session, err) : -1;
}

/* From the evaluated profile on. */
static int begin(struct session *session, struct err *err)
{
    const struct profile *profile = &session->profile;
    int result = connect_to_cluster(session, err);
    if (result == 0)
        result = identity_init(&session->identity, profile->name, profile->namespace, err);
    if (result == 0) {
        session->discovery = kube_discovery_new(session->client);
        result = work_init(&session->work, profile, session->discovery, err);
    }
    if (result != 0)
        session_close(session);
    return result;
}

int session_open(struct session *session, const struct options *options, struct err *err)
{
    *session = (struct session){ .options = options };
    /* Loading takes the most memory of all that is done: better before there is a profile. */
    if (!curl_load(err))
        return -1;
    if (script_eval_keeping(&options->script, &session->profile, &session->script, err) != 0)
        return -1;
    return begin(session, err);
}

int session_open_source(struct session *session, json_t *source, const struct options *options,
                        struct err *err)
{
    *session = (struct session){ .options = options, .has_no_origins = true };
    if (profile_init(&session->profile, source, err) != 0)
        return -1;
    return begin(session, err);
}

int session_open_any(struct session *session, const struct options *options, struct err *err)
{
    struct target target;
    if (target_is_profile(options->script.path)) {
        if (session_open(session, options, err) != 0)
            return -1;
        const struct profile *profile = &session->profile;
        if (!options->namespace || strcmp(options->namespace, profile->namespace) == 0)
            return 0;
        err_set(err, ERR_USAGE, "profile '%s', environment '%s', is for namespace '%s', not '%s'",
                profile->name, profile->environment, profile->namespace, options->namespace);
        session_close(session);
        return -1;
    }
    if (target_open(&target, options, err) != 0)
        return -1;
    json_t *source = target_newest(&target, true, err);
    target_close(&target);
    int result = source ? session_open_source(session, source, options, err) : -1;
    json_decref(source);
    return result;
}

void session_close(struct session *session)
{
    work_release(&session->work);
    identity_release(&session->identity);
    kube_discovery_free(session->discovery);
    schema_set_free(session->schemas);
    script_close(session->traced);
    free(session->asked);
    profile_release(&session->profile);
    script_close(session->script);
    kube_client_free(session->client); /* the last: its libraries are needed once more */
    free(session->cluster);
    free(session->server);
    free(session->origin);
}

/* ---- mistakes of form ---- */

static size_t count_errors(const json_t *findings)
{
    size_t i, count = 0;
    json_t *finding;
    json_array_foreach(findings, i, finding) {
        const char *severity = json_string_value(json_object_get(finding, "severity"));
        count += severity && strcmp(severity, "error") == 0;
    }
    return count;
}

/* The errors among the findings of a check of the same profile; the lines come from there. */
static json_t *find_errors(struct session *session, const json_t *problems, struct err *err)
{
    struct script *script = script_open(&session->options->script, SCRIPT_CHECK, err);
    json_t *findings = script ? script_review(script, problems, err) : NULL;
    script_close(script);
    for (size_t i = json_array_size(findings); i-- > 0;) {
        const json_t *severity = json_object_get(json_array_get(findings, i), "severity");
        if (strcmp(json_string_value(severity), "error") != 0)
            json_array_remove(findings, i);
    }
    return findings;
}

int session_check_form(struct session *session, struct err *err)
{
    if (!session->schemas)
        session->schemas = schema_set_new();
    json_t *problems = problems_of(session->profile.source, session->schemas);
    json_t *errors = NULL;
    int result = 0;
    if (count_errors(problems) > 0 && !session->has_no_origins) {
        errors = find_errors(session, problems, err);
        result = errors ? 0 : -1;
    }
    if (json_array_size(errors) > 0) {
        findings_list(stderr, errors);
        result = err_set(err, ERR_PROFILE, "%zu mistake%s in the profile; nothing was sent",
                         json_array_size(errors), json_array_size(errors) == 1 ? "" : "s");
    }
    json_decref(errors);
    json_decref(problems);
    return result;
}

/* ---- origins ---- */

void session_expect(struct session *session, const struct plan *plan)
{
    if (session->traced || session->has_no_origins)
        return;
    if (!session->asked)
        session->asked = xcalloc(session->profile.count, sizeof *session->asked);
    for (size_t i = 0; i < session->work.count; i++)
        if (plan->items[i].action != SURVEY_SAME || json_array_size(plan->items[i].notes) > 0)
            session->asked[session->work.items[i].component] = true;
}

void session_keep_expected(struct session *session)
{
    if (!session->asked)
        return;
    work_keep(&session->work, session->asked);
    profile_keep(&session->profile, session->asked);
    malloc_trim(0); /* free pages between others are not given back of themselves */
}

/* Evaluates the profile once more, for the origins of what is to be asked for; of everything when
 * more is asked than was expected. */
static void trace(struct session *session, size_t component)
{
    size_t count = session->profile.count;
    struct err ignored = ERR_INIT;
    if (!session->traced && !session->asked)
        session->asked = xcalloc(count, sizeof *session->asked);
    for (size_t i = 0; session->traced && i < count; i++)
        session->asked[i] = true;
    session->asked[component] = true;
    script_close(session->traced);
    curl_let_go(); /* nothing is asked of the cluster meanwhile */
    session->traced =
        script_open_origins(&session->options->script, session->asked, count, &ignored);
    session->has_no_origins = session->traced == NULL;
}

const char *session_origin(const struct work_item *item, const json_t *path, void *arg)
{
    struct session *session = arg;
    struct err err = ERR_INIT;
    if (session->has_no_origins)
        return NULL;
    if (!session->traced || !session->asked[item->component])
        trace(session, item->component);
    json_t *lines = session->traced
                        ? script_origin(session->traced, item->component, item->index, path, &err)
                        : NULL;
    free(session->origin);
    const char *last = json_string_value(json_array_get(lines, json_array_size(lines) - 1));
    session->origin = last ? xstrdup(last) : NULL;
    json_decref(lines);
    return session->origin;
}
