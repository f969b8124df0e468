#include "release/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "release/item.h"
#include "release/part.h"
#include "release/reasons.h"
#include "release/write.h"
#include "rollout/tracker.h"

enum { DRAIN_MS = 3000 };

struct apply {
    struct kube_client *client;
    const struct plan *plan;
    struct work *work; /* the plan's */
    const struct profile *profile;
    const struct apply_options *options;
    struct progress *progress;
    struct apply_result *result;
    struct reasons *reasons;
    struct items items;
    struct parts parts;
    bool foundation;     /* still at namespaces and CRDs */
    bool namespace_only; /* and of those at the release's own namespace */
    bool stop;           /* this phase is over */
    bool wake;           /* leave kube_run(): the end, or a hook is due */
    bool advancing;      /* for advance() */
    size_t open;         /* components that are not closed */
    struct err failure;  /* of the first component that failed */
    struct err end;      /* what ended all of it */
    long long deadline;
};

/* How much of a component is ready: replicas and completions of its objects. */
static void count_ready(const struct apply *apply, size_t index)
{
    const struct part *part = &apply->parts.list[index];
    int ready = 0, wanted = 0;
    for (size_t i = part->first; i < part->end; i++) {
        const struct item *item = &apply->items.list[i];
        bool counts = item->state == ITEM_APPLIED || item->state == ITEM_READY;
        ready += counts ? item_verdict(item)->ready : 0;
        wanted += counts ? item_verdict(item)->wanted : 0;
    }
    progress_count(apply->progress, index, ready, wanted);
}

static void show(struct apply *apply, size_t index)
{
    struct buf words = BUF_INIT;
    part_describe(&apply->parts, index, &words);
    count_ready(apply, index);
    progress_set(apply->progress, index, apply->parts.list[index].state, buf_text(&words));
    buf_release(&words);
}

/* ---- failing ---- */

static void advance(struct apply *apply);

static void stop(struct apply *apply)
{
    apply->stop = apply->wake = apply->items.stopped = true;
}

/* Ends the work of all components for the first reason that comes; later ones are its consequences.
 */
static void stop_with(struct apply *apply, const struct err *err)
{
    if (apply->end.kind == ERR_NONE)
        apply->end = *err;
    stop(apply);
}

/* Whether the component may pass this point: its hook has run, or there is none. Otherwise it is
 * due from now on. */
static bool pass_hook(struct apply *apply, size_t index, bool wanted, enum hook_state *hook)
{
    if (*hook == HOOK_AHEAD)
        *hook = wanted && part_is_to_send(&apply->parts, index) ? HOOK_DUE : HOOK_DONE;
    apply->wake |= *hook == HOOK_DUE;
    return *hook == HOOK_DONE;
}

/* The component sends no more, and who waits for it never begins. `item`: that it fails by, or
 * NULL; `err`: without its names. */
static void fail_part(struct apply *apply, size_t index, const struct item *item,
                      const struct err *err)
{
    struct part *part = &apply->parts.list[index];
    const struct component *component = &apply->profile->components[index];
    if (apply->stop)
        return;
    parts_touch(&apply->parts, index);
    if (part->state == PROGRESS_FAILED) {
        advance(apply); /* that was its last answer, maybe */
        return;
    }
    part->state = PROGRESS_FAILED;
    part->kind = err->kind;
    part->why = xstrdup(err->message);
    part->culprit = item;
    parts_touch_users(&apply->parts, index);
    show(apply, index);
    if (apply->failure.kind == ERR_NONE) {
        apply->failure = *err;
        if (item)
            write_error(apply->work, item->work, &apply->failure);
        else
            err_wrap(&apply->failure, "component '%s' (%s)", component->name, component->origin);
    }
    if (part->before == HOOK_DONE) /* it had begun */
        pass_hook(apply, index, apply->options->after_component, &part->after);
    if (apply->options->fail_fast || apply->foundation)
        stop(apply);
    else
        advance(apply);
}

static void on_failed(struct item *item, const struct err *err, bool whole, void *arg)
{
    struct apply *apply = arg;
    if (!whole) {
        fail_part(apply, item->work->component, item, err);
        return;
    }
    struct err told = *err;
    write_error(apply->work, item->work, &told);
    stop_with(apply, &told);
}

static void on_lost(const struct err *err, void *arg) /* a watch, or the lock */
{
    stop_with(arg, err);
}

/* ---- the order ---- */

/* Sends what the component has of its rank. */
static void send_rank(struct apply *apply, size_t component, enum rank rank)
{
    const struct part *part = &apply->parts.list[component];
    for (size_t i = part->first; i < part->end && !part_is_over(part); i++)
        if (apply->items.list[i].work->rank == rank)
            item_send(&apply->items.list[i]);
}

/* Whether those before it are ready. One that has failed, or is blocked, blocks it, too. */
static bool is_free(struct apply *apply, size_t index)
{
    const struct component *component = &apply->profile->components[index];
    struct part *part = &apply->parts.list[index];
    bool ready = true;
    for (size_t i = 0; i < component->before_count; i++) {
        const struct part *other = &apply->parts.list[component->before[i]];
        ready = ready && other->state == PROGRESS_DONE;
        if (other->state != PROGRESS_FAILED && other->state != PROGRESS_BLOCKED)
            continue;
        part->state = PROGRESS_BLOCKED;
        part->blocker = other->state == PROGRESS_FAILED ? component->before[i] : other->blocker;
        return false;
    }
    return ready;
}

/* Takes one component as far as it goes. */
static void advance_part(struct apply *apply, size_t index)
{
    struct part *part = &apply->parts.list[index];
    const struct apply_options *options = apply->options;
    if (part->state == PROGRESS_WAITING && is_free(apply, index) &&
        pass_hook(apply, index, options->before_component, &part->before)) {
        part->state = PROGRESS_APPLYING;
        part->rank = RANK_FOUNDATION; /* those are ready: the first step is the next rank */
    }
    while (part->state == PROGRESS_APPLYING && !part_has(&apply->parts, index, ITEM_SENT)) {
        part->rank++;
        if (part->rank == RANK_COUNT)
            part->state = PROGRESS_ROLLING;
        else
            send_rank(apply, index, part->rank);
    }
    bool done = part->state == PROGRESS_ROLLING && !part_has(&apply->parts, index, ITEM_APPLIED) &&
                pass_hook(apply, index, options->after_component, &part->after);
    if (done)
        part->state = PROGRESS_DONE;
    show(apply, index);
    if (part_is_over(part))
        parts_touch_users(&apply->parts, index);
}

/* Whether the item goes first in this run. */
static bool is_foundation(const struct apply *apply, const struct item *item)
{
    if (!apply->namespace_only)
        return item->work->rank == RANK_FOUNDATION;
    return strcmp(item->work->kind, "Namespace") == 0 &&
           strcmp(item->work->name, apply->profile->namespace) == 0;
}

static void advance_foundation(struct apply *apply)
{
    bool ready = true;
    for (size_t i = 0; i < apply->items.count; i++) {
        const struct item *item = &apply->items.list[i];
        if (!is_foundation(apply, item) || item->state == ITEM_READY)
            continue;
        ready = false;
        if (item->state == ITEM_APPLIED) { /* its component as a whole has not begun yet */
            char *words = xasprintf("%s %s: %s", item->work->kind, item->work->name,
                                    item_verdict(item)->message);
            progress_set(apply->progress, item->work->component, PROGRESS_ROLLING, words);
            free(words);
        }
    }
    apply->stop |= ready;
}

/* Whether nothing is to come of it: when it has failed its last answers are waited for, and its
 * hook. */
static bool is_closed(const struct apply *apply, size_t index)
{
    const struct part *part = &apply->parts.list[index];
    return part_is_over(part) && part->after != HOOK_DUE &&
           !part_has(&apply->parts, index, ITEM_SENT);
}

static void advance_parts(struct apply *apply)
{
    size_t index;
    while (!apply->stop && parts_next(&apply->parts, &index)) {
        struct part *part = &apply->parts.list[index];
        if (!part_is_over(part))
            advance_part(apply, index);
        if (!part->closed && is_closed(apply, index)) {
            part->closed = true;
            apply->open--;
        }
    }
    apply->stop |= apply->open == 0;
}

/* What is as described is ready while it is being gone through: it is due again then. */
static void advance(struct apply *apply)
{
    if (apply->advancing)
        return;
    apply->advancing = true;
    if (apply->foundation)
        advance_foundation(apply);
    else
        advance_parts(apply);
    apply->advancing = false;
    apply->wake |= apply->stop;
}

static void on_moved(struct item *item, void *arg)
{
    struct apply *apply = arg;
    parts_touch(&apply->parts, item->work->component);
    advance(apply);
}

/* ---- why it does not come up ---- */

static enum reasons_state state_at(size_t index, void *arg)
{
    const struct apply *apply = arg;
    const struct item *item = &apply->items.list[index];
    const struct part *part = &apply->parts.list[item->work->component];
    bool is_lost = part->state == PROGRESS_FAILED || part->state == PROGRESS_BLOCKED;
    if (item->state == ITEM_READY)
        return REASONS_READY;
    if (item->state == ITEM_APPLIED && !item->doomed)
        return is_lost ? REASONS_FAILED : REASONS_WAITS;
    return is_lost ? REASONS_NEVER : REASONS_UNSENT;
}

static const json_t *live_at(size_t index, void *arg)
{
    const struct apply *apply = arg;
    return item_live(&apply->items.list[index]);
}

static struct reasons_ways ways_of(struct apply *apply)
{
    return (struct reasons_ways){ .state = state_at, .live = live_at, .arg = apply };
}

/* Fails the components of what will not come up any more, though nobody says so. */
static void look_for_reasons(struct apply *apply)
{
    bool news = false;
    size_t doomed = 0;
    while (doomed < apply->items.count && !apply->stop) {
        bool changed;
        doomed = reasons_look(apply->reasons, &changed);
        news |= changed;
        if (doomed == apply->items.count)
            break;
        const struct diagnosis *diagnosis = reasons_of(apply->reasons, doomed);
        struct err err = ERR_INIT;
        err_set(&err, ERR_ROLLOUT, "%s%s%s", diagnosis->pod, *diagnosis->pod ? ": " : "",
                diagnosis->message);
        struct item *item = &apply->items.list[doomed];
        fail_part(apply, item->work->component, item, &err);
    }
    for (size_t i = 0; news && i < apply->profile->count; i++)
        if (!part_is_over(&apply->parts.list[i]))
            show(apply, i);
}

/* Whether somebody wants to know more of what did not come up. */
static bool is_to_be_reported(const struct apply *apply, const struct err *err)
{
    return apply->options->report && apply->reasons && !apply->foundation &&
           apply->end.kind == ERR_NONE &&
           (err->kind == ERR_TIMEOUT || apply->failure.kind != ERR_NONE);
}

static void make_report(struct apply *apply, bool late)
{
    struct report_outcome outcome = {
        .plan = apply->plan,
        .reasons = apply->reasons,
        .items = &apply->items,
        .parts = apply->parts.list,
        .ways = ways_of(apply),
        .late = late,
    };
    reasons_settle(apply->reasons);
    apply->result->report = report_make(apply->client, &outcome, apply->options->report);
}

/* ---- hooks ---- */

/* A hook that was cut short with all the rest has not failed. */
static void fail_by_hook(struct apply *apply, size_t index, const struct err *err)
{
    if (err->kind == ERR_INTERRUPTED)
        stop_with(apply, err);
    else
        fail_part(apply, index, NULL, err);
}

static void run_before(struct apply *apply, size_t index)
{
    const struct apply_options *options = apply->options;
    struct err err = ERR_INIT;
    int result = options->before_component(index, options->hook_arg, &err);
    apply->parts.list[index].before = HOOK_DONE;
    if (result != 0)
        fail_by_hook(apply, index, &err);
}

static void run_after(struct apply *apply, size_t index)
{
    const struct apply_options *options = apply->options;
    struct part *part = &apply->parts.list[index];
    struct err err = ERR_INIT, why = ERR_INIT;
    bool failed = part->state == PROGRESS_FAILED;
    if (failed)
        err_set(&why, part->kind, "%s", part->why);
    int result = options->after_component(index, failed ? &why : NULL, options->hook_arg, &err);
    part->after = HOOK_DONE;
    if (result != 0 && failed) {
        free(part->why);
        part->why = xasprintf("%s; then %s", why.message, err.message);
        show(apply, index);
    } else if (result != 0) {
        fail_by_hook(apply, index, &err);
    }
}

/* Whether one was due. Once all is over only those are that hear of a failure. */
static bool run_hook(struct apply *apply, size_t index)
{
    const struct part *part = &apply->parts.list[index];
    if (part->before == HOOK_DUE && !apply->stop)
        run_before(apply, index);
    else if (part->after == HOOK_DUE && (!apply->stop || part->state == PROGRESS_FAILED))
        run_after(apply, index);
    else
        return false;
    parts_touch(&apply->parts, index);
    advance(apply);
    return true;
}

static bool may_run_hooks(const struct apply *apply)
{
    return apply->end.kind == ERR_NONE && (apply->stop || clock_ms() < apply->deadline);
}

/* Runs what hooks are due. They may run the client: what they wait for goes on beside the rest, and
 * may make others due. */
static void run_hooks(struct apply *apply)
{
    bool again = true;
    while (again && apply->end.kind == ERR_NONE) {
        again = false;
        for (size_t i = 0; i < apply->profile->count && may_run_hooks(apply); i++)
            again |= run_hook(apply, i);
    }
}

/* ---- the whole ---- */

static int time_out(const struct apply *apply, struct err *err)
{
    struct buf text = BUF_INIT;
    for (size_t i = 0; apply->foundation && i < apply->items.count; i++) {
        const struct item *item = &apply->items.list[i];
        if (is_foundation(apply, item) && item->state != ITEM_READY)
            buf_addf(&text, "; %s %s: %s", item->work->kind, item->work->name,
                     item->state == ITEM_APPLIED ? item_verdict(item)->message : "not applied yet");
    }
    for (size_t i = 0; i < apply->profile->count; i++) {
        struct buf words = BUF_INIT;
        part_describe_late(&apply->parts, i, &words);
        if (words.len)
            buf_addf(&text, "; %s: %s", apply->profile->components[i].name, words.data);
        buf_release(&words);
    }
    err_set(err, ERR_TIMEOUT, "not ready within %gs (--timeout)%s",
            (double)apply->options->timeout_ms / 1000, buf_text(&text));
    buf_release(&text);
    return -1;
}

static long shortest(long one, long other)
{
    return one < other ? one : other;
}

/* Runs the loop until the phase is through. Returns 0, or -1 with err for what ended it before. */
static int run_loop(struct apply *apply, struct err *err)
{
    advance(apply);
    for (;;) {
        apply->wake = apply->stop;
        run_hooks(apply);
        if (apply->stop)
            return 0;
        long left = (long)(apply->deadline - clock_ms());
        if (left <= 0)
            return time_out(apply, err);
        if (apply->reasons)
            left = shortest(left, reasons_due(apply->reasons));
        int result = kube_run(apply->client, &apply->wake, left, err);
        if (result < 0)
            return -1;
        if (result == 0 && !apply->wake) /* never to be seen: who waits has a watch */
            return err_set(err, ERR_FAILED, "nothing is under way any more, but not all is ready");
        if (apply->reasons && !apply->stop)
            look_for_reasons(apply);
    }
}

/* What ended all counts first, then the first component that failed, then the time. */
static int choose_error(const struct apply *apply, int result, bool late, struct err *err)
{
    if (apply->end.kind == ERR_NONE && apply->failure.kind == ERR_NONE)
        return result;
    *err = apply->end.kind != ERR_NONE ? apply->end : apply->failure;
    size_t length = strlen(err->message);
    if (late && apply->end.kind == ERR_NONE)
        snprintf(err->message + length, sizeof err->message - length,
                 "; then the time was over (%gs, --timeout)",
                 (double)apply->options->timeout_ms / 1000);
    return -1;
}

static int run_phase(struct apply *apply, struct err *err)
{
    int result = run_loop(apply, err);
    bool late = result != 0 && err->kind == ERR_TIMEOUT;
    if (result != 0 && !late && apply->end.kind == ERR_NONE)
        apply->end = *err;
    result = choose_error(apply, result, late, err);
    if (result == 0)
        return 0;
    stop(apply);
    items_stop(&apply->items);
    reasons_stop(apply->reasons);
    kube_drain(apply->client, DRAIN_MS);
    parts_account(&apply->parts, err);
    if (is_to_be_reported(apply, err))
        make_report(apply, late);
    return -1;
}

static int run_foundation(struct apply *apply, struct err *err)
{
    apply->foundation = true;
    for (size_t i = 0; i < apply->items.count; i++)
        if (is_foundation(apply, &apply->items.list[i]))
            item_send(&apply->items.list[i]);
    if (run_phase(apply, err) != 0)
        return -1;
    apply->foundation = false;
    apply->stop = false;
    return 0;
}

static bool judge_by_own_rule(const json_t *object, struct verdict *verdict, void *arg)
{
    const struct item *item = arg;
    const struct apply *apply = item->all->arg;
    return apply->options->own(item->work, object, verdict, apply->options->own_arg);
}

static void open_apply(struct apply *apply)
{
    apply->work = apply->plan->work;
    apply->profile = apply->work->profile;
    apply->deadline = clock_ms() + apply->options->timeout_ms;
    apply->items = (struct items){
        .client = apply->client,
        .plan = apply->plan,
        .tracker = tracker_new(apply->client, on_lost, apply),
        .no_wait = apply->options->no_wait,
        .has_own_rules = apply->options->own != NULL,
        .moved = on_moved,
        .failed = on_failed,
        .arg = apply,
    };
    items_init(&apply->items);
    struct reasons_ways ways = ways_of(apply);
    if (!apply->options->no_wait && !apply->namespace_only)
        apply->reasons = reasons_new(apply->client, apply->work, &ways, apply->options->grace_ms);
    apply->parts =
        (struct parts){ apply->profile, &apply->items, apply->reasons, .queue_count = 0 };
    parts_init(&apply->parts);
    apply->open = apply->profile->count;
    if (apply->options->own)
        tracker_set_rule(apply->items.tracker, judge_by_own_rule);
    if (apply->options->lock)
        lock_on_lost(apply->options->lock, on_lost, apply);
}

static void close_apply(struct apply *apply)
{
    struct apply_result *result = apply->result;
    result->created = apply->items.created;
    result->changed = apply->items.changed;
    result->unchanged = apply->items.unchanged;
    if (apply->options->lock)
        lock_on_lost(apply->options->lock, NULL, NULL);
    parts_release(&apply->parts);
    items_release(&apply->items);
    reasons_free(apply->reasons);
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
        .failure = ERR_INIT,
        .end = ERR_INIT,
    };
    *result = (struct apply_result){ .created = 0 };
    open_apply(&apply);
    int status = run_foundation(&apply, err);
    if (status == 0) {
        work_resolve_brought(apply.work);
        status = run_phase(&apply, err);
    }
    result->components = parts_states(&apply.parts);
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
        .failure = ERR_INIT,
        .end = ERR_INIT,
        .namespace_only = true,
    };
    open_apply(&apply);
    int status = run_foundation(&apply, err);
    close_apply(&apply);
    return status;
}
