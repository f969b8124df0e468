#include "release/apply.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "release/grow.h"
#include "release/ownership.h"
#include "release/reasons.h"
#include "release/write.h"
#include "rollout/tracker.h"

enum {
    DRAIN_MS = 3000,
    LATE_MS =
        20, /* first pause before a kind that was just brought is tried again; then twice it */
    LATE_MAX = 10, /* tries: about 20 s in all */
    ADOPT_MAX = 5, /* tries of moving the managers' fields: its status may change at any time */
};

enum item_state { ITEM_PENDING, ITEM_SENT, ITEM_APPLIED, ITEM_READY };

struct apply;

/* One object on its way. */
struct item {
    struct apply *apply;
    const struct work_item *work;
    const struct survey_item *found;
    enum item_state state;
    bool managed;   /* its managers' fields were moved to us */
    json_t *live;   /* as it was read for that once more; NULL: the plan's serves */
    int adoptions;  /* tries of that */
    size_t claims;  /* that are being grown */
    bool grown;     /* they all were */
    bool replaced;  /* was deleted to be made anew */
    bool altered;   /* was created or changed */
    bool doomed;    /* was being deleted when it was applied: to be made anew */
    int late;       /* tries that came before the server served the new kind */
    json_t *object; /* as it was when the wait for it began, and at the end; NULL: not applied */
    struct verdict verdict;
};

/* One component on its way. */
struct part {
    enum progress_state state;
    enum rank rank;    /* being applied */
    size_t first, end; /* its items: they stand together */
};

struct apply {
    struct kube_client *client;
    const struct plan *plan;
    struct work *work; /* the plan's */
    const struct apply_options *options;
    struct progress *progress;
    struct apply_result *result;
    struct tracker *tracker;
    struct reasons *reasons;
    struct item *items;
    struct part *parts;
    bool foundation;     /* still at namespaces and CRDs */
    bool namespace_only; /* and of those at the release's own namespace */
    bool stop;
    bool advancing, again; /* for advance() */
    struct err err;
    const struct item *culprit; /* that the error is of, if it is one's */
    long long deadline;
};

/* ---- telling ---- */

/* "Deployment web: 1 of 3 available (and 2 more)": what a component still waits for. `why`: with
 * what keeps it. */
static void describe_rolling(const struct apply *apply, size_t component, bool why,
                             struct buf *words)
{
    const struct part *part = &apply->parts[component];
    size_t more = 0;
    for (size_t i = part->first; i < part->end; i++) {
        const struct item *item = &apply->items[i];
        if (item->state == ITEM_READY)
            continue;
        if (words->len) {
            more++;
            continue;
        }
        buf_addf(words, "%s %s: %s", item->work->kind, item->work->name,
                 item->state == ITEM_APPLIED ? item->verdict.message : "not applied yet");
        const struct diagnosis *diagnosis = why && apply->reasons && item->state == ITEM_APPLIED
                                                ? reasons_of(apply->reasons, i)
                                                : NULL;
        if (diagnosis)
            buf_addf(words, "; %s", diagnosis->message);
    }
    if (more)
        buf_addf(words, " (and %zu more)", more);
}

static void describe_waiting(const struct apply *apply, size_t index, struct buf *words)
{
    const struct profile *profile = apply->work->profile;
    const struct component *component = &profile->components[index];
    for (size_t i = 0; i < component->needs_count; i++) {
        size_t need = component->needs[i];
        if (apply->parts[need].state != PROGRESS_DONE)
            buf_addf(words, "%s%s", words->len ? ", " : "needs ", profile->components[need].name);
    }
}

static void show(struct apply *apply, size_t index)
{
    struct buf words = BUF_INIT;
    switch (apply->parts[index].state) {
    case PROGRESS_WAITING: describe_waiting(apply, index, &words); break;
    case PROGRESS_APPLYING:
    case PROGRESS_ROLLING:
    case PROGRESS_MISSING: describe_rolling(apply, index, true, &words); break;
    case PROGRESS_DONE:
        buf_addf(&words, "%zu object%s",
                 json_array_size(apply->work->profile->components[index].objects),
                 json_array_size(apply->work->profile->components[index].objects) == 1 ? "" : "s");
        break;
    case PROGRESS_FAILED: buf_adds(&words, apply->err.message); break;
    }
    progress_set(apply->progress, index, apply->parts[index].state, buf_text(&words));
    buf_release(&words);
}

/* Ends the work for the first reason that comes; later ones are its consequences. */
static void stop_with(struct apply *apply, const struct item *item, const struct err *err)
{
    if (apply->err.kind != ERR_NONE)
        return;
    apply->err = *err;
    apply->stop = true;
    if (!item)
        return;
    write_hide(item->work, item->found->live, &apply->err);
    apply->culprit = item;
    apply->parts[item->work->component].state = PROGRESS_FAILED;
    show(apply, item->work->component);
    write_error(apply->work, item->work, &apply->err);
}

/* ---- the steps ---- */

static void advance(struct apply *apply);
static void send_item(struct item *item);

static void on_verdict(const struct verdict *verdict, void *arg)
{
    struct item *item = arg;
    struct err err = ERR_INIT;
    item->verdict = *verdict;
    if (verdict->state == VERDICT_GONE && item->doomed) {
        item->doomed = false;
        send_item(item);
        return;
    }
    if (verdict->state == VERDICT_FAILED || verdict->state == VERDICT_GONE) {
        err_set(&err, ERR_ROLLOUT, "%s", verdict->message);
        stop_with(item->apply, item, &err);
        return;
    }
    if (verdict->state == VERDICT_CURRENT)
        item->state = ITEM_READY;
    advance(item->apply);
}

static void count_outcome(struct item *item, const struct kube_response *response)
{
    struct apply_result *result = item->apply->result;
    item->altered = true;
    if (response->status == 201 && !item->replaced)
        result->created++;
    else
        result->changed++;
}

/* Whether the answer may come from a server that has not taken in yet what became of the kind: a
 * CRD is established, or changed, a little before each API server serves it so. */
static bool came_early(const struct item *item, long status)
{
    const struct apply *apply = item->apply;
    const struct work_item *crd = work_crd_of(apply->work, item->work);
    if (!crd || !apply->items[crd - apply->work->items].altered || apply->stop)
        return false;
    if (status == 404)
        return item->late < LATE_MAX;
    return (status == 400 || status == 422 || status == 500) && item->late < LATE_MAX / 2;
}

static bool is_being_deleted(const json_t *object)
{
    return json_object_get(json_object_get(object, "metadata"), "deletionTimestamp") != NULL;
}

static void on_deleted(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    if (response->err && response->status != 404) {
        stop_with(item->apply, item, response->err);
        return;
    }
    item->replaced = true;
    if (item->apply->stop)
        return;
    if (!response->err && is_being_deleted(response->body)) { /* by finalizers, such as orphan */
        item->doomed = true;
        item->state = ITEM_APPLIED;
        tracker_add(item->apply->tracker, item->work->collection, response->body, on_verdict, item);
    } else {
        send_item(item);
    }
}

static void set_object(struct item *item, json_t *object)
{
    json_incref(object);
    json_decref(item->object);
    item->object = object;
}

static void on_applied(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    struct apply *apply = item->apply;
    if (response->err && came_early(item, response->status)) {
        item->late++;
        send_item(item);
        return;
    }
    if (response->err) {
        /* Since the dry run someone may have made the Job; otherwise it was seen there. */
        if (write_is_immutable(response) && strcmp(item->work->kind, "Job") == 0 &&
            !item->replaced && !apply->stop)
            write_delete(apply->client, item->work, NULL, "Background", on_deleted, item);
        else
            stop_with(apply, item, response->err);
        return;
    }
    item->doomed = is_being_deleted(response->body);
    if (!item->doomed)
        count_outcome(item, response);
    if (apply->options->no_wait && !apply->foundation && !item->doomed) {
        item->state = ITEM_READY;
        advance(apply);
        return;
    }
    item->state = ITEM_APPLIED;
    set_object(item, response->body);
    if (apply->stop)
        return; /* an answer that came after the end: only to be counted */
    tracker_add(apply->tracker, item->work->collection, response->body, on_verdict, item);
    advance(apply);
}

/* ---- what goes before the apply of one object ---- */

static const char *uid_of(const json_t *object)
{
    return json_string_value(json_object_get(json_object_get(object, "metadata"), "uid"));
}

static void on_managed(const struct kube_response *response, void *arg);

/* Moves the fields of its former managers to us, as they are in the live object. */
static void adopt(struct item *item)
{
    const json_t *live = item->live ? item->live : item->found->live;
    json_t *managers = ownership_adopting(live);
    item->managed = managers == NULL;
    if (managers)
        write_managers(item->apply->client, item->work, live, managers, on_managed, item);
    json_decref(managers);
}

static void on_read_again(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    if (response->err) {
        stop_with(item->apply, item, response->err);
        return;
    }
    json_decref(item->live);
    item->live = json_incref(response->body);
    if (!item->apply->stop)
        send_item(item);
}

static void on_managed(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    if (response->status == 409 && ++item->adoptions < ADOPT_MAX && !item->apply->stop) {
        struct kube_request request = {
            .method = "GET", .path = item->work->path, .done = on_read_again, .arg = item
        };
        kube_send(item->apply->client, &request);
        return;
    }
    if (response->err) {
        stop_with(item->apply, item, response->err);
        return;
    }
    item->managed = true;
    if (!item->apply->stop)
        send_item(item);
}

static void on_grown(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    item->claims--;
    if (response->err) {
        stop_with(item->apply, item, response->err);
        return;
    }
    item->grown = item->claims == 0;
    if (item->grown && !item->apply->stop)
        send_item(item);
}

static void grow(struct item *item)
{
    json_t *claim;
    size_t i;
    item->claims = json_array_size(item->found->claims);
    item->grown = item->claims == 0;
    json_array_foreach(item->found->claims, i, claim)
        grow_send(item->apply->client, claim, on_grown, item);
}

/* It is as described: there is nothing to send, only to wait for. */
static void leave_as_it_is(struct item *item)
{
    struct apply *apply = item->apply;
    apply->result->unchanged++;
    item->state = ITEM_READY;
    if (apply->options->no_wait && !apply->foundation)
        return;
    item->state = ITEM_APPLIED;
    set_object(item, item->found->live);
    tracker_add(apply->tracker, item->work->collection, item->found->live, on_verdict, item);
}

static void send_item(struct item *item)
{
    struct kube_client *client = item->apply->client;
    const struct survey_item *found = item->found;
    bool anew = found->action == SURVEY_REPLACE || found->action == SURVEY_GROW;
    struct write write = {
        .body = found->body,
        .force = found->force,
        .delay_ms = item->late ? (long)LATE_MS << item->late : 0,
    };
    if (found->action == SURVEY_GROW && !item->grown && !item->claims)
        grow(item);
    if (found->action == SURVEY_SAME) {
        leave_as_it_is(item);
        return;
    }
    item->state = ITEM_SENT;
    if (found->managers && !item->managed && !anew)
        adopt(item);
    if (found->managers && !item->managed && !anew)
        return; /* on_managed() goes on */
    if (found->action == SURVEY_GROW && !item->grown)
        return; /* on_grown() goes on */
    else if (anew && !item->replaced)
        write_delete(client, item->work, uid_of(found->live),
                     found->action == SURVEY_GROW ? "Orphan" : "Background", on_deleted, item);
    else
        write_apply(client, item->work, &write, on_applied, item);
}

/* Sends what the component has of its rank. */
static void send_rank(struct apply *apply, size_t component, enum rank rank)
{
    const struct part *part = &apply->parts[component];
    for (size_t i = part->first; i < part->end; i++)
        if (apply->items[i].work->rank == rank)
            send_item(&apply->items[i]);
}

static bool any_in_state(const struct apply *apply, size_t component, enum item_state state)
{
    const struct part *part = &apply->parts[component];
    for (size_t i = part->first; i < part->end; i++)
        if (apply->items[i].state == state)
            return true;
    return false;
}

static bool needs_are_done(const struct apply *apply, size_t index)
{
    const struct component *component = &apply->work->profile->components[index];
    for (size_t i = 0; i < component->needs_count; i++)
        if (apply->parts[component->needs[i]].state != PROGRESS_DONE)
            return false;
    return true;
}

/* Takes one component as far as it goes; true when that may let others go on. */
static bool advance_part(struct apply *apply, size_t index)
{
    struct part *part = &apply->parts[index];
    if (part->state == PROGRESS_WAITING && needs_are_done(apply, index)) {
        part->state = PROGRESS_APPLYING;
        part->rank = RANK_FOUNDATION; /* those are ready: the first step is the next rank */
    }
    while (part->state == PROGRESS_APPLYING && !any_in_state(apply, index, ITEM_SENT)) {
        part->rank++;
        if (part->rank == RANK_COUNT)
            part->state = PROGRESS_ROLLING;
        else
            send_rank(apply, index, part->rank);
    }
    bool done = part->state == PROGRESS_ROLLING && !any_in_state(apply, index, ITEM_APPLIED);
    if (done) {
        part->state = PROGRESS_DONE;
        apply->result->ready++;
    }
    show(apply, index);
    return done;
}

/* Whether the item goes first in this run. */
static bool is_foundation(const struct apply *apply, const struct item *item)
{
    if (!apply->namespace_only)
        return item->work->rank == RANK_FOUNDATION;
    return strcmp(item->work->kind, "Namespace") == 0 &&
           strcmp(item->work->name, apply->work->profile->namespace) == 0;
}

static void advance_foundation(struct apply *apply)
{
    bool ready = true;
    for (size_t i = 0; i < apply->work->count; i++) {
        const struct item *item = &apply->items[i];
        if (!is_foundation(apply, item) || item->state == ITEM_READY)
            continue;
        ready = false;
        if (item->state == ITEM_APPLIED) { /* its component as a whole has not begun yet */
            char *words =
                xasprintf("%s %s: %s", item->work->kind, item->work->name, item->verdict.message);
            progress_set(apply->progress, item->work->component, PROGRESS_ROLLING, words);
            free(words);
        }
    }
    apply->stop |= ready;
}

static void advance_parts(struct apply *apply)
{
    bool again = true;
    while (again && !apply->stop) {
        again = false;
        for (size_t i = 0; i < apply->work->profile->count; i++)
            if (apply->parts[i].state != PROGRESS_DONE)
                again |= advance_part(apply, i);
    }
    apply->stop |= apply->result->ready == apply->work->profile->count;
}

/* What is as described is ready while it is being gone through: then another round follows, once
 * all of a rank has been looked at. */
static void advance(struct apply *apply)
{
    apply->again = true;
    if (apply->advancing)
        return;
    apply->advancing = true;
    while (apply->again && !apply->stop) {
        apply->again = false;
        if (apply->foundation)
            advance_foundation(apply);
        else
            advance_parts(apply);
    }
    apply->advancing = false;
}

static void on_watch_failed(const struct err *err, void *arg)
{
    stop_with(arg, NULL, err);
}

/* ---- why it does not come up ---- */

static enum reasons_state state_at(size_t index, void *arg)
{
    const struct apply *apply = arg;
    const struct item *item = &apply->items[index];
    if (item->state == ITEM_READY)
        return REASONS_READY;
    return item->state == ITEM_APPLIED && !item->doomed ? REASONS_WAITS : REASONS_UNSENT;
}

static const json_t *live_at(size_t index, void *arg)
{
    const struct apply *apply = arg;
    const struct item *item = &apply->items[index];
    const json_t *newest =
        apply->tracker ? tracker_object(apply->tracker, item->work->collection, item->work->name)
                       : NULL;
    return newest ? newest : item->object;
}

static const struct verdict *verdict_at(size_t index, void *arg)
{
    const struct apply *apply = arg;
    return &apply->items[index].verdict;
}

static struct reasons_ways ways_of(struct apply *apply)
{
    return (struct reasons_ways){ .state = state_at, .live = live_at, .arg = apply };
}

/* For what is told after the tracker has gone. */
static void keep_objects(struct apply *apply)
{
    for (size_t i = 0; i < apply->work->count; i++) {
        struct item *item = &apply->items[i];
        if (item->state != ITEM_APPLIED)
            continue;
        set_object(item, (json_t *)live_at(i, apply));
    }
}

/* ---- the end ---- */

/* "; applied: a, b (7 of 9 objects); not applied: c": what an operator has to know after a stop. */
static void add_account(const struct apply *apply, struct err *err)
{
    const struct profile *profile = apply->work->profile;
    struct buf whole = BUF_INIT, partly = BUF_INIT, none = BUF_INIT, text = BUF_INIT;
    size_t applied = 0;
    for (size_t i = 0; i < apply->work->count; i++)
        applied += apply->items[i].state >= ITEM_APPLIED;
    for (size_t i = 0; i < profile->count; i++) {
        bool some = any_in_state(apply, i, ITEM_APPLIED) || any_in_state(apply, i, ITEM_READY);
        bool left = any_in_state(apply, i, ITEM_PENDING) || any_in_state(apply, i, ITEM_SENT);
        struct buf *list = some && left ? &partly : some ? &whole : &none;
        buf_addf(list, "%s%s", list->len ? ", " : "", profile->components[i].name);
    }
    buf_addf(&text, "%zu of %zu objects applied", applied, apply->work->count);
    if (whole.len)
        buf_addf(&text, "; applied: %s", whole.data);
    if (partly.len)
        buf_addf(&text, "; applied in part: %s", partly.data);
    if (none.len)
        buf_addf(&text, "; not applied: %s", none.data);
    size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof err->message - length, " (%s)", buf_text(&text));
    buf_release(&whole);
    buf_release(&partly);
    buf_release(&none);
    buf_release(&text);
}

static int time_out(const struct apply *apply, struct err *err)
{
    struct buf text = BUF_INIT;
    for (size_t i = 0; apply->foundation && i < apply->work->count; i++) {
        const struct item *item = &apply->items[i];
        if (is_foundation(apply, item) && item->state != ITEM_READY)
            buf_addf(&text, "; %s %s: %s", item->work->kind, item->work->name,
                     item->state == ITEM_APPLIED ? item->verdict.message : "not applied yet");
    }
    for (size_t i = 0; i < apply->work->profile->count; i++) {
        struct buf words = BUF_INIT;
        if (apply->parts[i].state == PROGRESS_ROLLING || apply->parts[i].state == PROGRESS_APPLYING)
            describe_rolling(apply, i, false, &words);
        if (words.len)
            buf_addf(&text, "; %s: %s", apply->work->profile->components[i].name, words.data);
        buf_release(&words);
    }
    err_set(err, ERR_TIMEOUT, "not ready within %gs (--timeout)%s",
            (double)apply->options->timeout_ms / 1000, buf_text(&text));
    buf_release(&text);
    return -1;
}

/* Ends the work for what will not come up any more, though nobody says so. */
static void look_for_reasons(struct apply *apply)
{
    bool changed;
    size_t doomed = reasons_look(apply->reasons, &changed);
    for (size_t i = 0; changed && i < apply->work->profile->count; i++)
        if (apply->parts[i].state == PROGRESS_ROLLING || apply->parts[i].state == PROGRESS_APPLYING)
            show(apply, i);
    if (doomed == apply->work->count || apply->stop)
        return;
    const struct diagnosis *diagnosis = reasons_of(apply->reasons, doomed);
    struct err err = ERR_INIT;
    err_set(&err, ERR_ROLLOUT, "%s%s%s", diagnosis->pod, *diagnosis->pod ? ": " : "",
            diagnosis->message);
    stop_with(apply, &apply->items[doomed], &err);
}

static long shortest(long one, long other)
{
    return one < other ? one : other;
}

/* Whether the error is of something that did not come up, and somebody wants to know more. */
static bool is_to_be_reported(const struct apply *apply, const struct err *err)
{
    return apply->options->report && apply->reasons && !apply->foundation &&
           (err->kind == ERR_TIMEOUT || err->kind == ERR_ROLLOUT);
}

static void make_report(struct apply *apply)
{
    struct report_outcome outcome = {
        .plan = apply->plan,
        .reasons = apply->reasons,
        .culprit = apply->culprit ? (size_t)(apply->culprit - apply->items) : SIZE_MAX,
        .ways = ways_of(apply),
        .verdict = verdict_at,
    };
    reasons_settle(apply->reasons);
    apply->result->report = report_make(apply->client, &outcome, apply->options->report);
}

/* Runs the loop until the phase is through. */
static int run_phase(struct apply *apply, struct err *err)
{
    int result = 0;
    advance(apply);
    while (!apply->stop) {
        long tick = progress_tick(apply->progress);
        long left = (long)(apply->deadline - clock_ms());
        if (left <= 0) {
            result = time_out(apply, err);
            break;
        }
        if (apply->reasons)
            tick = shortest(tick, reasons_due(apply->reasons));
        result = kube_run(apply->client, &apply->stop, shortest(left, tick), err);
        if (result < 0)
            break;
        if (result == 0 && !apply->stop) { /* never to be seen: who waits has a watch */
            result =
                err_set(err, ERR_FAILED, "nothing is under way any more, but not all is ready");
            break;
        }
        result = 0;
        if (apply->reasons && !apply->stop)
            look_for_reasons(apply);
    }
    if (apply->err.kind != ERR_NONE) {
        *err = apply->err;
        result = -1;
    }
    if (result != 0) {
        apply->stop = true; /* what comes in now starts nothing */
        keep_objects(apply);
        tracker_free(apply->tracker);
        apply->tracker = NULL;
        reasons_stop(apply->reasons);
        kube_drain(apply->client, DRAIN_MS);
        add_account(apply, err);
        if (is_to_be_reported(apply, err))
            make_report(apply);
    }
    return result;
}

static int run_foundation(struct apply *apply, struct err *err)
{
    apply->foundation = true;
    for (size_t i = 0; i < apply->work->count; i++)
        if (is_foundation(apply, &apply->items[i]))
            send_item(&apply->items[i]);
    if (run_phase(apply, err) != 0)
        return -1;
    apply->foundation = false;
    apply->stop = false;
    return 0;
}

/* ---- the whole ---- */

static void on_lock_lost(const struct err *err, void *arg)
{
    stop_with(arg, NULL, err);
}

static bool judge_by_own_rule(const json_t *object, struct verdict *verdict, void *arg)
{
    const struct item *item = arg;
    const struct apply_options *options = item->apply->options;
    return options->own(item->work, object, verdict, options->own_arg);
}

static void open_apply(struct apply *apply)
{
    apply->work = apply->plan->work;
    apply->deadline = clock_ms() + apply->options->timeout_ms;
    apply->items = xcalloc(apply->work->count, sizeof *apply->items);
    apply->parts = xcalloc(apply->work->profile->count, sizeof *apply->parts);
    apply->tracker = tracker_new(apply->client, on_watch_failed, apply);
    struct reasons_ways ways = ways_of(apply);
    if (!apply->options->no_wait && !apply->namespace_only)
        apply->reasons = reasons_new(apply->client, apply->work, &ways, apply->options->grace_ms);
    if (apply->options->own)
        tracker_set_rule(apply->tracker, judge_by_own_rule);
    for (size_t i = 0; i < apply->work->count; i++) {
        apply->items[i].apply = apply;
        apply->items[i].work = &apply->work->items[i];
        apply->items[i].found = &apply->plan->items[i];
        struct part *part = &apply->parts[apply->work->items[i].component];
        part->first = part->end ? part->first : i;
        part->end = i + 1;
    }
    if (apply->options->lock)
        lock_on_lost(apply->options->lock, on_lock_lost, apply);
}

static void close_apply(struct apply *apply)
{
    if (apply->options->lock)
        lock_on_lost(apply->options->lock, NULL, NULL);
    tracker_free(apply->tracker);
    reasons_free(apply->reasons);
    for (size_t i = 0; i < apply->work->count; i++) {
        json_decref(apply->items[i].live);
        json_decref(apply->items[i].object);
    }
    free(apply->items);
    free(apply->parts);
}

int apply_run(struct kube_client *client, const struct plan *plan,
              const struct apply_options *options, struct progress *progress,
              struct apply_result *result, struct err *err)
{
    struct apply apply = {
        .client = client,
        .plan = plan,
        .options = options,
        .progress = progress,
        .result = result,
        .err = ERR_INIT,
    };
    *result = (struct apply_result){ .created = 0 };
    open_apply(&apply);
    int status = run_foundation(&apply, err);
    if (status == 0) {
        work_resolve_brought(apply.work);
        status = run_phase(&apply, err);
    }
    close_apply(&apply);
    return status;
}

int apply_namespace(struct kube_client *client, const struct plan *plan,
                    const struct apply_options *options, struct progress *progress, struct err *err)
{
    struct apply_result result = { .created = 0 };
    struct apply apply = {
        .client = client,
        .plan = plan,
        .options = options,
        .progress = progress,
        .result = &result,
        .err = ERR_INIT,
        .namespace_only = true,
    };
    open_apply(&apply);
    int status = run_foundation(&apply, err);
    close_apply(&apply);
    return status;
}
