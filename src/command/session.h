/* What every command that works on a cluster begins with: the profile and the way to the server. */
#ifndef COMMAND_SESSION_H
#define COMMAND_SESSION_H

#include "command/command.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "object/profile.h"
#include "object/schema.h"
#include "release/identity.h"
#include "release/plan.h"
#include "release/work.h"
#include "script/script.h"

struct session {
    const struct options *options;
    char *cluster; /* for people: "context 'local' (https://127.0.0.1:6443)" */
    char *server;  /* "https://127.0.0.1:6443" */
    struct profile profile;
    struct schema_set *schemas; /* with the kinds that the profile's CRDs bring */
    struct script *script;      /* with its `ready` functions; NULL: it has none */
    struct kube_client *client;
    struct kube_discovery *discovery;
    struct work work;
    struct identity identity;
    struct script *traced; /* evaluated with origins, once they are asked for; or NULL */
    bool *asked;           /* by component: whether its origins will be asked for; or NULL */
    bool has_no_origins;
    char *origin; /* that was told last */
};

/* Evaluates the profile of the options before anything of the cluster is touched. Returns 0, or -1
 * with err, the session then being released. */
int session_open(struct session *session, const struct options *options, struct err *err);

/* The same with what a profile made earlier (as profile_init() takes it) in the place of a profile.
 */
int session_open_source(struct session *session, json_t *source, const struct options *options,
                        struct err *err);

/* The same for a profile or, by a name, for a release: then its objects are those of its newest
 * revision, whose Secrets have no values. */
int session_open_any(struct session *session, const struct options *options, struct err *err);

void session_close(struct session *session);

/* Refuses, with the findings on stderr, objects of a form that the API server would refuse or cut:
 * ERR_PROFILE. Asks no cluster. Returns 0 or -1. */
int session_check_form(struct session *session, struct err *err);

/* The uid of the cluster: that of its namespace kube-system. The caller's; NULL with err. */
char *session_cluster_uid(struct session *session, struct err *err);

/* Origins will be asked for where a plan has changes; of others they can be, but take longer. */
void session_expect(struct session *session, const struct plan *plan);

/* Lets go of the objects of components of which no origins are expected, and that nothing more is
 * shown of than the names; the origins of 10,000 objects need the place. */
void session_keep_expected(struct session *session);

/* The line of the profile that set a field of an item's object, the session's until the next call;
 * NULL where there is none (as survey_options.origin). */
const char *session_origin(const struct work_item *item, const json_t *path, void *session);

#endif
