/*
 * An apply from its plan to its record: shown, asked for, locked, carried out, what has left the
 * profile deleted, and written down. What `apply`, `rollback` and the apply of a plan share.
 */
#ifndef COMMAND_DEPLOY_H
#define COMMAND_DEPLOY_H

#include "command/report_page.h"
#include "command/session.h"
#include "release/plan.h"

/* Makes the plan of a session's profile by its options, without a write; refusals beyond the first
 * go to stderr. What `how` says of conflicts and origins is filled in. Returns 0 or -1;
 * plan_release() in both cases. */
int deploy_plan(struct session *session, const struct plan_options *how, struct plan *plan,
                struct err *err);

struct deploy_request {
    const json_t *steps;  /* of a plan that is to be held to (release/plan.h); NULL: none */
    const char *message;  /* for the history; may be NULL */
    bool is_rollback;     /* of what failed: nothing is asked any more, and it does not roll back */
    const char *command;  /* for hooks: "apply", "rollback" */
    struct script *hooks; /* what has the profile's hooks; NULL: they are not at hand */
    struct report_page *page; /* that is told what happens; may be NULL */
};

/* Returns 0 when all has come up, or -1 with err; with --rollback-on-failure the release is then
 * again as the last revision that ended well. */
int deploy_run(struct session *session, const struct deploy_request *request, struct err *err);

#endif
