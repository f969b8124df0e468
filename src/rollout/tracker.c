#include "rollout/tracker.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/watch.h"

struct target {
    struct target *next;
    char *name;
    char *uid;
    json_int_t generation; /* of the applied state; older ones tell nothing */
    tracker_fn *changed;
    void *arg;
    struct verdict last;
    bool done;
};

struct collection {
    struct collection *next;
    struct tracker *tracker;
    char *path;
    struct kube_watch *watch;
    struct target *targets;
    json_t *seen; /* name to the newest object: its event may come before its apply's answer */
};

struct tracker {
    struct kube_client *client;
    tracker_failed_fn *failed;
    void *arg;
    struct collection *collections;
};

struct tracker *tracker_new(struct kube_client *client, tracker_failed_fn *failed, void *arg)
{
    struct tracker *tracker = xcalloc(1, sizeof *tracker);
    tracker->client = client;
    tracker->failed = failed;
    tracker->arg = arg;
    return tracker;
}

static void collection_free(struct collection *collection)
{
    while (collection->targets) {
        struct target *target = collection->targets;
        collection->targets = target->next;
        free(target->name);
        free(target->uid);
        free(target);
    }
    kube_watch_free(collection->watch);
    json_decref(collection->seen);
    free(collection->path);
    free(collection);
}

void tracker_free(struct tracker *tracker)
{
    if (!tracker)
        return;
    while (tracker->collections) {
        struct collection *collection = tracker->collections;
        tracker->collections = collection->next;
        collection_free(collection);
    }
    free(tracker);
}

static const json_t *meta(const json_t *object, const char *key)
{
    return json_object_get(json_object_get(object, "metadata"), key);
}

static void judge(struct target *target, const json_t *object, bool deleted)
{
    const char *uid = json_string_value(meta(object, "uid"));
    struct verdict verdict = { .state = VERDICT_IN_PROGRESS };
    if (target->done)
        return;
    if (deleted) {
        if (uid && strcmp(uid, target->uid) != 0)
            return; /* the one that was replaced */
        verdict.state = VERDICT_GONE;
        snprintf(verdict.message, sizeof verdict.message, "was deleted by someone else");
    } else {
        if (json_integer_value(meta(object, "generation")) < target->generation)
            return;
        verdict_of(object, &verdict);
    }
    if (verdict.state == target->last.state && strcmp(verdict.message, target->last.message) == 0)
        return;
    target->last = verdict;
    target->done = verdict.state != VERDICT_IN_PROGRESS;
    target->changed(&verdict, target->arg);
}

static void on_change(const json_t *object, bool deleted, void *arg)
{
    struct collection *collection = arg;
    const char *name = json_string_value(meta(object, "name"));
    if (deleted)
        json_object_del(collection->seen, name);
    else
        json_object_set(collection->seen, name, (json_t *)object);
    for (struct target *target = collection->targets; target; target = target->next)
        if (strcmp(target->name, name) == 0)
            judge(target, object, deleted);
}

static void on_failed(const struct err *err, void *arg)
{
    struct collection *collection = arg;
    collection->tracker->failed(err, collection->tracker->arg);
}

static struct collection *find_collection(struct tracker *tracker, const char *path,
                                          const char *resource_version)
{
    struct collection *collection = tracker->collections;
    while (collection && strcmp(collection->path, path) != 0)
        collection = collection->next;
    if (collection)
        return collection;
    collection = xcalloc(1, sizeof *collection);
    collection->tracker = tracker;
    collection->path = xstrdup(path);
    collection->seen = json_object();
    collection->next = tracker->collections;
    tracker->collections = collection;
    collection->watch =
        kube_watch_new(tracker->client, path, resource_version, on_change, on_failed, collection);
    return collection;
}

static bool is_newer(const json_t *seen, const json_t *applied)
{
    const char *a = json_string_value(meta(seen, "resourceVersion"));
    const char *b = json_string_value(meta(applied, "resourceVersion"));
    /* Decimal numbers of one store: kubernetes.io KEP-5504 makes them comparable. */
    return a && b && (strlen(a) > strlen(b) || (strlen(a) == strlen(b) && strcmp(a, b) > 0));
}

void tracker_add(struct tracker *tracker, const char *collection_path, const json_t *applied,
                 tracker_fn *changed, void *arg)
{
    struct verdict first;
    verdict_of(applied, &first);
    if (first.state != VERDICT_IN_PROGRESS) {
        changed(&first, arg);
        return;
    }
    struct collection *collection = find_collection(
        tracker, collection_path, json_string_value(meta(applied, "resourceVersion")));
    struct target *target = xcalloc(1, sizeof *target);
    const char *uid = json_string_value(meta(applied, "uid"));
    target->name = xstrdup(json_string_value(meta(applied, "name")));
    target->uid = xstrdup(uid ? uid : "");
    target->generation = json_integer_value(meta(applied, "generation"));
    target->changed = changed;
    target->arg = arg;
    target->next = collection->targets;
    collection->targets = target;
    const json_t *seen = json_object_get(collection->seen, target->name);
    judge(target, seen && is_newer(seen, applied) ? seen : applied, false);
}
