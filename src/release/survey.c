#include "release/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/diff.h"
#include "object/fields.h"
#include "object/meta.h"
#include "object/path.h"
#include "release/conflict.h"
#include "release/grow.h"
#include "release/identity.h"
#include "release/ownership.h"
#include "release/sample.h"
#include "release/write.h"

enum { ROUNDS_MAX = 8 }; /* tries of one object: each decision may bring up another */

/* What an object is tried under when it is to be made anew: the live one has its name. */
static const char trial_name[] = "bkdeploy-try";

struct run {
    struct kube_client *client;
    const struct work *work;
    struct memory *memory;
    const struct survey_options *options;
    struct sample *sample; /* NULL: everything is tried */
    size_t pending;
    bool finished;
};

/* One item's way through it. */
struct
try {
    struct run *run;
    const struct work_item *item;
    struct survey_item *found;
    bool elsewhere;  /* tried in "default", for want of its own namespace */
    bool anew;       /* tried under another name */
    bool adopting;   /* another's, and to be taken as a whole */
    bool left_alone; /* another release's, and only looked at */
    bool leaving;    /* is being deleted */
    bool is_plain;   /* what is to be sent is the profile's object with our label */
    json_t *grown;   /* the body with the live claim templates, while those are tried */
    json_t *whole;   /* the body with the live values of what is left to others; NULL: nothing is */
    int rounds;
};

static bool is_kind(const struct try *try, const char *kind)
{
    return strcmp(try->item->kind, kind) == 0;
}

static void note(struct try *try, char *sentence)
{
    json_array_append_new(try->found->notes, json_string(sentence));
    free(sentence);
}

static void refuse(struct try *try, const struct err *err)
{
    if (try->found->refusal)
        return;
    try->found->refusal = xmalloc(sizeof *err);
    *try->found->refusal = *err;
}

static void finish(struct try *try)
{
    struct survey_item *found = try->found;
    if (try->is_plain) { /* made again when it is sent: together they would take much memory */
        json_decref(found->body);
        found->body = NULL;
    }
    if (found->action == SURVEY_SAME) {
        json_decref(found->after);
        found->after = NULL;
    }
    try->run->finished = --try->run->pending == 0;
}

/* ": the profile says so at profile.lua:42", or nothing. The caller's to free. */
static char *origin_words(const struct try *try, const json_t *path)
{
    const struct survey_options *options = try->run->options;
    const char *origin =
        options->origin && path ? options->origin(try->item, path, options->origin_arg) : NULL;
    return origin ? xasprintf("%s: ", origin) : xstrdup("");
}

/* ---- the body ---- */

/* The object as it is sent: a member of the release's set, unless it is only used. */
static json_t *labelled(const json_t *object, const char *set_id)
{
    json_t *copy = json_copy((json_t *)object);
    json_t *metadata = json_copy(json_object_get(object, "metadata"));
    json_t *labels = json_copy(json_object_get(metadata, "labels"));
    if (!labels)
        labels = json_object();
    json_object_set_new(labels, IDENTITY_PART_OF, json_string(set_id));
    json_object_set_new(metadata, "labels", labels);
    json_object_set_new(copy, "metadata", metadata);
    return copy;
}

json_t *survey_body(const struct survey_item *found, const struct work_item *item,
                    const char *set_id)
{
    return found->body ? json_incref(found->body) : labelled(item->object, set_id);
}

/* The body, kept with the item: it shares its values with the profile. */
static json_t *body_of(struct try *try)
{
    if (!try->found->body)
        try->found->body = labelled(try->item->object, try->run->options->set_id);
    return try->found->body;
}

/* The same, to be changed. */
static json_t *own_body(struct try *try)
{
    json_t *copy = json_deep_copy(body_of(try));
    json_decref(try->found->body);
    try->found->body = copy;
    try->is_plain = false;
    return copy;
}

/* ---- the try ---- */

static void on_tried(const struct kube_response *response, void *arg);

static void send_try(struct try *try)
{
    struct write write = {
        .body = try->grown ? try->grown : body_of(try),
        .dry_run = true,
        .force = try->found->force,
        .namespace = try->elsewhere ? "default" : NULL,
        .name = try->anew ? trial_name : NULL,
    };
    if (++try->rounds > ROUNDS_MAX) {
        struct err err = ERR_INIT;
        err_set(&err, ERR_REFUSED, "the API server gives a different answer at each try");
        refuse(try, &err);
        finish(try);
        return;
    }
    write_apply(try->run->client, try->item, &write, on_tried, try);
}

static bool has_namespace_object(const struct work *work, const char *name)
{
    return work_find(work, "v1", "Namespace", "", name) != NULL;
}

static bool has_cause(const struct kube_response *response, const char *wanted)
{
    const json_t *details = json_object_get(response->body, "details");
    size_t i;
    json_t *cause;
    json_array_foreach(json_object_get(details, "causes"), i, cause) {
        if (strcmp(object_text(cause, "reason"), wanted) == 0)
            return true;
    }
    return false;
}

/* Whether the profile scales this object by an autoscaler. */
static bool has_autoscaler(const struct try *try)
{
    const struct work *work = try->run->work;
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *other = &work->items[i];
        const json_t *spec = json_object_get(other->object, "spec");
        const json_t *target = json_object_get(spec, "scaleTargetRef");
        if (strcmp(other->kind, "HorizontalPodAutoscaler") == 0 &&
            strcmp(other->namespace, try->item->namespace) == 0 &&
            strcmp(object_text(target, "kind"), try->item->kind) == 0 &&
            strcmp(object_text(target, "name"), try->item->name) == 0)
            return true;
    }
    return false;
}

/* Whether a manager's fields are moved to us before the apply: then there is no conflict. */
static bool is_moved(const struct try *try, const struct conflict *conflict)
{
    json_t *entry;
    size_t i;
    if (!try->found->managers)
        return false;
    json_array_foreach(try->found->managers, i, entry) {
        if (strcmp(object_text(entry, "manager"), conflict->manager) == 0)
            return false;
    }
    return true;
}

static void refuse_conflict(struct try *try, const struct conflict *conflict)
{
    struct buf words = BUF_INIT;
    struct err err = ERR_INIT;
    char *origin = origin_words(try, conflict->path);
    conflict_describe(conflict, &words);
    err_set(
        &err, ERR_CONFLICT,
        "%s%s; take it with --force-conflicts, or decide in the profile: conflicts = { { field = "
        "\"%s\", action = \"take\" or \"yield\" } }",
        origin, buf_text(&words), conflict->field);
    refuse(try, &err);
    buf_release(&words);
    free(origin);
}

/* Leaves a field to its manager: it is out of what is sent, but as it is in what is made anew. */
static void leave_field(struct try *try, const json_t *field_path)
{
    json_t *theirs = fields_value_in(try->found->live, field_path);
    if (!try->whole)
        try->whole = json_deep_copy(body_of(try));
    if (theirs)
        fields_set_in(try->whole, field_path, theirs);
    else
        fields_remove_from(try->whole, field_path);
    json_decref(theirs);
    fields_remove_from(own_body(try), field_path);
}

/* Decides about each field that belongs to another; true when the object is to be tried again. */
static bool settle_conflicts(struct try *try, const struct kube_response *response)
{
    const struct survey_options *options = try->run->options;
    struct conflict *conflicts;
    size_t count;
    struct conflict_policy policy = { options->policy, options->force || try->adopting,
                                      has_autoscaler(try) };
    if (conflict_read(response->body, try->found->live, body_of(try), &policy, &conflicts,
                      &count) != 0)
        return false;
    bool stopped = false;
    for (size_t i = 0; i < count; i++) {
        const struct conflict *conflict = &conflicts[i];
        struct buf words = BUF_INIT;
        if (is_moved(try, conflict))
            continue;
        conflict_describe(conflict, &words);
        if (conflict->action == CONFLICT_STOP) {
            refuse_conflict(try, conflict);
            stopped = true;
        } else if (conflict->action == CONFLICT_TAKE) {
            bool by_force = options->force || !try->adopting;
            note(try, xasprintf("%s; it is taken over (%s)", buf_text(&words),
                                by_force ? conflict->why : "--adopt"));
        } else {
            note(try, xasprintf("%s; it is left as it is (%s)", buf_text(&words), conflict->why));
            leave_field(try, conflict->field_path);
        }
        buf_release(&words);
    }
    conflict_free(conflicts, count);
    try->found->force = true; /* what was not to be taken is out of the body now */
    return !stopped;
}

/* An object that an earlier release made otherwise keeps what server-side apply can't take away:
 * the defaults of a RollingUpdate, which Recreate forbids. */
static bool clear_rolling_update(struct try *try, const struct kube_response *response)
{
    const char *message = object_text(response->body, "message");
    if (!is_kind(try, "Deployment") || !strstr(message, "spec.strategy.rollingUpdate: Forbidden"))
        return false;
    json_t *spec = json_object_get(own_body(try), "spec");
    json_t *strategy = json_object_get(spec, "strategy");
    if (!strategy || json_object_get(strategy, "rollingUpdate"))
        return false;
    json_object_set_new(strategy, "rollingUpdate", json_null());
    return true;
}

static bool may_replace(const struct try *try)
{
    const struct component *component = &try->run->work->profile->components[try->item->component];
    static const char *const never[] = { "Namespace", "CustomResourceDefinition",
                                         "PersistentVolumeClaim", "PersistentVolume" };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (is_kind(try, never[i]))
            return false;
    if (component->replace != COMPONENT_REPLACE_UNSAID)
        return component->replace == COMPONENT_REPLACE_ALLOWED;
    return is_kind(try, "Job");
}

static void refuse_immutable(struct try *try, const struct err *refusal, const char *more)
{
    struct err err = *refusal;
    size_t length = strlen(err.message);
    bool never = is_kind(try, "PersistentVolumeClaim") || is_kind(try, "PersistentVolume") ||
                 is_kind(try, "CustomResourceDefinition") || is_kind(try, "Namespace");
    snprintf(err.message + length, sizeof err.message - length, "; %s%s%s", more, *more ? "; " : "",
             never
                 ? "give the new one another name"
                 : "keep the old value, or allow `replace = true` in the component: it is deleted "
                   "and made anew then");
    refuse(try, &err);
}

/* What is made anew has no other managers that would set what is left to them. */
static void take_whole_body(struct try *try)
{
    if (!try->whole)
        return;
    json_decref(try->found->body);
    try->found->body = try->whole;
    try->whole = NULL;
    try->is_plain = false;
}

/* What to do about a field that can't be changed in place; true when something is to be tried. */
static bool settle_immutable(struct try *try, const struct kube_response *response)
{
    char why[160] = "";
    if (is_kind(try, "StatefulSet") && try->found->action != SURVEY_GROW && !try->anew &&
        grow_is_all(try->found->live, body_of(try), why)) {
        const json_t *spec = json_object_get(try->found->live, "spec");
        try->found->action = SURVEY_GROW;
        take_whole_body(try);
        try->grown = json_deep_copy(body_of(try));
        json_object_set(json_object_get(try->grown, "spec"), "volumeClaimTemplates",
                        json_object_get(spec, "volumeClaimTemplates"));
        return true;
    }
    if (may_replace(try) && !try->anew) {
        try->found->action = SURVEY_REPLACE;
        take_whole_body(try);
        try->anew = true;
        json_decref(try->grown);
        try->grown = NULL;
        return true;
    }
    refuse_immutable(try, response->err, why);
    return false;
}

/* ---- what it would be ---- */

/* Takes out of `after` what the moved managers had and the profile has not: the real apply will. */
static void take_left_over(struct try *try, json_t *after)
{
    json_t *fields = ownership_adopted_fields(try->found->live), *field;
    json_t *left = fields_left_over(fields, body_of(try));
    size_t i;
    json_array_foreach(left, i, field)
        fields_remove_from(after, field);
    json_decref(left);
    json_decref(fields);
}

/* A Job names itself in labels; those of the trial are not those that it will have. */
static void forget_trial(struct try *try, json_t *after)
{
    json_t *metadata = json_object_get(after, "metadata");
    json_object_set_new(metadata, "name", json_string(try->item->name));
    if (!is_kind(try, "Job"))
        return;
    static const char *const own[] = { "batch.kubernetes.io/controller-uid",
                                       "batch.kubernetes.io/job-name", "controller-uid",
                                       "job-name" };
    json_t *spec = json_object_get(after, "spec");
    json_t *old = json_object_get(try->found->live, "spec");
    json_t *labels =
        json_object_get(json_object_get(json_object_get(spec, "template"), "metadata"), "labels");
    const json_t *old_labels =
        json_object_get(json_object_get(json_object_get(old, "template"), "metadata"), "labels");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (json_object_get(old_labels, own[i]) && json_object_get(labels, own[i]))
            json_object_set(labels, own[i], json_object_get(old_labels, own[i]));
    if (json_object_get(old, "selector"))
        json_object_set(spec, "selector", json_object_get(old, "selector"));
}

static void take_result(struct try *try, const json_t *result)
{
    struct survey_item *found = try->found;
    if (try->elsewhere)
        return;
    if (found->live)
        found->after = json_deep_copy(result);
    else
        return;
    if (found->action == SURVEY_REPLACE) {
        forget_trial(try, found->after);
        return;
    }
    if (found->action == SURVEY_GROW) {
        grow_templates(found->after, body_of(try));
        return;
    }
    if (found->managers)
        take_left_over(try, found->after);
    json_t *before = diff_cleaned(found->live), *after = diff_cleaned(found->after);
    bool same = json_equal(before, after);
    json_decref(before);
    json_decref(after);
    if (try->left_alone && !same)
        note(try,
             xstrdup("it is another release's, and left as that one has it; --adopt takes it"));
    found->action = try->left_alone || (same && !found->managers) ? SURVEY_SAME : SURVEY_CHANGE;
    found->reclaim =
        found->action == SURVEY_SAME && !try->left_alone && !ownership_is_same(found->live, result);
    if (found->action == SURVEY_SAME && !found->reclaim && try->is_plain)
        memory_keep(try->run->memory,
                    memory_mark(try->run->memory, try->item->path, try->item->object, found->live));
}

/* Whether a refusal of the trial tells of the trial only: what the live object holds is taken. */
static bool is_of_trial(const struct try *try, const struct kube_response *response)
{
    const char *message = object_text(response->body, "message");
    return try->anew && response->status == 422 && strstr(message, "already allocated");
}

static void on_tried(const struct kube_response *response, void *arg)
{
    struct try *try = arg;
    bool no_namespace = (response->status == 404 || has_cause(response, "NamespaceTerminating")) &&
                        !try->elsewhere &&
                        has_namespace_object(try->run->work, try->item->namespace);
    if (no_namespace) {
        try->elsewhere = true;
        send_try(try);
        return;
    }
    if (try->left_alone)
        try->found->action = SURVEY_SAME;
    if (!response->err)
        take_result(try, response->body);
    if (!response->err || try->left_alone) {
        finish(try);
        return;
    }
    /* What happens to lie in "default" under the same name, or rights there, tell nothing. */
    bool immutable = write_is_immutable(response);
    if (is_of_trial(try, response) ||
        (try->elsewhere && (immutable || response->status == 409 || response->status == 403))) {
        finish(try);
        return;
    }
    bool again = false;
    if (response->status == 409 && has_cause(response, "FieldManagerConflict"))
        again = settle_conflicts(try, response);
    else if (immutable && try->found->live)
        again = settle_immutable(try, response);
    else if (clear_rolling_update(try, response))
        again = true;
    if (again) {
        send_try(try);
        return;
    }
    refuse(try, response->err);
    finish(try);
}

/* ---- the live object ---- */

/* What several releases may have in common, so that the one that brought it first has it. */
static bool is_common(const struct try *try)
{
    return is_kind(try, "Namespace") || is_kind(try, "CustomResourceDefinition") ||
           (is_kind(try, "ServiceAccount") && strcmp(try->item->name, "default") == 0);
}

/* A common object that was there before, and that an earlier apply only used: it has our fields,
 * but not our label. */
static bool was_only_used(const struct try *try, enum owner_kind owner)
{
    const json_t *metadata = json_object_get(try->found->live, "metadata");
    return owner == OWNER_US && is_common(try) && !is_kind(try, "CustomResourceDefinition") &&
           !json_object_get(json_object_get(metadata, "labels"), IDENTITY_PART_OF);
}

/* As it is in the set of the other release: by the same field manager, a body without its label
 * would take it out of there. */
static void use_only(struct try *try, enum owner_kind owner)
{
    const json_t *metadata = json_object_get(try->found->live, "metadata");
    const char *other = object_text(json_object_get(metadata, "labels"), IDENTITY_PART_OF);
    json_decref(try->found->body);
    try->found->body = owner == OWNER_RELEASE ? labelled(try->item->object, other)
                                              : json_incref((json_t *)try->item->object);
    try->is_plain = false;
    try->found->shared = true;
    try->left_alone = owner == OWNER_RELEASE;
}

/* Whether it may be taken: ours, nobody's, or another's that the operator says to take. */
static bool settle_ownership(struct try *try)
{
    const struct survey_options *options = try->run->options;
    char *words = NULL;
    enum owner_kind owner = ownership_of(try->found->live, options->set_id, &words);
    bool is_ours = owner == OWNER_US || owner == OWNER_NOBODY, accepted = true;
    if (!is_ours && options->adopt) {
        note(try, xasprintf("adopted from %s", words));
        try->adopting = true;
    } else if (was_only_used(try, owner) && !options->adopt) {
        use_only(try, owner);
    } else if (!is_ours && is_common(try) &&
               (owner == OWNER_RELEASE || !is_kind(try, "CustomResourceDefinition"))) {
        use_only(try, owner);
    } else if (!is_ours) {
        struct err err = ERR_INIT;
        err_set(&err, ERR_CONFLICT,
                "is there already and belongs to %s; --adopt takes it into this release", words);
        refuse(try, &err);
        accepted = false;
    }
    free(words);
    if (options->adopt || (owner == OWNER_US && !try->found->shared))
        try->found->managers = ownership_adopting(try->found->live);
    return accepted;
}

static void on_live(const struct kube_response *response, void *arg)
{
    struct try *try = arg;
    if (response->err && response->status != 404) {
        refuse(try, response->err);
        finish(try);
        return;
    }
    if (!response->err) {
        try->found->live = json_incref(response->body);
        if (json_object_get(json_object_get(response->body, "metadata"), "deletionTimestamp")) {
            json_decref(try->found->live); /* on its way out: it will be made anew */
            try->found->live = NULL;
            try->leaving = true;
        } else if (!settle_ownership(try)) {
            finish(try);
            return;
        }
    }
    send_try(try);
}

/* ---- the whole ---- */

/* A CRD that the apply will change first judges its resources otherwise than the live one does:
 * their refusal is left to the real apply. One that stays as it is has judged. */
static void pardon_upgraded(const struct work *work, struct survey_item *found)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *crd = work_crd_of(work, &work->items[i]);
        if (found[i].refusal && found[i].refusal->kind == ERR_REFUSED && crd &&
            found[crd - work->items].action != SURVEY_SAME) {
            free(found[i].refusal);
            found[i].refusal = NULL;
            found[i].action = found[i].live ? SURVEY_CHANGE : SURVEY_CREATE;
        }
    }
}

static const struct try *leaving_namespace(const struct run *run, const struct try *tries,
                                           const char *name)
{
    for (size_t i = 0; i < run->work->count; i++)
        if (tries[i].leaving && is_kind(&tries[i], "Namespace") &&
            strcmp(tries[i].item->name, name) == 0)
            return &tries[i];
    return NULL;
}

/* What is in a namespace that is being deleted goes with it, and is made anew. */
static void forget_leaving(struct run *run, struct try *tries)
{
    bool any = false;
    for (size_t i = 0; i < run->work->count; i++)
        any |= tries[i].leaving;
    for (size_t i = 0; any && i < run->work->count; i++) {
        struct survey_item *found = tries[i].found;
        if (!found || !*survey_uid(found) || !work_is_namespaced(tries[i].item) ||
            !leaving_namespace(run, tries, tries[i].item->namespace))
            continue;
        survey_release(found, 1);
        *found = (struct survey_item){ .action = SURVEY_CREATE, .notes = json_array() };
    }
}

static int look_at_claims(struct run *run, struct try *tries, struct err *err)
{
    for (size_t i = 0; i < run->work->count; i++) {
        struct survey_item *found = tries[i].found;
        if (!found || found->action != SURVEY_GROW || found->refusal)
            continue;
        found->claims = grow_claims(run->client, tries[i].item, body_of(&tries[i]), err);
        if (found->claims)
            continue;
        if (err->kind != ERR_REFUSED)
            return -1;
        refuse(&tries[i], err);
        *err = (struct err)ERR_INIT;
    }
    return 0;
}

/* Completes the refusals; the first of them, and how many more there are. */
static int report(const struct work *work, struct survey_item *found, struct err *err)
{
    size_t refused = 0;
    for (size_t i = 0; i < work->count; i++) {
        if (!found[i].refusal)
            continue;
        write_hide(&work->items[i], found[i].live, found[i].refusal);
        write_error(work, &work->items[i], found[i].refusal);
        if (refused++ == 0)
            *err = *found[i].refusal;
    }
    if (refused > 1) {
        size_t length = strlen(err->message);
        snprintf(err->message + length, sizeof err->message - length,
                 "; %zu more of the profile's objects are refused", refused - 1);
    }
    return refused ? -1 : 0;
}

/* Begins with an item where the census ends. */
static void begin(struct try *try, struct census_item *census)
{
    struct run *run = try->run;
    struct survey_item *found = try->found;
    if (census->state == CENSUS_SAME) {
        found->action = SURVEY_SAME;
        found->settled = census->settled;
        found->live = census->live;
        found->uid = census->uid;
        found->version = census->version;
        *census = (struct census_item){ .state = CENSUS_SAME };
        return;
    }
    if (census->state == CENSUS_ABSENT && run->sample && !sample_wants(run->sample, try->item))
        return;
    run->pending++;
    if (census->state == CENSUS_ABSENT) {
        send_try(try);
        return;
    }
    struct kube_request request = {
        .method = "GET", .path = try->item->path, .done = on_live, .arg = try
    };
    kube_send(run->client, &request);
}

int survey_run(struct kube_client *client, const struct work *work, struct census_item *census,
               struct memory *memory, const struct survey_options *options,
               struct survey_item *found, struct err *err)
{
    struct run run = {
        .client = client,
        .work = work,
        .memory = memory,
        .options = options,
        .sample = options->sample ? sample_new() : NULL,
    };
    struct try *tries = xcalloc(work->count, sizeof *tries);
    for (size_t i = 0; i < work->count; i++) {
        found[i].action = SURVEY_CREATE;
        found[i].notes = json_array();
        if (!work->items[i].path)
            continue;
        tries[i] = (struct try){
            .run = &run, .item = &work->items[i], .found = &found[i], .is_plain = true
        };
        begin(&tries[i], &census[i]);
    }
    int result = run.pending ? kube_run(client, &run.finished, -1, err) : 0;
    if (result != 0)
        kube_drain(client, 0);
    forget_leaving(&run, tries);
    if (result == 0)
        result = look_at_claims(&run, tries, err);
    pardon_upgraded(work, found);
    if (result == 0)
        result = report(work, found, err);
    for (size_t i = 0; i < work->count; i++) {
        json_decref(tries[i].grown);
        json_decref(tries[i].whole);
    }
    free(tries);
    sample_free(run.sample);
    return result;
}

const char *survey_uid(const struct survey_item *found)
{
    return found->uid ? found->uid : meta_text(found->live, "uid");
}

const char *survey_version(const struct survey_item *found)
{
    return found->version ? found->version : meta_text(found->live, "resourceVersion");
}

void survey_release(struct survey_item *found, size_t count)
{
    for (size_t i = 0; found && i < count; i++) {
        json_decref(found[i].body);
        json_decref(found[i].live);
        json_decref(found[i].after);
        json_decref(found[i].managers);
        json_decref(found[i].claims);
        json_decref(found[i].notes);
        free(found[i].refusal);
        free(found[i].uid);
        free(found[i].version);
    }
}
