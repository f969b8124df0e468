#include "command/deploy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/git.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "command/hooks.h"
#include "command/live.h"
#include "command/readiness.h"
#include "command/show.h"
#include "command/task_logs.h"
#include "doctor/preflight.h"
#include "release/apply.h"
#include "release/generate.h"
#include "release/lock.h"
#include "release/memory.h"
#include "release/plan.h"
#include "release/prune.h"
#include "release/record.h"
#include "release/requires.h"
#include "ui/ask.h"
#include "ui/ci.h"
#include "ui/report.h"
#include "ui/terminal.h"

enum { REVISIONS_KEPT = 10, EXPLAIN_AFTER_MS = 3000 };

struct deploy {
    struct session *session;
    const struct options *options;
    const struct deploy_request *request;
    struct readiness readiness;
    struct hooks *hooks;
    struct task_logs *tasks;
    struct lock *lock;
    struct plan plan;
    bool has_plan;
    bool has_looked; /* at rights, quotas and nodes */
    bool told;       /* what will change */
    bool declined;   /* by who was asked */
    json_t *shown;   /* the steps that somebody said yes to */
    bool made_namespace;
    struct record record;
    struct apply_result result;
    size_t deleted;
    long long start;
};

/* ---- the plan ---- */

int deploy_plan(struct session *session, const struct plan_options *how, struct plan *plan,
                struct err *err)
{
    struct plan_options options = *how;
    options.survey.policy = session->profile.conflicts;
    options.survey.force = session->options->force;
    options.survey.adopt = session->options->adopt;
    options.survey.origin = session_origin;
    options.survey.origin_arg = session;
    int result =
        plan_make(plan, session->client, &session->work, &session->identity, &options, err);
    if (result != 0)
        show_refusals(stderr, plan);
    else
        session_expect(session, plan);
    return result;
}

static bool has_own_rule(const struct work_item *item, void *arg)
{
    const struct deploy *deploy = arg;
    return readiness_has(&deploy->readiness, item);
}

/* Once: what would end the apply halfway. */
static int look_before(struct deploy *deploy, struct err *err)
{
    struct session *session = deploy->session;
    json_t *warnings, *warning;
    size_t i;
    if (deploy->has_looked)
        return 0;
    deploy->has_looked = true;
    int result = preflight(session->client, &deploy->plan, &session->identity, &warnings, err);
    json_array_foreach(warnings, i, warning)
        fprintf(stderr, "warning: %s\n", json_string_value(warning));
    json_decref(warnings);
    return result;
}

static int make_plan(struct deploy *deploy, struct err *err)
{
    const struct plan_options options = {
        .survey.sample = true,
        .wait = !deploy->options->no_wait,
        .has_own_rule = has_own_rule,
        .own_arg = deploy,
    };
    if (deploy->has_plan)
        plan_release(&deploy->plan);
    deploy->has_plan = true;
    if (deploy_plan(deploy->session, &options, &deploy->plan, err) == 0 &&
        look_before(deploy, err) == 0)
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

static void tell_plan(struct deploy *deploy)
{
    ci_open(stderr, "plan");
    show_summary(stderr, deploy->session, &deploy->plan);
    ci_close(stderr, "plan");
    if (deploy->options->feed)
        feed_event(deploy->options->feed, "plan", show_steps(deploy->session, &deploy->plan));
    deploy->told = true;
}

/* Shows the plan, and asks where somebody is there to answer. */
static int confirm(struct deploy *deploy, struct err *err)
{
    const struct options *options = deploy->options;
    tell_plan(deploy);
    if (options->yes || deploy->request->steps || deploy->request->is_rollback ||
        plan_is_empty(&deploy->plan))
        return 0;
    if (!ask_possible(stdin, stderr))
        return err_set(err, ERR_USAGE,
                       "there is no terminal to ask on; --yes applies this, bkdeploy diff shows it "
                       "in full (nothing was applied)");
    if (ask_yes(stdin, stderr, "Apply this?"))
        return 0;
    deploy->declined = true;
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

static bool own_rule(const struct work_item *item, const json_t *object, struct verdict *verdict,
                     void *arg)
{
    const struct deploy *deploy = arg;
    return readiness_of(&deploy->readiness, item, object, verdict);
}

static struct apply_options apply_options_of(struct deploy *deploy)
{
    bool has_rules = deploy->readiness.script || deploy->readiness.health;
    return (struct apply_options){
        .no_wait = deploy->options->no_wait,
        .fail_fast = deploy->options->fail_fast,
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
    struct live live;
    report_page_take_plan(deploy->request->page, deploy->session, &deploy->plan);
    live_open_profile(&live, deploy->options, deploy->session->client, &deploy->session->profile);
    report_page_follow(deploy->request->page, &deploy->session->profile, live.progress);
    int result =
        apply_namespace(deploy->session->client, &deploy->plan, &options, live.progress, err);
    if (result == 0)
        progress_clear(live.progress); /* the whole is to follow */
    live_close(&live);
    report_page_followed(deploy->request->page);
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
        live_note(deploy->options, NULL, notice);
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
    char *line = counts.same < total
                     ? xasprintf("resuming at %zu of %zu: revision %d by %s did not end",
                                 counts.same + 1, total, last->number, last->who)
                     : xasprintf("revision %d by %s did not end; all %zu objects are as described",
                                 last->number, last->who, total);
    live_note(deploy->options, NULL, line);
    free(line);
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
    const struct deploy *deploy = arg;
    live_note(deploy->options, NULL, line);
}

static void tell_gone(const struct member *member, enum prune_fate fate, void *arg)
{
    const struct deploy *deploy = arg;
    feed_event(deploy->options->feed, "deleted", show_gone(member, fate));
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
        .gone = tell_gone,
        .arg = deploy,
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

/* What an error is about, below the lines of progress. */
static void tell_failure(const struct deploy *deploy)
{
    json_t *report = deploy->result.report;
    if (!deploy->request->is_rollback)
        feed_add_to_end(
            deploy->options->feed,
            json_pack("{s:O*, s:O*}", "components", deploy->result.components, "report", report));
    if (!report)
        return;
    const json_t *root = json_object_get(report, "root");
    if (root)
        ci_mark(stderr, "error", json_string_value(json_object_get(root, "origin")),
                json_string_value(json_object_get(root, "reason")));
    ci_open(stderr, "report");
    ci_hold(stderr);
    report_print(stderr, report, terminal_colour(stderr));
    ci_go_on(stderr);
    ci_close(stderr, "report");
}

/* What was applied need not be looked at next time; also what was before a failure. */
static void remember(const struct deploy *deploy, const struct err *why)
{
    struct err err = ERR_INIT;
    if (why->kind == ERR_LOCKED || why->kind == ERR_UNREACHABLE)
        return;
    if (memory_write(deploy->plan.memory, &err) != 0)
        fprintf(stderr, "bkdeploy: the next apply will be slower: %s\n", err.message);
}

static int before_component(size_t component, void *arg, struct err *err)
{
    struct deploy *deploy = arg;
    if (hooks_before_component(deploy->hooks, component, err) != 0)
        return -1;
    task_logs_begin(deploy->tasks, component);
    return 0;
}

static int after_component(size_t component, const struct err *why, void *arg, struct err *err)
{
    struct deploy *deploy = arg;
    task_logs_end(deploy->tasks, component);
    return hooks_after_component(deploy->hooks, component, why, err);
}

static int carry_out(struct deploy *deploy, struct err *err)
{
    struct apply_options options = apply_options_of(deploy);
    struct report_options report = { deploy->session->schemas, session_origin, deploy->session };
    options.report = &report;
    struct live live;
    ci_open(stderr, "rollout");
    live_open_profile(&live, deploy->options, deploy->session->client, &deploy->session->profile);
    report_page_follow(deploy->request->page, &deploy->session->profile, live.progress);
    hooks_set_progress(deploy->hooks, live.progress);
    if (!options.no_wait)
        deploy->tasks = task_logs_new(deploy->session->client, &deploy->plan, live.progress);
    if (deploy->hooks || deploy->tasks) {
        options.before_component = before_component;
        options.after_component = after_component;
        options.hook_arg = deploy;
    }
    int result = apply_run(deploy->session->client, &deploy->plan, &options, live.progress,
                           &deploy->result, err);
    hooks_set_progress(deploy->hooks, NULL);
    task_logs_free(deploy->tasks);
    live_close(&live);
    ci_close(stderr, "rollout");
    remember(deploy, err);
    report_page_followed(deploy->request->page);
    if (result != 0)
        tell_failure(deploy);
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

static void end_feed(const struct deploy *deploy, double seconds)
{
    const struct apply_result *result = &deploy->result;
    json_t *fields = json_pack("{s:{s:I, s:I, s:I, s:I}, s:O, s:i, s:f}", "objects", "created",
                               (json_int_t)result->created, "changed", (json_int_t)result->changed,
                               "unchanged", (json_int_t)result->unchanged, "deleted",
                               (json_int_t)deploy->deleted, "components", result->components,
                               "revision", deploy->record.number, "seconds", seconds);
    feed_add_to_end(deploy->options->feed, fields);
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
    if (!deploy->request->is_rollback)
        end_feed(deploy, seconds);
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
        tell_plan(deploy);
    if (record_open(&deploy->record, session->client, &session->identity, err) != 0)
        return -1;
    tell_resuming(deploy);
    int result = begin_record(deploy, err);
    struct hooks *hooks = deploy->record.number ? deploy->hooks : NULL; /* something is done */
    hooks_set_plan(deploy->hooks, &deploy->plan, deploy->record.number);
    hooks_set_result(deploy->hooks, &deploy->result, &deploy->deleted);
    if (result == 0)
        result = hooks_run(hooks, "before_apply", err);
    if (result == 0)
        result = carry_out(deploy, err);
    if (result == 0)
        result = hooks_run(hooks, "after_apply", err);
    end_record(deploy, err);
    if (result == 0)
        tell_end(deploy);
    return result;
}

static int roll_back(struct deploy *deploy, const struct err *why);

static void begin_feed(const struct deploy *deploy)
{
    const struct session *session = deploy->session;
    const struct profile *profile = &session->profile;
    json_t *components = json_array(), *fields;
    for (size_t i = 0; i < profile->count; i++) {
        const struct component *component = &profile->components[i];
        json_t *needs = json_array();
        for (size_t k = 0; k < component->needs_count; k++)
            json_array_append_new(needs,
                                  json_string(profile->components[component->before[k]].name));
        json_array_append_new(components,
                              json_pack("{s:s, s:o}", "name", component->name, "needs", needs));
    }
    fields =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "release", profile->name, "environment",
                  profile->environment, "namespace", profile->namespace, "server", session->server,
                  "objects", (json_int_t)session->work.count, "components", components);
    feed_event(deploy->options->feed, "start", fields);
}

static int run(struct deploy *deploy, struct err *err)
{
    struct session *session = deploy->session;
    const struct profile *profile = &session->profile;
    fprintf(stderr, "%s, environment %s: %zu objects to namespace %s of %s\n", profile->name,
            profile->environment, session->work.count, profile->namespace, session->cluster);
    begin_feed(deploy);
    if (hooks_run(deploy->hooks, "before_plan", err) != 0)
        return -1;
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
    struct hooks_about about = {
        .script = request->hooks,
        .command = request->command,
        .options = session->options,
        .profile = &session->profile,
        .identity = &session->identity,
        .cluster = session->cluster,
        .client = session->client,
        .discovery = session->discovery,
    };
    deploy.readiness.script = session->script;
    int result = session_check_form(session, err);
    if (result == 0 && !request->is_rollback)
        result = hooks_check(session->profile.source, &about,
                             request->steps ? "this plan" : "this revision", err);
    if (result == 0 && session->options->health_dir) {
        deploy.readiness.health =
            health_open(session->options->health_dir, &session->options->script.limits, err);
        result = deploy.readiness.health ? 0 : -1;
    }
    if (result == 0)
        result = requires_check(session->client, &session->profile, err);
    if (result == 0)
        result = generate_fill(session->client, &session->profile, err);
    deploy.hooks = hooks_new(&about);
    if (result == 0)
        result = run(&deploy, err);
    if (result != 0 && !deploy.declined)
        hooks_run_failure(deploy.hooks, err);
    hooks_free(deploy.hooks);
    if (deploy.lock)
        lock_release(deploy.lock);
    if (result != 0 && is_worth_rolling_back(&deploy, err))
        roll_back(&deploy, err);
    report_page_take(request->page, session,
                     &(struct report_page_deployed){ deploy.has_plan ? &deploy.plan : NULL,
                                                     &deploy.result, deploy.deleted,
                                                     deploy.record.number, request->message });
    record_release(&deploy.record);
    json_decref(deploy.result.components);
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
        live_note(deploy->options, NULL, "there is no revision that ended well to roll back to");
        report_page_rolled_back(deploy->request->page, 0, &err);
        return -1;
    }
    fprintf(stderr, "rolling back to revision %d\n", good->number);
    feed_event(
        deploy->options->feed, "rollback",
        json_pack("{s:i, s:o}", "revision", good->number, "message", feed_string(why->message)));
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
    report_page_rolled_back(deploy->request->page, good->number, &err);
    feed_add_to_end(deploy->options->feed, json_pack("{s:{s:i, s:b}}", "rollback", "revision",
                                                     good->number, "done", (int)(result == 0)));
    if (result != 0)
        fprintf(stderr, "bkdeploy: the rollback to revision %d failed, too: %s\n", good->number,
                err.message);
    return result;
}
