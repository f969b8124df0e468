#include "release/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/diff.h"
#include "object/meta.h"
#include "object/path.h"
#include "release/prune.h"
#include "release/task.h"

static const char content_of[] = "bkdeploy/content-of";

static const json_t *meta(const json_t *object, const char *key)
{
    return json_object_get(json_object_get(object, "metadata"), key);
}

/* ---- what has left the profile ---- */

static size_t group_length(const char *api_version)
{
    const char *slash = strchr(api_version, '/');
    return slash ? (size_t)(slash - api_version) : 0;
}

/* What names an object whatever the version. The caller's. */
static char *key_of(const char *api_version, const char *kind, const char *namespace,
                    const char *name)
{
    return xasprintf("%.*s|%s|%s|%s", (int)group_length(api_version), api_version, kind, namespace,
                     name);
}

/* Whether the member is one of the profile's objects under another name: its kind has moved to
 * another group. By its own name it would be no member here (census.h). */
static bool is_in_profile(const struct plan *plan, const struct member *member)
{
    for (size_t i = 0; i < plan->work->count; i++)
        if (strcmp(survey_uid(&plan->items[i]), member->uid) == 0)
            return true;
    return false;
}

/* Whether a workload still reads this earlier content of a config. */
static int is_in_use(struct kube_client *client, const struct member *member, json_t *by_namespace,
                     bool *in_use, struct err *err)
{
    json_t *names = json_object_get(by_namespace, member->namespace);
    if (!names) {
        if (prune_referenced(client, member->namespace, &names, err) != 0)
            return -1;
        json_object_set_new(by_namespace, member->namespace, names);
    }
    char *key = xasprintf("%s/%s", member->kind, member->name);
    *in_use = json_object_get(names, key) != NULL;
    free(key);
    return 0;
}

static struct plan_leaver *add_leaver(struct plan *plan, const struct member *member,
                                      enum plan_fate fate)
{
    struct plan_leaver *leaver = &plan->leavers[plan->leavers_count++];
    *leaver = (struct plan_leaver){ .member = member, .fate = fate };
    return leaver;
}

/* What is to become of those that are gone: data, and what holds something else, stays. */
static int decide_fates(struct plan *plan, struct kube_client *client,
                        const struct identity *identity, size_t gone, struct err *err)
{
    const struct inventory left = { .members = plan->gone, .count = gone };
    if (gone == 0)
        return 0;
    int result = removal_plan(&plan->removal, client, identity, &left, false, err);
    plan->leavers = xrealloc(plan->leavers, (plan->leavers_count + plan->removal.count + 1) *
                                                sizeof *plan->leavers);
    for (size_t i = 0; i < plan->removal.count && result == 0; i++) {
        const struct removal_row *row = &plan->removal.rows[i];
        bool is_own = strcmp(row->member->kind, "Namespace") == 0 &&
                      strcmp(row->member->name, identity->namespace) == 0;
        bool is_claim = strcmp(row->member->kind, "PersistentVolumeClaim") == 0;
        struct plan_leaver *leaver =
            add_leaver(plan, row->member, row->kept || is_own ? PLAN_KEEP : PLAN_DELETE);
        leaver->why = is_own                  ? "the release lies in it"
                      : is_claim && row->kept ? "it is data"
                                              : row->kept;
    }
    return result;
}

static int find_leavers(struct plan *plan, struct kube_client *client,
                        const struct identity *identity, struct err *err)
{
    const struct inventory *inventory = &plan->inventory;
    json_t *by_namespace = json_object();
    size_t gone = 0;
    int result = 0;
    plan->leavers = xcalloc(inventory->count, sizeof *plan->leavers);
    plan->gone = xcalloc(inventory->count, sizeof *plan->gone);
    for (size_t i = 0; i < inventory->count && result == 0; i++) {
        const struct member *member = &inventory->members[i];
        bool in_use = false;
        if (is_in_profile(plan, member))
            continue;
        if (!member->keep && json_object_get(meta(member->object, "labels"), content_of))
            result = is_in_use(client, member, by_namespace, &in_use, err);
        if (in_use)
            add_leaver(plan, member, PLAN_IN_USE);
        else
            plan->gone[gone++] = *member;
    }
    json_decref(by_namespace);
    return result == 0 ? decide_fates(plan, client, identity, gone, err) : result;
}

/* ---- the whole ---- */

/* The census, then the survey of what it leaves open. */
static int look(struct plan *plan, struct kube_client *client, const struct identity *identity,
                const struct plan_options *options, struct err *err)
{
    const struct work *work = plan->work;
    struct census_item *census = xcalloc(work->count, sizeof *census);
    struct survey_options survey = options->survey;
    const struct census_options look = {
        .memory = plan->memory,
        .wait = options->wait,
        .has_own_rule = options->has_own_rule,
        .own_arg = options->own_arg,
    };
    survey.set_id = identity->set_id;
    int result = census_take(client, work, identity, &look, &plan->inventory, census, err);
    if (result == 0)
        result = survey_run(client, work, census, plan->memory, &survey, plan->items, err);
    census_release(census, work->count);
    free(census);
    return result;
}

int plan_make(struct plan *plan, struct kube_client *client, struct work *work,
              const struct identity *identity, const struct plan_options *options, struct err *err)
{
    *plan = (struct plan){ .work = work, .set_id = identity->set_id };
    plan->items = xcalloc(work->count, sizeof *plan->items);
    plan->memory = memory_load(client, identity, err);
    if (!plan->memory || look(plan, client, identity, options, err) != 0)
        return -1;
    if (plan->inventory.count &&
        inventory_complete(client, work->discovery, identity, &plan->inventory, err) != 0)
        return -1;
    if (find_leavers(plan, client, identity, err) != 0)
        return -1;
    task_settle(plan);
    return 0;
}

void plan_release(struct plan *plan)
{
    if (plan->items)
        survey_release(plan->items, plan->work->count);
    free(plan->items);
    free(plan->leavers);
    removal_release(&plan->removal);
    free(plan->gone);
    inventory_release(&plan->inventory);
    memory_free(plan->memory);
    *plan = (struct plan){ .work = NULL };
}

void plan_count(const struct plan *plan, struct plan_counts *counts)
{
    *counts = (struct plan_counts){ .create = 0 };
    for (size_t i = 0; i < plan->work->count; i++) {
        switch (plan->items[i].action) {
        case SURVEY_SAME: counts->same++; break;
        case SURVEY_CREATE: counts->create++; break;
        case SURVEY_CHANGE: counts->change++; break;
        case SURVEY_REPLACE: counts->replace++; break;
        case SURVEY_GROW: counts->grow++; break;
        }
    }
    for (size_t i = 0; i < plan->leavers_count; i++) {
        if (plan->leavers[i].fate == PLAN_DELETE)
            counts->delete ++;
        else
            counts->keep++;
    }
}

bool plan_is_empty(const struct plan *plan)
{
    struct plan_counts counts;
    plan_count(plan, &counts);
    return counts.same == plan->work->count && counts.delete == 0;
}

const char *plan_action_name(enum survey_action action)
{
    static const char *const names[] = { [SURVEY_SAME] = "none",
                                         [SURVEY_CREATE] = "create",
                                         [SURVEY_CHANGE] = "change",
                                         [SURVEY_REPLACE] = "replace",
                                         [SURVEY_GROW] = "grow" };
    return names[action];
}

json_t *plan_changes(const struct plan *plan, const struct schema_set *set, size_t index)
{
    const struct survey_item *item = &plan->items[index];
    if (item->action == SURVEY_SAME || !item->live || !item->after)
        return json_array();
    json_t *before = diff_cleaned(item->live), *after = diff_cleaned(item->after);
    json_t *changes = diff_objects(set, before, after);
    diff_mask_secret(plan->work->items[index].kind, changes);
    json_decref(before);
    json_decref(after);
    return changes;
}

/* ---- as values ---- */

/* A text, or nothing where it is empty. A new reference, or NULL. */
static json_t *text_of(const char *text)
{
    return *text ? json_string(text) : NULL;
}

static json_t *step_of_item(const struct plan *plan, const struct schema_set *set, size_t index)
{
    const struct work_item *item = &plan->work->items[index];
    const struct survey_item *found = &plan->items[index];
    const struct component *component = &plan->work->profile->components[item->component];
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o*, s:o*, s:o, s:O}", "component",
                     component->name, "origin", component->origin, "apiVersion", item->api_version,
                     "kind", item->kind, "namespace", item->namespace, "name", item->name, "action",
                     plan_action_name(found->action), "uid", text_of(survey_uid(found)),
                     "resourceVersion", text_of(survey_version(found)), "changes",
                     plan_changes(plan, set, index), "notes", found->notes);
}

static json_t *step_of_leaver(const struct plan_leaver *leaver)
{
    static const char *const names[] = {
        [PLAN_DELETE] = "delete", [PLAN_KEEP] = "keep", [PLAN_IN_USE] = "in use"
    };
    const struct member *member = leaver->member;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "apiVersion", member->api_version, "kind",
                     member->kind, "namespace", member->namespace, "name", member->name, "action",
                     names[leaver->fate], "uid", member->uid);
}

json_t *plan_steps(const struct plan *plan, const struct schema_set *set)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < plan->work->count; i++)
        json_array_append_new(steps, step_of_item(plan, set, i));
    for (size_t i = 0; i < plan->leavers_count; i++)
        json_array_append_new(steps, step_of_leaver(&plan->leavers[i]));
    return steps;
}

/* ---- held to what was said ---- */

static char *identity_of(const json_t *step)
{
    return key_of(object_text(step, "apiVersion"), object_text(step, "kind"),
                  object_text(step, "namespace"), object_text(step, "name"));
}

/* Steps by what they are about; borrowed values. */
static json_t *index_steps(const json_t *steps)
{
    json_t *index = json_object(), *step;
    size_t i;
    json_array_foreach(steps, i, step) {
        char *key = identity_of(step);
        json_object_set(index, key, step);
        free(key);
    }
    return index;
}

/* "change spec.replicas, spec.template...": what a step does, in short. The caller's. */
static char *step_words(const json_t *step)
{
    const json_t *changes = json_object_get(step, "changes");
    const char *action = step ? object_text(step, "action") : "none";
    char *path = path_format(json_object_get(json_array_get(changes, 0), "path"));
    size_t count = json_array_size(changes);
    char *words = strcmp(action, "none") == 0 ? xstrdup("nothing")
                  : count == 0                ? xstrdup(action)
                  : count == 1                ? xasprintf("%s of %s", action, path)
                               : xasprintf("%s of %s and %zu more", action, path, count - 1);
    free(path);
    return words;
}

static bool does_the_same(const json_t *said, const json_t *now)
{
    if (strcmp(object_text(now, "action"), "none") == 0)
        return true; /* is as described already: a stopped apply goes on */
    if (!said || strcmp(object_text(said, "action"), object_text(now, "action")) != 0)
        return false;
    bool moved = !json_equal(json_object_get(said, "resourceVersion"),
                             json_object_get(now, "resourceVersion"));
    bool is_change = json_array_size(json_object_get(now, "changes")) > 0;
    if (moved && is_change && strcmp(object_text(now, "kind"), "Secret") == 0)
        return false; /* its values are not in a plan, so nobody can tell */
    return !moved || strcmp(object_text(now, "action"), "replace") == 0 ||
           json_equal(json_object_get(said, "changes"), json_object_get(now, "changes"));
}

static int refuse_step(const json_t *said, const json_t *now, struct err *err)
{
    char *then_words = step_words(said), *now_words = step_words(now);
    err_set(
        err, ERR_CONFLICT,
        "%s %s/%s has changed since the plan was made: planned was %s, now it would be %s%s; make "
        "a new plan",
        object_text(now, "kind"), object_text(now, "namespace"), object_text(now, "name"),
        then_words, now_words, strcmp(then_words, now_words) == 0 ? " with other values" : "");
    free(then_words);
    free(now_words);
    return -1;
}

int plan_hold_to(struct plan *plan, const struct schema_set *set, const json_t *steps,
                 struct err *err)
{
    json_t *said = index_steps(steps);
    int result = 0;
    for (size_t i = 0; i < plan->work->count && result == 0; i++) {
        json_t *now = step_of_item(plan, set, i);
        char *key = identity_of(now);
        const json_t *before = json_object_get(said, key);
        if (!does_the_same(before, now))
            result = refuse_step(before, now, err);
        free(key);
        json_decref(now);
    }
    for (size_t i = 0; i < plan->leavers_count; i++) {
        struct plan_leaver *leaver = &plan->leavers[i];
        json_t *now = step_of_leaver(leaver);
        char *key = identity_of(now);
        const json_t *before = json_object_get(said, key);
        if (leaver->fate == PLAN_DELETE &&
            (strcmp(object_text(before, "action"), "delete") != 0 ||
             strcmp(object_text(before, "uid"), object_text(now, "uid")) != 0))
            leaver->fate = PLAN_KEEP;
        free(key);
        json_decref(now);
    }
    json_decref(said);
    return result;
}
