#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/deploy.h"
#include "command/plan_file.h"
#include "command/show.h"
#include "release/generate.h"
#include "release/plan.h"
#include "release/requires.h"

/* Makes the plan of a profile without a write. `unfilled`, if not NULL, gets what the profile made
 * before its Secrets were filled. Returns 0 or -1; plan_release() in both cases. */
static int look(struct session *session, struct plan *plan, json_t **unfilled, struct err *err)
{
    *plan = (struct plan){ .work = NULL };
    if (session_check_form(session, err) != 0 ||
        requires_check(session->client, &session->profile, err) != 0)
        return -1;
    if (unfilled)
        *unfilled = json_deep_copy(session->profile.source);
    if (generate_fill(session->client, &session->profile, err) != 0)
        return -1;
    const struct plan_options options = { .wait = false };
    return deploy_plan(session, &options, plan, err);
}

static int print_diff(struct session *session, const struct plan *plan)
{
    const struct options *options = session->options;
    struct plan_counts counts;
    plan_count(plan, &counts);
    if (options->output) {
        show_json(session, plan);
    } else if (options->summary) {
        show_summary(stdout, session, plan);
    } else {
        show_changes(stdout, session, plan);
        char *sum = show_counts(&counts);
        fprintf(stderr, "%s\n", sum);
        free(sum);
        show_hooks(stderr, session, plan);
    }
    return plan_is_empty(plan) ? 0 : 1;
}

int command_diff(const struct options *options, struct err *err)
{
    struct session session;
    struct plan plan;
    if (session_open(&session, options, err) != 0)
        return -1;
    int result = look(&session, &plan, NULL, err);
    if (result == 0) {
        session_keep_expected(&session);
        result = print_diff(&session, &plan);
    }
    plan_release(&plan);
    session_close(&session);
    return result;
}

static int write_plan(struct session *session, const struct plan *plan, const json_t *unfilled,
                      struct err *err)
{
    const struct options *options = session->options;
    size_t left_out = 0;
    if (plan_file_write(session, plan, unfilled, options->key, options->folder, &left_out, err) !=
        0)
        return -1;
    if (left_out)
        fprintf(stderr,
                "%zu value%s of Secrets that change %s left out of %s, so it is to read only; with "
                "--key FILE they are in it, sealed\n",
                left_out, left_out == 1 ? "" : "s", left_out == 1 ? "is" : "are", options->folder);
    else
        fprintf(stderr, "written to %s; bkdeploy apply %s does exactly this\n", options->folder,
                options->folder);
    return 0;
}

int command_plan(const struct options *options, struct err *err)
{
    struct session session;
    struct plan plan;
    json_t *unfilled = NULL;
    if (session_open(&session, options, err) != 0)
        return -1;
    int result = look(&session, &plan, &unfilled, err);
    if (result == 0) {
        if (options->output)
            show_json(&session, &plan);
        else
            show_summary(options->folder ? stderr : stdout, &session, &plan);
        if (options->folder)
            result = write_plan(&session, &plan, unfilled, err);
        if (result == 0)
            result = plan_is_empty(&plan) ? 0 : 1;
    }
    json_decref(unfilled);
    plan_release(&plan);
    session_close(&session);
    return result;
}
