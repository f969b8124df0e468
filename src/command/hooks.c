#include "command/hooks.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "command/reach.h"
#include "command/show.h"
#include "command/target.h"
#include "object/meta.h"
#include "script/hook.h"

enum part_state { PART_UNCHANGED, PART_WAITING, PART_APPLYING, PART_READY, PART_FAILED };

/* One component, as its hooks saw it. */
struct stage {
    enum part_state state;
    long long since, until; /* clock_ms() */
    char *why;              /* it failed, or NULL */
};

struct hooks {
    struct hooks_about about;
    json_t *given; /* the context, without what is of one hook alone */
    struct reach reach;
    struct progress *progress;
    const struct plan *plan;
    const struct apply_result *result;
    const size_t *deleted;
    long long start;
    struct stage *parts;
};

/* ---- which there are ---- */

static const char of_deletion[] = "before_delete";

char *hooks_names(const json_t *source)
{
    struct buf names = BUF_INIT;
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(source, "hooks"), i, name) {
        if (strcmp(json_string_value(name), of_deletion) != 0)
            buf_addf(&names, "%s%s", names.len ? ", " : "", json_string_value(name));
    }
    return names.len ? buf_detach(&names) : NULL;
}

static bool has_hook(const json_t *source, const char *wanted)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(source, "hooks"), i, name) {
        if (strcmp(json_string_value(name), wanted) == 0)
            return true;
    }
    return false;
}

int hooks_check(const json_t *source, const struct hooks_about *about, const char *what,
                struct err *err)
{
    if (about->script || about->options->no_hooks)
        return 0;
    char *names = strcmp(about->command, "delete") != 0 ? hooks_names(source)
                  : has_hook(source, of_deletion)       ? xstrdup(of_deletion)
                                                        : NULL;
    if (!names)
        return 0;
    err_set(err, ERR_USAGE,
            "%s has hooks (%s), which are in its profile alone: give the profile, or --no-hooks to "
            "go on without them",
            what, names);
    free(names);
    return -1;
}

int hooks_read(const struct options *options, struct profile *profile, struct script **script,
               struct err *err)
{
    *script = NULL;
    *profile = (struct profile){ .name = NULL };
    if (!target_is_profile(options->script.path) || options->no_hooks)
        return 0;
    return script_eval_keeping(&options->script, profile, script, err);
}

/* ---- the context ---- */

static json_t *secrets_of(const struct profile *profile)
{
    json_t *secrets = json_array(), *object;
    for (size_t i = 0; i < profile->count; i++) {
        size_t k;
        json_array_foreach(profile->components[i].objects, k, object) {
            if (strcmp(object_text(object, "kind"), "Secret") == 0)
                json_array_append(secrets, object);
        }
    }
    return secrets;
}

static void tell(const char *line, void *arg)
{
    const struct hooks *hooks = arg;
    const char *component = object_text(json_object_get(hooks->given, "component"), "name");
    char *whole = xasprintf("hook      %s%s%s: %s", hooks->reach.hook, *component ? " " : "",
                            component, line);
    progress_say(hooks->progress, stderr, whole);
    free(whole);
}

struct hooks *hooks_new(const struct hooks_about *about)
{
    if (json_array_size(hook_list(about->script)) == 0 || about->options->no_hooks)
        return NULL;
    struct hooks *hooks = xmalloc(sizeof *hooks);
    *hooks = (struct hooks){
        .about = *about,
        .given = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "command", about->command, "profile",
                           about->profile->name, "release", "name", about->identity->name,
                           "namespace", about->identity->namespace, "cluster", about->cluster),
        .reach = { .client = about->client,
                   .discovery = about->discovery,
                   .namespace = about->identity->namespace,
                   .allow_http = about->options->allow_http,
                   .allow_exec = about->options->script.allow_exec,
                   .secrets = secrets_of(about->profile),
                   .tell = tell,
                   .tell_arg = hooks },
        .start = clock_ms(),
        .parts = xcalloc(about->profile->count, sizeof(struct stage)),
    };
    return hooks;
}

void hooks_free(struct hooks *hooks)
{
    if (!hooks)
        return;
    for (size_t i = 0; i < hooks->about.profile->count; i++)
        free(hooks->parts[i].why);
    free(hooks->parts);
    json_decref(hooks->given);
    json_decref(hooks->reach.secrets);
    free(hooks);
}

static json_t *step_of(const char *action, const char *component, const char *api_version,
                       const char *kind, const char *namespace, const char *name)
{
    json_t *step = json_pack("{s:s, s:s, s:s, s:s, s:s}", "action", action, "apiVersion",
                             api_version, "kind", kind, "namespace", namespace, "name", name);
    if (component)
        json_object_set_new(step, "component", json_string(component));
    return step;
}

static json_t *step_of_item(const struct plan *plan, size_t index)
{
    const struct work_item *item = &plan->work->items[index];
    return step_of(plan_action_name(plan->items[index].action),
                   plan->work->profile->components[item->component].name, item->api_version,
                   item->kind, item->namespace, item->name);
}

void hooks_set_plan(struct hooks *hooks, const struct plan *plan, int revision)
{
    struct plan_counts counts;
    if (!hooks)
        return;
    hooks->plan = plan;
    plan_count(plan, &counts);
    json_t *told = show_counts_json(&counts), *steps = json_array();
    for (size_t i = 0; i < plan->work->count; i++) {
        if (plan->items[i].action == SURVEY_SAME)
            continue;
        hooks->parts[plan->work->items[i].component].state = PART_WAITING;
        json_array_append_new(steps, step_of_item(plan, i));
    }
    for (size_t i = 0; i < plan->leavers_count; i++) {
        const struct member *member = plan->leavers[i].member;
        if (plan->leavers[i].fate == PLAN_DELETE)
            json_array_append_new(steps, step_of("delete", NULL, member->api_version, member->kind,
                                                 member->namespace, member->name));
    }
    json_object_set_new(told, "steps", steps);
    json_object_set_new(hooks->given, "plan", told);
    if (revision)
        json_object_set_new(hooks->given, "revision", json_integer(revision));
}

void hooks_set_removal(struct hooks *hooks, const struct removal *removal)
{
    if (!hooks)
        return;
    json_t *steps = json_array();
    for (size_t i = 0; i < removal->count; i++) {
        const struct member *member = removal->rows[i].member;
        if (!removal->rows[i].kept)
            json_array_append_new(steps, step_of("delete", NULL, member->api_version, member->kind,
                                                 member->namespace, member->name));
    }
    json_object_set_new(hooks->given, "plan",
                        json_pack("{s:I, s:I, s:o}", "delete", (json_int_t)removal->going, "keep",
                                  (json_int_t)(removal->count - removal->going), "steps", steps));
}

void hooks_set_progress(struct hooks *hooks, struct progress *progress)
{
    if (hooks)
        hooks->progress = progress;
}

void hooks_set_result(struct hooks *hooks, const struct apply_result *result, const size_t *deleted)
{
    if (!hooks)
        return;
    hooks->result = result;
    hooks->deleted = deleted;
}

static double seconds_between(long long since, long long until)
{
    return (double)(until - since) / 1000;
}

static json_t *component_json(const struct hooks *hooks, size_t index)
{
    static const char *const words[] = {
        [PART_UNCHANGED] = "unchanged", [PART_WAITING] = "waiting", [PART_APPLYING] = "applying",
        [PART_READY] = "ready",         [PART_FAILED] = "failed",
    };
    const struct stage *part = &hooks->parts[index];
    json_t *told = json_pack("{s:s, s:s}", "name", hooks->about.profile->components[index].name,
                             "state", words[part->state]);
    if (part->since)
        json_object_set_new(
            told, "seconds",
            json_real(seconds_between(part->since, part->until ? part->until : clock_ms())));
    if (part->why)
        json_object_set_new(told, "error", json_string(part->why));
    return told;
}

/* What an apply had nothing to send for may have failed all the same: the report says so. */
static void take_report(struct hooks *hooks, const json_t *report)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(report, "components"), i, entry) {
        for (size_t k = 0; k < hooks->about.profile->count; k++)
            if (strcmp(hooks->about.profile->components[k].name, object_text(entry, "component")) ==
                0)
                hooks->parts[k].state = PART_FAILED;
    }
}

static json_t *results_json(const struct hooks *hooks)
{
    const struct apply_result *result = hooks->result;
    json_t *components = json_array();
    for (size_t i = 0; i < hooks->about.profile->count; i++)
        json_array_append_new(components, component_json(hooks, i));
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:f}", "components", components, "created",
                     (json_int_t)result->created, "changed", (json_int_t)result->changed,
                     "unchanged", (json_int_t)result->unchanged, "deleted",
                     (json_int_t)*hooks->deleted, "seconds",
                     seconds_between(hooks->start, clock_ms()));
}

/* With its objects, for its own hooks. */
static json_t *component_in_full(const struct hooks *hooks, size_t index)
{
    json_t *told = component_json(hooks, index), *objects = json_array();
    for (size_t i = 0; i < hooks->plan->work->count; i++)
        if (hooks->plan->work->items[i].component == index)
            json_array_append_new(objects, step_of_item(hooks->plan, i));
    json_object_set_new(told, "objects", objects);
    return told;
}

/* ---- running ---- */

/* What an error of a hook is, and what an operator has to know then. */
static const struct row {
    const char *name;
    enum err_kind kind;
    const char *account;
    bool has_results;
} rows[] = {
    { "before_plan", ERR_PROFILE, " (nothing was applied)", false },
    { "before_apply", ERR_PROFILE, " (nothing was applied)", false },
    { "before_component", ERR_ROLLOUT, "", false },
    { "after_component", ERR_ROLLOUT, "", false },
    { "after_apply", ERR_ROLLOUT, " (all is applied)", true },
    { "on_failure", ERR_ROLLOUT, "", true },
    { "before_delete", ERR_PROFILE, " (nothing was deleted)", false },
};

static const struct row *row_of(const char *name)
{
    const struct row *row = rows;
    while (strcmp(row->name, name) != 0)
        row++;
    return row;
}

static int run_one(struct hooks *hooks, size_t index, const json_t *hook, struct err *err)
{
    const struct row *row = row_of(object_text(hook, "name"));
    struct reach *reach = &hooks->reach;
    struct hook_ways ways = { reach_ask, reach };
    struct err problem = ERR_INIT;
    reach->hook = row->name;
    reach->timeout_ms = 1000 * (long)json_integer_value(json_object_get(hook, "timeout"));
    reach->deadline = clock_ms() + reach->timeout_ms;
    reach->lines = 0;
    json_object_set_new(hooks->given, "hook", json_string(row->name));
    if (hook_run(hooks->about.script, index, hooks->given, &ways, &problem) == 0)
        return 0;
    if (problem.kind == ERR_INTERRUPTED) {
        *err = problem;
        return -1;
    }
    reach_redact(reach, problem.message);
    return err_set(err, row->kind, "hook %s: %s%s", row->name, problem.message, row->account);
}

/* Those of a name that are for all components, or for this one (NULL: it is about none). */
static int run_for(struct hooks *hooks, const char *name, const char *component, struct err *err)
{
    size_t i;
    json_t *hook;
    json_array_foreach(hook_list(hooks->about.script), i, hook) {
        const char *own = object_text(hook, "component");
        bool fits = !*own || (component && strcmp(own, component) == 0);
        if (strcmp(object_text(hook, "name"), name) == 0 && fits &&
            run_one(hooks, i, hook, err) != 0)
            return -1;
    }
    return 0;
}

int hooks_run(struct hooks *hooks, const char *name, struct err *err)
{
    if (!hooks)
        return 0;
    if (hooks->result && row_of(name)->has_results) {
        take_report(hooks, hooks->result->report);
        json_object_set_new(hooks->given, "results", results_json(hooks));
    }
    return run_for(hooks, name, NULL, err);
}

void hooks_run_failure(struct hooks *hooks, const struct err *why)
{
    struct err err = ERR_INIT;
    if (!hooks || interrupt_pending() || why->kind == ERR_INTERRUPTED || why->kind == ERR_LOCKED)
        return;
    char *message = xstrdup(why->message);
    reach_redact(&hooks->reach, message);
    json_t *error =
        json_pack("{s:s, s:i}", "message", message, "exit_code", err_exit_code(why->kind));
    if (error && hooks->result && hooks->result->report)
        json_object_set(error, "report", hooks->result->report);
    json_object_set_new(hooks->given, "error", error);
    free(message);
    if (hooks_run(hooks, "on_failure", &err) != 0)
        fprintf(stderr, "bkdeploy: %s\n", err.message);
}

/* ---- of components ---- */

static int run_of_component(struct hooks *hooks, const char *name, size_t index, struct err *err)
{
    json_object_set_new(hooks->given, "component", component_in_full(hooks, index));
    int result = run_for(hooks, name, hooks->about.profile->components[index].name, err);
    json_object_del(hooks->given, "component");
    return result;
}

int hooks_before_component(struct hooks *hooks, size_t index, struct err *err)
{
    if (!hooks)
        return 0;
    hooks->parts[index].state = PART_APPLYING;
    hooks->parts[index].since = clock_ms();
    return run_of_component(hooks, "before_component", index, err);
}

int hooks_after_component(struct hooks *hooks, size_t index, const struct err *why, struct err *err)
{
    if (!hooks)
        return 0;
    struct stage *part = &hooks->parts[index];
    part->state = why ? PART_FAILED : PART_READY;
    part->until = clock_ms();
    if (why) {
        free(part->why);
        part->why = xstrdup(why->message);
        reach_redact(&hooks->reach, part->why);
    }
    if (interrupt_pending())
        return err_set(err, ERR_INTERRUPTED, "interrupted");
    int result = run_of_component(hooks, "after_component", index, err);
    if (result != 0 && why) /* the failure itself is what is told at the end */
        fprintf(stderr, "bkdeploy: %s\n", err->message);
    return result;
}
