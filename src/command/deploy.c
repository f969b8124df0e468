#include "command/deploy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/git.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "command/readiness.h"
#include "command/show.h"
#include "release/apply.h"
#include "release/generate.h"
#include "release/lock.h"
#include "release/plan.h"
#include "release/prune.h"
#include "release/record.h"
#include "release/requires.h"
#include "ui/ask.h"
#include "ui/report.h"

enum { REVISIONS_KEPT = 10, EXPLAIN_AFTER_MS = 3000 };

struct deploy {
    struct session *session;
    const struct options *options;
    const struct deploy_request *request;
    struct readiness readiness;
    struct lock *lock;
    struct plan plan;
    bool has_plan;
    bool told;     /* what will change */
    json_t *shown; /* the steps that somebody said yes to */
    bool made_namespace;
    struct record record;
    struct apply_result result;
    size_t deleted;
    long long start;
};

/* ---- the plan ---- */

int deploy_plan(struct session *session, struct plan *plan, struct err *err)
{
    struct survey_options options = {
        .set_id = session->identity.set_id,
        .policy = session->profile.conflicts,
        .force = session->options->force,
        .adopt = session->options->adopt,
        .origin = session_origin,
        .origin_arg = session,
    };
    int result =
        plan_make(plan, session->client, &session->work, &session->identity, &options, err);
    if (result != 0)
        show_refusals(stderr, plan);
    return result;
}

static int make_plan(struct deploy *deploy, struct err *err)
{
    if (deploy->has_plan)
        plan_release(&deploy->plan);
    deploy->has_plan = true;
    if (deploy_plan(deploy->session, &deploy->plan, err) == 0)
        return 0;
    size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof err->message - length, " (nothing was applied)");
    return -1;
}

static bool namespace_is_there(struct session *session)
{
    struct err ignored = ERR_INIT;
    json_t *answer = NULL;
    char *path = xasprintf("/api/v1/namespaces/%s", session->identity.namespace);
    kube_fetch(session->client, "GET", path, NULL, NULL, &answer, &ignored);
    const json_t *metadata = json_object_get(answer, "metadata");
    bool there = metadata && !json_object_get(metadata, "deletionTimestamp");
    json_decref(answer);
    free(path);
    return there;
}

/* Shows the plan, and asks where somebody is there to answer. */
static int confirm(struct deploy *deploy, struct err *err)
{
    const struct options *options = deploy->options;
    show_summary(stderr, deploy->session, &deploy->plan);
    deploy->told = true;
    if (options->yes || deploy->request->steps || deploy->request->is_rollback ||
        plan_is_empty(&deploy->plan))
        return 0;
    if (!ask_possible(stdin, stderr))
        return err_set(err, ERR_USAGE,
                       "there is no terminal to ask on; --yes applies this, bkdeploy diff shows it "
                       "in full (nothing was applied)");
    if (ask_yes(stdin, stderr, "Apply this?"))
        return 0;
    return interrupt_pending() ? err_set(err, ERR_INTERRUPTED, "interrupted (nothing was applied)")
                               : err_set(err, ERR_FAILED, "nothing was applied");
}

/* What can be seen before the lock is taken: while somebody is asked, and while the namespace that
 * the lock lies in is yet to come. */
static int look_ahead(struct deploy *deploy, struct err *err)
{
    bool there = namespace_is_there(deploy->session);
    bool asks = !deploy->options->yes && !deploy->request->steps && !deploy->request->is_rollback;
    if (there && !asks)
        return 0;
    if (make_plan(deploy, err) != 0)
        return -1;
    if (deploy->request->steps &&
        plan_hold_to(&deploy->plan, deploy->session->schemas, deploy->request->steps, err) != 0)
        return -1;
    if (confirm(deploy, err) != 0)
        return -1;
    if (asks)
        deploy->shown = plan_steps(&deploy->plan, deploy->session->schemas);
    return 0;
}

/* ---- the work ---- */

static struct progress *new_progress(const struct profile *profile)
{
    const char **names = xcalloc(profile->count, sizeof *names);
    for (size_t i = 0; i < profile->count; i++)
        names[i] = profile->components[i].name;
    struct progress *progress = progress_new(stderr, names, profile->count);
    free(names);
    return progress;
}

static bool own_rule(const struct work_item *item, const json_t *object, struct verdict *verdict,
                     void *arg)
{
    const struct deploy *deploy = arg;
    return readiness_of(&deploy->readiness, &deploy->session->work, item, object, verdict);
}

static struct apply_options apply_options_of(struct deploy *deploy)
{
    bool has_rules = deploy->readiness.script || deploy->readiness.health;
    return (struct apply_options){
        .no_wait = deploy->options->no_wait,
        .timeout_ms = deploy->options->timeout_ms,
        .grace_ms = deploy->options->grace_ms,
        .lock = deploy->lock,
        .own = has_rules ? own_rule : NULL,
        .own_arg = deploy,
    };
}

static int make_namespace(struct deploy *deploy, struct err *err)
{
    struct apply_options options = apply_options_of(deploy);
    struct progress *progress = new_progress(&deploy->session->profile);
    int result = apply_namespace(deploy->session->client, &deploy->plan, &options, progress, err);
    progress_free(progress);
    deploy->made_namespace = result == 0;
    return result;
}

static int take_lock(struct deploy *deploy, struct err *err)
{
    const struct identity *identity = &deploy->session->identity;
    struct lock_options options = { .wait_ms = deploy->options->lock_wait_ms };
    char *notice = NULL;
    deploy->lock = lock_take(deploy->session->client, identity->namespace, identity->parent,
                             &options, &notice, err);
    if (notice)
        fprintf(stderr, "%s\n", notice);
    free(notice);
    return deploy->lock ? 0 : -1;
}

/* An apply that never ended is gone on with: what it did is seen as done. */
static void tell_resuming(const struct deploy *deploy)
{
    const struct revision *last = record_last(&deploy->record);
    struct plan_counts counts;
    if (!last || strcmp(last->outcome, "applying") != 0)
        return;
    plan_count(&deploy->plan, &counts);
    size_t total = deploy->plan.work->count;
    if (counts.same < total)
        fprintf(stderr, "resuming at %zu of %zu: revision %d by %s did not end\n", counts.same + 1,
                total, last->number, last->who);
    else
        fprintf(stderr, "revision %d by %s did not end; all %zu objects are as described\n",
                last->number, last->who, total);
}

static int begin_record(struct deploy *deploy, struct err *err)
{
    struct session *session = deploy->session;
    if (!record_is_due(&deploy->record, &deploy->plan))
        return 0;
    char commit[65] = "";
    if (!session->has_no_origins)
        git_commit(deploy->options->script.path, commit);
    struct plan_counts counts;
    plan_count(&deploy->plan, &counts);
    if (deploy->made_namespace && counts.same) { /* it was part of what there was to do */
        counts.same--;
        counts.create++;
    }
    char *summary = show_counts(&counts);
    struct revision about = {
        .profile = (char *)deploy->options->script.path,
        .environment = (char *)session->profile.environment,
        .commit = commit,
        .message = (char *)(deploy->request->message ? deploy->request->message : ""),
        .summary = summary,
    };
    int result = record_begin(&deploy->record, &deploy->plan, &about, session->profile.source,
                              REVISIONS_KEPT, err);
    free(summary);
    return result;
}

static void tell_line(const char *line, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

static int prune(struct deploy *deploy, struct err *err)
{
    const struct plan *plan = &deploy->plan;
    const struct member **members = xcalloc(plan->leavers_count, sizeof(void *));
    size_t count = 0;
    for (size_t i = 0; i < plan->leavers_count; i++)
        if (plan->leavers[i].fate == PLAN_DELETE)
            members[count++] = plan->leavers[i].member;
    struct prune_options options = {
        .timeout_ms = deploy->options->timeout_ms - (long)(clock_ms() - deploy->start),
        .explain_after_ms = EXPLAIN_AFTER_MS,
        .tell = tell_line,
        .lock = deploy->lock,
    };
    if (options.timeout_ms < 1000)
        options.timeout_ms = 1000;
    int result =
        count ? prune_run(deploy->session->client, members, count, &options, &deploy->deleted, err)
              : 0;
    free(members);
    if (result != 0)
        err_wrap(err, "all is ready, but what has left the profile is not all gone");
    return result;
}

/* What an error of the rollout is about, below the lines of progress. */
static void tell_failure(const struct deploy *deploy, const struct err *why)
{
    const struct profile *profile = &deploy->session->profile;
    json_t *report = deploy->result.report;
    if (!report)
        return;
    report_print(stderr, report, progress_colour(stderr));
    if (!deploy->options->output || deploy->request->is_rollback)
        return;
    json_t *whole = json_pack("{s:s, s:s, s:s, s:s, s:O}", "profile", profile->name, "environment",
                              profile->environment, "namespace", profile->namespace, "error",
                              why->message, "report", report);
    json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(whole);
}

static int carry_out(struct deploy *deploy, struct err *err)
{
    struct apply_options options = apply_options_of(deploy);
    struct report_options report = { deploy->session->schemas, session_origin, deploy->session };
    options.report = &report;
    struct progress *progress = new_progress(&deploy->session->profile);
    int result =
        apply_run(deploy->session->client, &deploy->plan, &options, progress, &deploy->result, err);
    progress_free(progress);
    if (result != 0)
        tell_failure(deploy, err);
    if (deploy->made_namespace && deploy->result.unchanged) {
        deploy->result.unchanged--;
        deploy->result.created++;
    }
    if (result != 0 || deploy->options->no_wait)
        return result; /* what has left is deleted when the new is ready, and only then */
    result = prune(deploy, err);
    if (result == 0 && deploy->record.number)
        result = record_narrow(&deploy->record, &deploy->plan, err);
    return result;
}

static void end_record(struct deploy *deploy, const struct err *why)
{
    struct err err = ERR_INIT;
    const char *well = deploy->options->no_wait ? "applied" : "done"; /* nobody saw it come up */
    const char *outcome = why->kind == ERR_NONE          ? well
                          : why->kind == ERR_INTERRUPTED ? "interrupted"
                                                         : "failed";
    if (why->kind == ERR_LOCKED)
        return; /* it is another's to write now */
    if (record_end(&deploy->record, outcome, why->kind == ERR_NONE ? NULL : why->message, &err) !=
        0)
        fprintf(stderr, "bkdeploy: the outcome is not in the history: %s\n", err.message);
}

/* ---- telling ---- */

static void print_json(const struct deploy *deploy, double seconds)
{
    const struct profile *profile = &deploy->session->profile;
    const struct apply_result *result = &deploy->result;
    json_t *report = json_pack(
        "{s:s, s:s, s:s, s:{s:I, s:I, s:I, s:I}, s:I, s:i, s:f}", "profile", profile->name,
        "environment", profile->environment, "namespace", profile->namespace, "objects", "created",
        (json_int_t)result->created, "changed", (json_int_t)result->changed, "unchanged",
        (json_int_t)result->unchanged, "deleted", (json_int_t)deploy->deleted, "components",
        (json_int_t)profile->count, "revision", deploy->record.number, "seconds", seconds);
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(report);
}

static void tell_end(const struct deploy *deploy)
{
    const struct profile *profile = &deploy->session->profile;
    const struct apply_result *result = &deploy->result;
    double seconds = (double)(clock_ms() - deploy->start) / 1000;
    struct plan_counts counts;
    fprintf(stderr,
            "%s: %zu components %s in %.1fs; objects: %zu created, %zu changed, %zu unchanged",
            profile->name, profile->count, deploy->options->no_wait ? "applied" : "ready", seconds,
            result->created, result->changed, result->unchanged);
    if (deploy->deleted)
        fprintf(stderr, ", %zu deleted", deploy->deleted);
    if (deploy->record.number)
        fprintf(stderr, "; revision %d", deploy->record.number);
    fputc('\n', stderr);
    plan_count(&deploy->plan, &counts);
    if (deploy->options->no_wait && counts.delete)
        fprintf(stderr, "left the profile, and deleted by an apply that waits: %zu\n",
                counts.delete);
    if (deploy->options->output)
        print_json(deploy, seconds);
}

/* ---- the whole ---- */

/* With the lock held. */
static int run_locked(struct deploy *deploy, struct err *err)
{
    struct session *session = deploy->session;
    const json_t *steps = deploy->shown ? deploy->shown : deploy->request->steps;
    if (make_plan(deploy, err) != 0)
        return -1;
    if (steps && plan_hold_to(&deploy->plan, session->schemas, steps, err) != 0)
        return -1;
    if (!deploy->told)
        show_summary(stderr, session, &deploy->plan);
    if (record_open(&deploy->record, session->client, &session->identity, err) != 0)
        return -1;
    tell_resuming(deploy);
    int result = begin_record(deploy, err);
    if (result == 0)
        result = carry_out(deploy, err);
    end_record(deploy, err);
    if (result == 0)
        tell_end(deploy);
    return result;
}

static int roll_back(struct deploy *deploy, const struct err *why);

static int run(struct deploy *deploy, struct err *err)
{
    struct session *session = deploy->session;
    const struct profile *profile = &session->profile;
    fprintf(stderr, "%s, environment %s: %zu objects to namespace %s of %s\n", profile->name,
            profile->environment, session->work.count, profile->namespace, session->cluster);
    if (look_ahead(deploy, err) != 0)
        return -1;
    if (!namespace_is_there(session) && make_namespace(deploy, err) != 0)
        return -1;
    if (take_lock(deploy, err) != 0)
        return -1;
    return run_locked(deploy, err);
}

static bool is_worth_rolling_back(const struct deploy *deploy, const struct err *err)
{
    bool touched = deploy->record.number > 0;
    return touched && deploy->options->rollback_on_failure && !deploy->request->is_rollback &&
           err->kind != ERR_INTERRUPTED && err->kind != ERR_LOCKED && err->kind != ERR_UNREACHABLE;
}

int deploy_run(struct session *session, const struct deploy_request *request, struct err *err)
{
    struct deploy deploy = {
        .session = session,
        .options = session->options,
        .request = request,
        .start = clock_ms(),
    };
    deploy.readiness.script = session->script;
    int result = session_check_form(session, err);
    if (result == 0 && session->options->health_dir) {
        deploy.readiness.health =
            health_open(session->options->health_dir, &session->options->script.limits, err);
        result = deploy.readiness.health ? 0 : -1;
    }
    if (result == 0)
        result = requires_check(session->client, &session->profile, err);
    if (result == 0)
        result = generate_fill(session->client, &session->profile, err);
    if (result == 0)
        result = run(&deploy, err);
    if (deploy.lock)
        lock_release(deploy.lock);
    if (result != 0 && is_worth_rolling_back(&deploy, err))
        roll_back(&deploy, err);
    record_release(&deploy.record);
    json_decref(deploy.result.report);
    health_close(deploy.readiness.health);
    if (deploy.has_plan)
        plan_release(&deploy.plan);
    json_decref(deploy.shown);
    return result;
}

/* The last revision that ended well, again; the failure stays what the program ends with. */
static int roll_back(struct deploy *deploy, const struct err *why)
{
    struct err err = ERR_INIT;
    const struct revision *good = record_last_done(&deploy->record, deploy->record.number);
    json_t *source = NULL;
    fprintf(stderr, "bkdeploy: %s\n", why->message);
    if (!good) {
        fprintf(stderr, "there is no revision that ended well to roll back to\n");
        return -1;
    }
    fprintf(stderr, "rolling back to revision %d\n", good->number);
    int result = revision_read(deploy->session->client, &deploy->session->identity, good->number,
                               &source, &err);
    struct session session;
    if (result == 0)
        result = session_open_source(&session, source, deploy->options, &err);
    if (result == 0) {
        char *message =
            xasprintf("rollback to %d, for %d failed", good->number, deploy->record.number);
        struct deploy_request request = { .message = message, .is_rollback = true };
        result = deploy_run(&session, &request, &err);
        session_close(&session);
        free(message);
    }
    json_decref(source);
    if (result != 0)
        fprintf(stderr, "bkdeploy: the rollback to revision %d failed, too: %s\n", good->number,
                err.message);
    return result;
}
