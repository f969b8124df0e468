#include "release/item.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "release/grow.h"
#include "release/ownership.h"
#include "release/write.h"

enum {
    LATE_MS =
        20, /* first pause before a kind that was just brought is tried again; then twice it */
    LATE_MAX = 10, /* tries: about 20 s in all */
    ADOPT_MAX = 5, /* tries of moving the managers' fields: its status may change at any time */
};

static void fail(struct item *item, const struct err *err, bool whole)
{
    struct err shown = *err;
    write_hide(item->work, item->found->live, &shown);
    item->all->failed(item, &shown, whole, item->all->arg);
}

/* An answer that ends the item's way. What one may not do with this object is its failure alone;
 * without an answer, or without being let in, there is none for the others either. */
static void refuse(struct item *item, const struct kube_response *response)
{
    item->state = ITEM_PENDING;
    fail(item, response->err, response->err->kind == ERR_UNREACHABLE && response->status != 403);
}

static void on_verdict(const struct verdict *verdict, void *arg)
{
    struct item *item = arg;
    struct err err = ERR_INIT;
    if (!item->verdict)
        item->verdict = xmalloc(sizeof *item->verdict);
    *item->verdict = *verdict;
    if (verdict->state == VERDICT_GONE && item->doomed) {
        item->doomed = false;
        item_send(item);
        return;
    }
    if (verdict->state == VERDICT_FAILED || verdict->state == VERDICT_GONE) {
        err_set(&err, ERR_ROLLOUT, "%s", verdict->message);
        fail(item, &err, false);
        return;
    }
    if (verdict->state == VERDICT_CURRENT)
        item->state = ITEM_READY;
    item->all->moved(item, item->all->arg);
}

static void count_outcome(struct item *item, const struct kube_response *response)
{
    struct items *all = item->all;
    if (item->found->reclaim) {
        all->unchanged++;
        return;
    }
    item->altered = true;
    /* The answer to a sending that created it may have been lost. */
    bool created =
        response->status == 201 || (response->again && item->found->action == SURVEY_CREATE);
    if (created && !item->replaced)
        all->created++;
    else
        all->changed++;
}

/* Whether the answer may come from a server that has not taken in yet what became of the kind: a
 * CRD is established, or changed, a little before each API server serves it so. */
static bool came_early(const struct item *item, long status)
{
    const struct items *all = item->all;
    const struct work *work = all->plan->work;
    const struct work_item *crd = work_crd_of(work, item->work);
    if (!crd || !all->list[crd - work->items].altered || all->stopped)
        return false;
    if (status == 404)
        return item->late < LATE_MAX;
    return (status == 400 || status == 422 || status == 500) && item->late < LATE_MAX / 2;
}

/* Whether it is ready by more than being there. Namespaces and CRDs are always waited for: the next
 * objects need them. */
static bool is_waited_for(const struct item *item)
{
    if (item->all->no_wait && item->work->rank != RANK_FOUNDATION)
        return false;
    return item->all->has_own_rules || !verdict_is_plain(item->work->api_version, item->work->kind);
}

static bool is_being_deleted(const json_t *object)
{
    return json_object_get(json_object_get(object, "metadata"), "deletionTimestamp") != NULL;
}

static void on_deleted(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    if (response->err && response->status != 404) {
        refuse(item, response);
        return;
    }
    item->replaced = true;
    if (item->all->stopped)
        return;
    if (!response->err && is_being_deleted(response->body)) { /* by finalizers, such as orphan */
        item->doomed = true;
        item->state = ITEM_APPLIED;
        tracker_add(item->all->tracker, item->work->collection, response->body, on_verdict, item);
    } else {
        item_send(item);
    }
}

static void set_object(struct item *item, json_t *object)
{
    json_incref(object);
    json_decref(item->object);
    item->object = object;
}

/* What was sent as the profile has it need not be asked for next time. */
static void remember(const struct item *item, const json_t *live)
{
    struct memory *memory = item->all->plan->memory;
    if (!item->found->body)
        memory_keep(memory, memory_mark(memory, item->work->path, item->work->object, live));
}

/* Waits for an object that is there now. From then on the tracker has it, and what it becomes. */
static void follow(struct item *item, json_t *object)
{
    struct tracker *tracker = item->all->tracker;
    const struct work_item *work = item->work;
    set_object(item, object);
    tracker_add(tracker, work->collection, object, on_verdict, item);
    if (tracker_object(tracker, work->collection, work->name))
        set_object(item, NULL);
}

static void on_applied(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    struct items *all = item->all;
    if (response->err && came_early(item, response->status)) {
        item->late++;
        item_send(item);
        return;
    }
    if (response->err) {
        /* Since the dry run someone may have made the Job; otherwise it was seen there. */
        if (write_is_immutable(response) && strcmp(item->work->kind, "Job") == 0 &&
            !item->replaced && !all->stopped)
            write_delete(all->client, item->work, NULL, "Background", on_deleted, item);
        else
            refuse(item, response);
        return;
    }
    item->doomed = is_being_deleted(response->body);
    if (!item->doomed) {
        count_outcome(item, response);
        remember(item, response->body);
    }
    if (!is_waited_for(item) && !item->doomed) {
        item->state = ITEM_READY;
        all->moved(item, all->arg);
        return;
    }
    item->state = ITEM_APPLIED;
    json_object_del(json_object_get(response->body, "metadata"), "managedFields"); /* half of it */
    if (all->stopped) { /* an answer that came after the end: only to be counted */
        set_object(item, response->body);
        return;
    }
    follow(item, response->body);
    all->moved(item, all->arg);
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
        write_managers(item->all->client, item->work, live, managers, on_managed, item);
    json_decref(managers);
}

static void on_read_again(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    if (response->err) {
        refuse(item, response);
        return;
    }
    json_decref(item->live);
    item->live = json_incref(response->body);
    if (!item->all->stopped)
        item_send(item);
}

static void on_managed(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    if (response->status == 409 && ++item->adoptions < ADOPT_MAX && !item->all->stopped) {
        struct kube_request request = {
            .method = "GET", .path = item->work->path, .done = on_read_again, .arg = item
        };
        kube_send(item->all->client, &request);
        return;
    }
    if (response->err) {
        refuse(item, response);
        return;
    }
    item->managed = true;
    if (!item->all->stopped)
        item_send(item);
}

static void on_grown(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    item->claims--;
    if (response->err) {
        refuse(item, response);
        return;
    }
    item->grown = item->claims == 0;
    if (item->grown && !item->all->stopped)
        item_send(item);
}

static void grow(struct item *item)
{
    json_t *claim;
    size_t i;
    item->claims = json_array_size(item->found->claims);
    item->grown = item->claims == 0;
    json_array_foreach(item->found->claims, i, claim)
        grow_send(item->all->client, claim, on_grown, item);
}

/* It is as described: there is nothing to send, only to wait for. */
static void leave_as_it_is(struct item *item)
{
    struct items *all = item->all;
    all->unchanged++;
    item->state = ITEM_READY;
    if (item->found->settled || !is_waited_for(item))
        return;
    item->state = ITEM_APPLIED;
    follow(item, item->found->live);
}

/* The text that is sent of it; the caller's. */
static char *make_body(void *arg)
{
    const struct item *item = arg;
    json_t *body = survey_body(item->found, item->work, item->all->plan->set_id);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

void item_send(struct item *item)
{
    struct kube_client *client = item->all->client;
    const struct survey_item *found = item->found;
    bool anew = found->action == SURVEY_REPLACE || found->action == SURVEY_GROW;
    struct write write = {
        .make_body = make_body,
        .brief = !is_waited_for(item),
        .force = found->force,
        .delay_ms = item->late ? (long)LATE_MS << item->late : 0,
    };
    if (found->action == SURVEY_GROW && !item->grown && !item->claims)
        grow(item);
    if (!item_is_to_send(item)) {
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

/* ---- all of them ---- */

void items_init(struct items *items)
{
    const struct work *work = items->plan->work;
    items->count = work->count;
    items->list = xcalloc(work->count, sizeof *items->list);
    for (size_t i = 0; i < work->count; i++) {
        items->list[i].all = items;
        items->list[i].work = &work->items[i];
        items->list[i].found = &items->plan->items[i];
    }
}

void items_release(struct items *items)
{
    tracker_free(items->tracker);
    for (size_t i = 0; i < items->count; i++) {
        json_decref(items->list[i].live);
        json_decref(items->list[i].object);
        free(items->list[i].verdict);
    }
    free(items->list);
}

const struct verdict *item_verdict(const struct item *item)
{
    static const struct verdict none;
    return item->verdict ? item->verdict : &none;
}

bool item_is_to_send(const struct item *item)
{
    return item->found->action != SURVEY_SAME || item->found->reclaim;
}

const json_t *item_live(const struct item *item)
{
    const struct tracker *tracker = item->all->tracker;
    const json_t *newest =
        tracker ? tracker_object(tracker, item->work->collection, item->work->name) : NULL;
    return newest ? newest : item->object;
}

void items_stop(struct items *items)
{
    items->stopped = true;
    for (size_t i = 0; i < items->count; i++)
        if (items->list[i].state == ITEM_APPLIED || items->list[i].state == ITEM_READY)
            set_object(&items->list[i], (json_t *)item_live(&items->list[i]));
    tracker_free(items->tracker);
    items->tracker = NULL;
}
