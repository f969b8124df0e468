#include "rollout/tracker.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/watch.h"

struct target {
    struct target *next;
    struct target *same; /* the one before it of the same name */
    struct tracker *tracker;
    char *name;
    char *uid;
    json_t *applied;       /* or a newer state of it */
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
    json_t *seen;  /* name to the newest object: its event may come before its apply's answer */
    json_t *index; /* name to the newest target of it, as an integer: there may be thousands */
};

/* A StorageClass, which tells whether a claim is bound before a pod uses it. */
struct storage_class {
    struct storage_class *next;
    struct tracker *tracker;
    char *name;
    json_t *object;         /* NULL: not answered yet, or not to be had */
    struct kube_call *call; /* while it is not answered */
};

struct tracker {
    struct kube_client *client;
    tracker_failed_fn *failed;
    void *arg;
    bool (*rule)(const json_t *object, struct verdict *verdict, void *arg);
    struct collection *collections;
    struct storage_class *classes;
};

struct tracker *tracker_new(struct kube_client *client, tracker_failed_fn *failed, void *arg)
{
    struct tracker *tracker = xcalloc(1, sizeof *tracker);
    tracker->client = client;
    tracker->failed = failed;
    tracker->arg = arg;
    return tracker;
}

void tracker_set_rule(struct tracker *tracker,
                      bool (*rule)(const json_t *object, struct verdict *verdict, void *arg))
{
    tracker->rule = rule;
}

static void target_free(struct target *target)
{
    free(target->name);
    free(target->uid);
    json_decref(target->applied);
    free(target);
}

static void collection_free(struct collection *collection)
{
    while (collection->targets) {
        struct target *target = collection->targets;
        collection->targets = target->next;
        target_free(target);
    }
    kube_watch_free(collection->watch);
    json_decref(collection->seen);
    json_decref(collection->index);
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
    while (tracker->classes) {
        struct storage_class *class = tracker->classes;
        tracker->classes = class->next;
        if (class->call)
            kube_cancel(tracker->client, class->call);
        json_decref(class->object);
        free(class->name);
        free(class);
    }
    free(tracker);
}

static const json_t *meta(const json_t *object, const char *key)
{
    return json_object_get(json_object_get(object, "metadata"), key);
}

/* ---- judging ---- */

static struct storage_class *find_class(struct tracker *tracker, const char *name)
{
    struct storage_class *class = tracker->classes;
    while (class && strcmp(class->name, name) != 0)
        class = class->next;
    return class;
}

static const json_t *find_object(const char *group, const char *kind, const char *name, void *arg)
{
    const struct target *target = arg;
    (void)group; /* verdicts ask for StorageClasses only */
    (void)kind;
    const struct storage_class *class = find_class(target->tracker, name);
    return class ? class->object : NULL;
}

static bool ask_rule(const json_t *object, struct verdict *verdict, void *arg)
{
    const struct target *target = arg;
    return target->tracker->rule(object, verdict, target->arg);
}

static void judge_object(struct target *target, const json_t *object, struct verdict *verdict)
{
    struct verdict_extra extra = { target->tracker->rule ? ask_rule : NULL, find_object, target };
    verdict_with(object, &extra, verdict);
}

static bool is_newer(const json_t *seen, const json_t *applied)
{
    const char *a = json_string_value(meta(seen, "resourceVersion"));
    const char *b = json_string_value(meta(applied, "resourceVersion"));
    /* Decimal numbers of one store: kubernetes.io KEP-5504 makes them comparable. */
    return a && b && (strlen(a) > strlen(b) || (strlen(a) == strlen(b) && strcmp(a, b) > 0));
}

static void judge(struct target *target, const json_t *object, bool deleted)
{
    const char *uid = json_string_value(meta(object, "uid"));
    struct verdict verdict = { .state = VERDICT_IN_PROGRESS };
    if (target->done)
        return;
    if (uid && strcmp(uid, target->uid) != 0 && (deleted || !is_newer(object, target->applied)))
        return; /* the one that was replaced */
    if (deleted) {
        verdict.state = VERDICT_GONE;
        snprintf(verdict.message, sizeof verdict.message, "was deleted by someone else");
    } else {
        if (json_integer_value(meta(object, "generation")) < target->generation)
            return;
        judge_object(target, object, &verdict);
    }
    if (verdict.state == target->last.state && strcmp(verdict.message, target->last.message) == 0)
        return;
    target->last = verdict;
    target->done = verdict_is_final(verdict.state);
    target->changed(&verdict, target->arg);
}

static struct target *find_target(const struct collection *collection, const char *name)
{
    const json_t *place = json_object_get(collection->index, name);
    return (struct target *)(intptr_t)json_integer_value(place); /* 0: none */
}

/* Its managedFields are the half of an object, and of no use here. */
static json_t *slim(const json_t *object)
{
    json_t *made = json_copy((json_t *)object);
    json_t *metadata = json_copy(json_object_get(object, "metadata"));
    json_object_del(metadata, "managedFields");
    json_object_set_new(made, "metadata", metadata);
    return made;
}

static void on_change(const json_t *object, bool deleted, void *arg)
{
    struct collection *collection = arg;
    const char *name = json_string_value(meta(object, "name"));
    json_t *kept = deleted ? NULL : slim(object);
    if (deleted)
        json_object_del(collection->seen, name);
    else
        json_object_set(collection->seen, name, kept);
    for (struct target *target = find_target(collection, name); target; target = target->same) {
        judge(target, object, deleted);
        if (!kept || !is_newer(kept, target->applied))
            continue;
        json_decref(target->applied);
        target->applied = json_incref(kept);
    }
    json_decref(kept);
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
    collection->index = json_object();
    collection->next = tracker->collections;
    tracker->collections = collection;
    collection->watch =
        kube_watch_new(tracker->client, path, resource_version, on_change, on_failed, collection);
    return collection;
}

/* The newest that is known of an object. */
static const json_t *newest(const struct collection *collection, const struct target *target)
{
    const json_t *seen = json_object_get(collection->seen, target->name);
    return seen && is_newer(seen, target->applied) ? seen : target->applied;
}

static void on_class(const struct kube_response *response, void *arg)
{
    struct storage_class *class = arg;
    class->call = NULL;
    if (response->err)
        return; /* who may not read it waits for the claim as for any other */
    class->object = json_incref(response->body);
    for (struct collection *collection = class->tracker->collections; collection;
         collection = collection->next)
        for (struct target *target = collection->targets; target; target = target->next)
            judge(target, newest(collection, target), false);
}

static void ask_for_class(struct tracker *tracker, const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const char *name =
        json_string_value(json_object_get(json_object_get(object, "spec"), "storageClassName"));
    if (!kind || strcmp(kind, "PersistentVolumeClaim") != 0 || !name || !*name ||
        find_class(tracker, name))
        return;
    struct storage_class *class = xcalloc(1, sizeof *class);
    class->tracker = tracker;
    class->name = xstrdup(name);
    class->next = tracker->classes;
    tracker->classes = class;
    char *path = xasprintf("/apis/storage.k8s.io/v1/storageclasses/%s", name);
    struct kube_request request = { .method = "GET", .path = path, .done = on_class, .arg = class };
    class->call = kube_send(tracker->client, &request);
    free(path);
}

void tracker_add(struct tracker *tracker, const char *collection_path, const json_t *applied,
                 tracker_fn *changed, void *arg)
{
    struct target *target = xcalloc(1, sizeof *target);
    const char *uid = json_string_value(meta(applied, "uid"));
    target->tracker = tracker;
    target->name = xstrdup(json_string_value(meta(applied, "name")));
    target->uid = xstrdup(uid ? uid : "");
    target->applied = slim(applied);
    target->generation = json_integer_value(meta(applied, "generation"));
    target->changed = changed;
    target->arg = arg;
    struct verdict first;
    judge_object(target, applied, &first);
    if (verdict_is_final(first.state)) {
        target_free(target);
        changed(&first, arg);
        return;
    }
    ask_for_class(tracker, applied);
    struct collection *collection = find_collection(
        tracker, collection_path, json_string_value(meta(applied, "resourceVersion")));
    target->next = collection->targets;
    target->same = find_target(collection, target->name);
    collection->targets = target;
    json_object_set_new(collection->index, target->name, json_integer((intptr_t)target));
    judge(target, newest(collection, target), false);
}

const json_t *tracker_object(const struct tracker *tracker, const char *path, const char *name)
{
    const struct collection *collection = tracker->collections;
    while (collection && strcmp(collection->path, path) != 0)
        collection = collection->next;
    const struct target *target = collection ? find_target(collection, name) : NULL;
    return target ? newest(collection, target) : NULL;
}
