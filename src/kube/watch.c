#include "kube/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    PAGE = 200,          /* a page of pods is some megabytes while it is read */
    WATCH_SECONDS = 300, /* then the server ends the stream and the watch resumes */
    WATCH_GRACE_MS = 30000,
    FAILURES_MAX = 6,
};

struct kube_watch {
    struct kube_client *client;
    char *collection;
    char *version;
    kube_watch_fn *changed;
    kube_watch_failed_fn *failed;
    kube_watch_listed_fn *on_list; /* or NULL */
    void *arg;
    struct kube_call *call; /* the list or the stream that is under way */
    json_t *known;          /* names seen and not deleted, to find what a list lacks */
    json_t *listed;         /* names of the list that is under way */
    int failures;           /* without an event between */
    bool stale;             /* the version is no longer known to the server */
    bool in_callback, freed;
};

static void send_list(struct kube_watch *watch, const char *token);
static void send_watch(struct kube_watch *watch);

static const char *meta(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

static void watch_destroy(struct kube_watch *watch)
{
    json_decref(watch->known);
    json_decref(watch->listed);
    free(watch->collection);
    free(watch->version);
    free(watch);
}

static void set_version(struct kube_watch *watch, const char *version)
{
    if (!version)
        return;
    free(watch->version);
    watch->version = xstrdup(version);
}

static void tell(struct kube_watch *watch, const json_t *object, bool deleted)
{
    const char *name = meta(object, "name");
    if (watch->freed || !name)
        return;
    if (deleted)
        json_object_del(watch->known, name);
    else
        json_object_set_new(watch->known, name, json_true());
    /* Half of an object, often, and nobody who waits asks for it. */
    json_object_del(json_object_get(object, "metadata"), "managedFields");
    watch->changed(object, deleted, watch->arg);
}

static void fail(struct kube_watch *watch, const struct err *err)
{
    if (!watch->freed)
        watch->failed(err, watch->arg);
}

/* Ends a callback: only now may the watch be destroyed that the receiver freed meanwhile. */
static bool leave(struct kube_watch *watch)
{
    watch->in_callback = false;
    if (!watch->freed)
        return true;
    if (watch->call)
        kube_cancel(watch->client, watch->call);
    watch_destroy(watch);
    return false;
}

static void tell_gone(struct kube_watch *watch)
{
    json_t *before = json_copy(watch->known), *unused;
    const char *name;
    json_object_foreach(before, name, unused) {
        if (json_object_get(watch->listed, name))
            continue;
        json_t *object = json_pack("{s:{s:s}}", "metadata", "name", name);
        tell(watch, object, true);
        json_decref(object);
    }
    json_decref(before);
}

/* The items of a list of built-in kinds don't say what they are; the list does. */
static void complete_item(const json_t *list, json_t *item)
{
    const char *kind = json_string_value(json_object_get(list, "kind"));
    size_t length = kind ? strlen(kind) : 0;
    if (json_object_get(item, "kind") || length <= 4 || strcmp(kind + length - 4, "List") != 0)
        return;
    json_object_set_new(item, "kind", json_stringn(kind, length - 4));
    json_object_set(item, "apiVersion", json_object_get(list, "apiVersion"));
}

static void on_listed(const struct kube_response *response, void *arg)
{
    struct kube_watch *watch = arg;
    watch->call = NULL;
    watch->in_callback = true;
    const char *token = meta(response->body, "continue");
    bool expired = response->status == 410;
    if (response->err && !expired) {
        fail(watch, response->err);
        leave(watch);
        return;
    }
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(response->body, "items"), i, item) {
        if (meta(item, "name"))
            json_object_set_new(watch->listed, meta(item, "name"), json_true());
        complete_item(response->body, item);
        tell(watch, item, false);
    }
    bool more = token && *token;
    if (!more && !expired) {
        tell_gone(watch);
        set_version(watch, meta(response->body, "resourceVersion"));
        if (watch->on_list && !watch->freed)
            watch->on_list(watch->arg);
    }
    if (!leave(watch))
        return;
    if (expired || more)
        send_list(watch, expired ? NULL : token); /* an expired token: from the first page again */
    else
        send_watch(watch);
}

/* What goes between the collection and further parameters. */
static char joint(const struct kube_watch *watch)
{
    return strchr(watch->collection, '?') ? '&' : '?';
}

static void send_list(struct kube_watch *watch, const char *token)
{
    char *path = xasprintf("%s%climit=%d%s%s", watch->collection, joint(watch), PAGE,
                           token ? "&continue=" : "", token ? token : "");
    struct kube_request request = {
        .method = "GET", .path = path, .done = on_listed, .arg = watch
    };
    if (!token)
        json_object_clear(watch->listed);
    watch->stale = false;
    watch->call = kube_send(watch->client, &request);
    free(path);
}

static void on_event(const json_t *event, void *arg)
{
    struct kube_watch *watch = arg;
    const char *type = json_string_value(json_object_get(event, "type"));
    const json_t *object = json_object_get(event, "object");
    if (!type)
        return;
    if (strcmp(type, "ERROR") == 0) {
        watch->stale = true; /* 410, or what a new list makes clear */
        return;
    }
    watch->failures = 0;
    set_version(watch, meta(object, "resourceVersion"));
    if (strcmp(type, "BOOKMARK") == 0)
        return;
    watch->in_callback = true;
    tell(watch, object, strcmp(type, "DELETED") == 0);
    leave(watch);
}

static void on_stream_end(const struct kube_response *response, void *arg)
{
    struct kube_watch *watch = arg;
    watch->call = NULL;
    bool gone = response->status == 410 || watch->stale;
    bool refused = response->status >= 400 && response->status < 500 && response->status != 410 &&
                   response->status != 429;
    if (response->err && !gone && (refused || ++watch->failures > FAILURES_MAX)) {
        watch->in_callback = true;
        fail(watch, response->err);
        leave(watch);
        return;
    }
    if (gone)
        send_list(watch, NULL);
    else
        send_watch(watch);
}

static void send_watch(struct kube_watch *watch)
{
    char *path = xasprintf(
        "%s%cwatch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s",
        watch->collection, joint(watch), WATCH_SECONDS, watch->version ? watch->version : "");
    struct kube_request request = {
        .method = "GET",
        .path = path,
        .timeout_ms = WATCH_SECONDS * 1000L + WATCH_GRACE_MS,
        .delay_ms = watch->failures ? 100L << watch->failures : 0,
        .event = on_event,
        .done = on_stream_end,
        .arg = watch,
    };
    watch->call = kube_send(watch->client, &request);
    free(path);
}

struct kube_watch *kube_watch_new(struct kube_client *client, const char *collection,
                                  const char *resource_version, kube_watch_fn *changed,
                                  kube_watch_failed_fn *failed, void *arg)
{
    struct kube_watch *watch = xcalloc(1, sizeof *watch);
    watch->client = client;
    watch->collection = xstrdup(collection);
    watch->changed = changed;
    watch->failed = failed;
    watch->arg = arg;
    watch->known = json_object();
    watch->listed = json_object();
    set_version(watch, resource_version);
    if (resource_version)
        send_watch(watch);
    else
        send_list(watch, NULL);
    return watch;
}

void kube_watch_on_list(struct kube_watch *watch, kube_watch_listed_fn *listed)
{
    watch->on_list = listed;
}

void kube_watch_free(struct kube_watch *watch)
{
    if (!watch)
        return;
    watch->freed = true;
    if (watch->in_callback)
        return;
    if (watch->call)
        kube_cancel(watch->client, watch->call);
    watch_destroy(watch);
}
