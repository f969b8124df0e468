#include "release/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "release/rehearsal.h"
#include "release/write.h"
#include "rollout/tracker.h"

enum {
    DRAIN_MS = 3000,
    LATE_MS =
        20, /* first pause before a kind that was just brought is tried again; then twice it */
    LATE_MAX = 10, /* tries: about 20 s in all */
};

enum item_state { ITEM_PENDING, ITEM_SENT, ITEM_APPLIED, ITEM_READY };

struct apply;

/* One object on its way. */
struct item {
    struct apply *apply;
    const struct work_item *work;
    struct rehearsal rehearsal;
    enum item_state state;
    bool replaced; /* was deleted to be made anew */
    bool altered;  /* was created or changed */
    bool doomed;   /* was being deleted when it was applied: to be made anew */
    int late;      /* tries that came before the server served the new kind */
    struct verdict verdict;
};

/* One component on its way. */
struct part {
    enum progress_state state;
    enum rank rank; /* being applied */
};

struct apply {
    struct kube_client *client;
    struct work *work;
    const struct apply_options *options;
    struct progress *progress;
    struct apply_result *result;
    struct tracker *tracker;
    struct item *items;
    struct part *parts;
    bool foundation; /* still at namespaces and CRDs */
    bool stop;
    struct err err;
    long long deadline;
};

/* ---- telling ---- */

/* "Deployment web: 1 of 3 available (and 2 more)": what a component still waits for. */
static void describe_rolling(const struct apply *apply, size_t component, struct buf *words)
{
    size_t more = 0;
    for (size_t i = 0; i < apply->work->count; i++) {
        const struct item *item = &apply->items[i];
        if (item->work->component != component || item->state == ITEM_READY)
            continue;
        if (words->len) {
            more++;
            continue;
        }
        buf_addf(words, "%s %s: %s", item->work->kind, item->work->name,
                 item->state == ITEM_APPLIED ? item->verdict.message : "not applied yet");
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
    case PROGRESS_ROLLING: describe_rolling(apply, index, &words); break;
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
    item->altered = !item->rehearsal.same || item->replaced;
    if (response->status == 201 && !item->replaced)
        result->created++;
    else if (item->altered)
        result->changed++;
    else
        result->unchanged++;
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
    if (!item->apply->stop)
        send_item(item);
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
            write_delete(apply->client, item->work, on_deleted, item);
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
    if (apply->stop)
        return; /* an answer that came after the end: only to be counted */
    tracker_add(apply->tracker, item->work->collection, response->body, on_verdict, item);
    advance(apply);
}

static void send_item(struct item *item)
{
    struct write write = {
        .force = item->apply->options->force,
        .delay_ms = item->late ? (long)LATE_MS << item->late : 0,
    };
    item->state = ITEM_SENT;
    if (item->rehearsal.replace && !item->replaced)
        write_delete(item->apply->client, item->work, on_deleted, item);
    else
        write_apply(item->apply->client, item->work, &write, on_applied, item);
}

/* Sends what the component has of its rank. */
static void send_rank(struct apply *apply, size_t component, enum rank rank)
{
    for (size_t i = 0; i < apply->work->count; i++) {
        struct item *item = &apply->items[i];
        if (item->work->component == component && item->work->rank == rank)
            send_item(item);
    }
}

static bool any_in_state(const struct apply *apply, size_t component, enum item_state state)
{
    for (size_t i = 0; i < apply->work->count; i++)
        if (apply->items[i].work->component == component && apply->items[i].state == state)
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

static void advance_foundation(struct apply *apply)
{
    bool ready = true;
    for (size_t i = 0; i < apply->work->count; i++) {
        const struct item *item = &apply->items[i];
        if (item->work->rank != RANK_FOUNDATION || item->state == ITEM_READY)
            continue;
        ready = false;
        if (item->state == ITEM_APPLIED) { /* its component as a whole has not begun yet */
            char *words =
                xasprintf("%s %s: %s", item->work->kind, item->work->name, item->verdict.message);
            progress_set(apply->progress, item->work->component, PROGRESS_ROLLING, words);
            free(words);
        }
    }
    apply->stop = ready;
}

static void advance(struct apply *apply)
{
    if (apply->stop)
        return;
    if (apply->foundation) {
        advance_foundation(apply);
        return;
    }
    bool again = true;
    while (again) {
        again = false;
        for (size_t i = 0; i < apply->work->profile->count; i++)
            if (apply->parts[i].state != PROGRESS_DONE)
                again |= advance_part(apply, i);
    }
    apply->stop = apply->result->ready == apply->work->profile->count;
}

static void on_watch_failed(const struct err *err, void *arg)
{
    stop_with(arg, NULL, err);
}

/* ---- the whole ---- */

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
    for (size_t i = 0; i < apply->work->profile->count; i++) {
        struct buf words = BUF_INIT;
        if (apply->parts[i].state == PROGRESS_ROLLING || apply->parts[i].state == PROGRESS_APPLYING)
            describe_rolling(apply, i, &words);
        if (words.len)
            buf_addf(&text, "; %s: %s", apply->work->profile->components[i].name, words.data);
        buf_release(&words);
    }
    err_set(err, ERR_TIMEOUT, "not ready within %gs (--timeout)%s",
            (double)apply->options->timeout_ms / 1000, buf_text(&text));
    buf_release(&text);
    return -1;
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
        result = kube_run(apply->client, &apply->stop, left < tick ? left : tick, err);
        if (result < 0)
            break;
        result = 0;
    }
    if (apply->err.kind != ERR_NONE) {
        *err = apply->err;
        result = -1;
    }
    if (result != 0) {
        apply->stop = true; /* what comes in now starts nothing */
        tracker_free(apply->tracker);
        apply->tracker = NULL;
        kube_drain(apply->client, DRAIN_MS);
        add_account(apply, err);
    }
    return result;
}

static int run_foundation(struct apply *apply, struct err *err)
{
    apply->foundation = true;
    for (size_t i = 0; i < apply->work->count; i++)
        if (apply->items[i].work->rank == RANK_FOUNDATION)
            send_item(&apply->items[i]);
    if (run_phase(apply, err) != 0)
        return -1;
    apply->foundation = false;
    apply->stop = false;
    work_resolve_brought(apply->work);
    return 0;
}

static int rehearse(struct apply *apply, struct err *err)
{
    struct rehearsal *found = xcalloc(apply->work->count, sizeof *found);
    int result = rehearsal_run(apply->client, apply->work, apply->options->force, found, err);
    for (size_t i = 0; i < apply->work->count; i++)
        apply->items[i].rehearsal = found[i];
    free(found);
    if (result != 0) {
        size_t length = strlen(err->message);
        snprintf(err->message + length, sizeof err->message - length, " (nothing was applied)");
    }
    return result;
}

int apply_run(struct kube_client *client, struct work *work, const struct apply_options *options,
              struct progress *progress, struct apply_result *result, struct err *err)
{
    struct apply apply = {
        .client = client,
        .work = work,
        .options = options,
        .progress = progress,
        .result = result,
        .err = ERR_INIT,
        .deadline = clock_ms() + options->timeout_ms,
    };
    *result = (struct apply_result){ .created = 0 };
    apply.items = xcalloc(work->count, sizeof *apply.items);
    apply.parts = xcalloc(work->profile->count, sizeof *apply.parts);
    apply.tracker = tracker_new(client, on_watch_failed, &apply);
    for (size_t i = 0; i < work->count; i++) {
        apply.items[i].apply = &apply;
        apply.items[i].work = &work->items[i];
    }
    int status = rehearse(&apply, err);
    if (status == 0)
        status = run_foundation(&apply, err);
    if (status == 0)
        status = run_phase(&apply, err);
    tracker_free(apply.tracker);
    free(apply.items);
    free(apply.parts);
    return status;
}
