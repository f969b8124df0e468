#include "release/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/list.h"
#include "object/meta.h"
#include "release/ownership.h"
#include "release/task.h"
#include "rollout/verdict.h"

enum {
    ASKED_SINGLY = 16, /* objects that are not ours yet are read one by one up to here */
    CROWD = 20,        /* so many strangers for each of them are too many to list */
    PAGE = 500,
};

struct census {
    struct kube_client *client;
    const struct work *work;
    const struct census_options *options;
    struct census_item *found;
    bool *seen; /* items that are members */
};

/* ---- members ---- */

static bool is_wanted_whole(const char *api_version, const char *kind, void *arg)
{
    const struct census *census = arg;
    return census->options->wait && !verdict_is_plain(api_version, kind);
}

/* Whether nothing of a live object that is the same is left to wait for. */
static bool is_settled(const struct census *census, const struct work_item *item,
                       const json_t *object)
{
    const struct census_options *options = census->options;
    struct verdict verdict;
    if (!options->wait)
        return true;
    if (options->has_own_rule && options->has_own_rule(item, options->own_arg))
        return false;
    verdict_of(object, &verdict);
    return verdict.state == VERDICT_CURRENT;
}

/* What kubectl apply or helm has written since is to be moved to us: that takes a closer look. */
static bool is_to_be_moved(const json_t *object)
{
    json_t *managers = ownership_adopting(object);
    json_decref(managers);
    return managers != NULL;
}

static void look_at(struct census *census, size_t index, json_t *object)
{
    const struct work_item *item = &census->work->items[index];
    struct census_item *found = &census->found[index];
    struct memory *memory = census->options->memory;
    if (*meta_text(object, "deletionTimestamp") || !item->path || is_to_be_moved(object) ||
        task_is(item->object)) /* how it went counts, too */
        return;
    uint64_t mark = memory_mark(memory, item->path, item->object, object);
    if (!memory_has(memory, mark))
        return;
    memory_keep(memory, mark);
    found->state = CENSUS_SAME;
    found->settled = is_settled(census, item, object);
    found->uid = xstrdup(meta_text(object, "uid"));
    found->version = xstrdup(meta_text(object, "resourceVersion"));
    if (!found->settled && json_object_get(object, "spec"))
        found->live = json_incref(object);
}

static bool take_member(json_t *object, void *arg)
{
    struct census *census = arg;
    const struct work_item *item =
        work_find(census->work, object_text(object, "apiVersion"), object_text(object, "kind"),
                  meta_text(object, "namespace"), meta_text(object, "name"));
    if (!item)
        return false;
    size_t index = (size_t)(item - census->work->items);
    if (!census->seen[index]) /* else listed once more: its continuation was too old */
        look_at(census, index, object);
    census->seen[index] = true;
    return true;
}

/* ---- what is no member ---- */

static int compare_places(const void *a, const void *b)
{
    const struct work_item *one = *(const struct work_item *const *)a;
    const struct work_item *other = *(const struct work_item *const *)b;
    int order = strcmp(one->collection, other->collection);
    return order ? order : strcmp(one->name, other->name);
}

static int compare_name(const void *name, const void *item)
{
    return strcmp(name, (*(const struct work_item *const *)item)->name);
}

/* Items of one collection of which none is a member, by name. */
struct strangers {
    struct census *census;
    const struct work_item **items;
    size_t count;
    char *path; /* of the list */
    bool failed;
};

static void on_page(const struct kube_response *response, void *arg);

static void ask_page(struct strangers *strangers, const json_t *page)
{
    struct buf path = BUF_INIT;
    buf_adds(&path, strangers->path);
    if (!page || kube_list_next(page, &path)) {
        struct kube_request request = {
            .method = "GET",
            .path = buf_text(&path),
            .accept = KUBE_METADATA_LIST,
            .done = on_page,
            .arg = strangers,
        };
        kube_send(strangers->census->client, &request);
    }
    buf_release(&path);
}

static void on_page(const struct kube_response *response, void *arg)
{
    struct strangers *strangers = arg;
    json_t *object;
    size_t i;
    const json_t *metadata = json_object_get(response->body, "metadata");
    json_int_t left = json_integer_value(json_object_get(metadata, "remainingItemCount"));
    /* Forbidden, too old, or a crowd: then each is asked for by itself, which tells. */
    strangers->failed |= response->err || left > CROWD * (json_int_t)strangers->count;
    if (strangers->failed)
        return;
    json_array_foreach(json_object_get(response->body, "items"), i, object) {
        const struct work_item **item = bsearch(meta_text(object, "name"), strangers->items,
                                                strangers->count, sizeof(void *), compare_name);
        if (item)
            strangers->census->seen[*item - strangers->census->work->items] = true;
    }
    ask_page(strangers, response->body);
}

static void begin_strangers(struct census *census, struct strangers *strangers,
                            const struct work_item **items, size_t count)
{
    *strangers = (struct strangers){
        .census = census,
        .items = items,
        .count = count,
        .path = xasprintf("%s?limit=%d", items[0]->collection, PAGE),
    };
    ask_page(strangers, NULL);
}

/* The number of items from `first` on that are of one collection. */
static size_t run_length(const struct work_item **items, size_t count, size_t first)
{
    size_t end = first;
    while (end < count && strcmp(items[end]->collection, items[first]->collection) == 0)
        end++;
    return end - first;
}

/* Lists the collections in which many of the profile's objects are not ours yet: mostly nothing is
 * there. */
static int look_for_strangers(struct census *census, struct err *err)
{
    const struct work *work = census->work;
    const struct work_item **items = xcalloc(work->count, sizeof(void *));
    struct strangers *lists = xcalloc(work->count / ASKED_SINGLY + 1, sizeof *lists);
    size_t count = 0, lists_count = 0;
    for (size_t i = 0; i < work->count; i++)
        if (!census->seen[i] && work->items[i].path)
            items[count++] = &work->items[i];
    if (count)
        qsort(items, count, sizeof(void *), compare_places);
    for (size_t i = 0, length; i < count; i += length) {
        length = run_length(items, count, i);
        if (length > ASKED_SINGLY)
            begin_strangers(census, &lists[lists_count++], &items[i], length);
    }
    int result = lists_count ? kube_run(census->client, NULL, -1, err) : 0;
    if (result != 0)
        kube_drain(census->client, 0);
    for (size_t i = 0; i < lists_count; i++) {
        const struct strangers *list = &lists[i];
        for (size_t k = 0; k < list->count && !list->failed; k++) {
            size_t index = (size_t)(list->items[k] - work->items);
            if (!census->seen[index])
                census->found[index].state = CENSUS_ABSENT;
        }
        free(list->path);
    }
    free(lists);
    free(items);
    return result;
}

/* ---- the whole ---- */

int census_take(struct kube_client *client, const struct work *work,
                const struct identity *identity, const struct census_options *options,
                struct inventory *inventory, struct census_item *found, struct err *err)
{
    struct census census = {
        .client = client,
        .work = work,
        .options = options,
        .found = found,
        .seen = xcalloc(work->count, sizeof *census.seen),
    };
    const struct inventory_look look = { .whole = is_wanted_whole,
                                         .take = take_member,
                                         .arg = &census };
    int result = inventory_load(client, work->discovery, identity, &look, inventory, err);
    if (result == 0)
        result = look_for_strangers(&census, err);
    free(census.seen);
    return result;
}

void census_release(struct census_item *found, size_t count)
{
    for (size_t i = 0; found && i < count; i++) {
        json_decref(found[i].live);
        free(found[i].uid);
        free(found[i].version);
    }
}
