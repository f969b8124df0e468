/*
 * The hooks of an apply or a deletion: which of them run when, with which context, and what becomes
 * of their errors (docs/hooks.md). NULL in the place of a struct hooks is none, and does nothing.
 */
#ifndef COMMAND_HOOKS_H
#define COMMAND_HOOKS_H

#include <jansson.h>

#include "base/err.h"
#include "command/command.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "release/apply.h"
#include "release/identity.h"
#include "release/plan.h"
#include "script/script.h"
#include "ui/progress.h"

struct hooks;

/* What they are about; borrowed for as long as the hooks. */
struct hooks_about {
    struct script *script; /* of script_eval_keeping(); NULL: the profile has none */
    const char *command;   /* "apply", "rollback", "delete" */
    const struct options *options;
    const struct profile *profile; /* that is applied, or by which a release is deleted */
    const struct identity *identity;
    const char *cluster; /* for people */
    struct kube_client *client;
    struct kube_discovery *discovery;
};

/* NULL when there are no hooks, or they are not wanted (--no-hooks). */
struct hooks *hooks_new(const struct hooks_about *about);
void hooks_free(struct hooks *hooks);

/* "before_apply, on_failure": those of an apply that a profile or a revision has. The caller's;
 * NULL: none. */
char *hooks_names(const json_t *source);

/* Refuses to go on without the hooks that a source has when their functions are not at hand, unless
 * by --no-hooks: ERR_USAGE. Of a deletion only its own count. */
int hooks_check(const json_t *source, const struct hooks_about *about, const char *what,
                struct err *err);

/* The script of the profile that the command line names: the hooks of a revision are those that its
 * profile has now. NULL where there are none, or no profile is named. Returns 0 or -1. */
int hooks_read(const struct options *options, struct profile *profile, struct script **script,
               struct err *err);

/* Runs those of a name. Returns 0, or -1 with err: ERR_PROFILE while nothing has been done, else
 * ERR_ROLLOUT; ERR_INTERRUPTED. */
int hooks_run(struct hooks *hooks, const char *name, struct err *err);

/* Those of a failure; an error of their own is told on stderr. None after an interrupt, nor when
 * the release is in another's hands. */
void hooks_run_failure(struct hooks *hooks, const struct err *why);

/* From now on the context has the plan, and the revision that it will be (0: none). */
void hooks_set_plan(struct hooks *hooks, const struct plan *plan, int revision);

/* The same for a deletion: so many objects, and which. */
void hooks_set_removal(struct hooks *hooks, const struct removal *removal);

/* While there are lines of progress, what hooks tell goes above them; NULL: no more. */
void hooks_set_progress(struct hooks *hooks, struct progress *progress);

/* From now on the context has how it goes, as it stands in these, which are borrowed for as long as
 * the hooks. */
void hooks_set_result(struct hooks *hooks, const struct apply_result *result,
                      const size_t *deleted);

/* Those of a component that changes, as before_component and after_component of an apply. */
int hooks_before_component(struct hooks *hooks, size_t component, struct err *err);
int hooks_after_component(struct hooks *hooks, size_t component, const struct err *why,
                          struct err *err);

#endif
