#include "rollout/lookout.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/list.h"
#include "kube/watch.h"
#include "object/meta.h"

/* What is watched in each namespace. */
static const struct view_kind {
    const char *path; /* of the namespace's collection, with the namespace for %s */
    const char *word;
} view_kinds[] = {
    { "/apis/apps/v1/namespaces/%s/replicasets", "ReplicaSets" },
    { "/api/v1/namespaces/%s/pods", "pods" },
    { "/api/v1/namespaces/%s/persistentvolumeclaims", "PersistentVolumeClaims" },
    { "/api/v1/namespaces/%s/events", "events" },
};
enum { VIEW_REPLICASETS, VIEW_PODS, VIEW_CLAIMS, VIEW_EVENTS, VIEW_COUNT };

struct view {
    struct lookout *lookout;
    struct place *place;
    size_t kind;
    char *path;
    struct kube_watch *watch; /* NULL: it has ended */
    json_t *objects;          /* by name */
};

/* A namespace. */
struct place {
    struct place *next;
    char *namespace;
    struct view views[VIEW_COUNT];
};

struct lookout {
    struct kube_client *client;
    struct place *places;
    json_t *notes;
    json_t *nodes;                /* by name; NULL: not asked for */
    struct kube_call *nodes_call; /* while it is not answered */
    bool news;
};

struct lookout *lookout_new(struct kube_client *client)
{
    struct lookout *lookout = xcalloc(1, sizeof *lookout);
    lookout->client = client;
    lookout->notes = json_array();
    return lookout;
}

static void end_watch(struct view *view)
{
    if (view->watch)
        kube_watch_free(view->watch);
    view->watch = NULL;
}

void lookout_free(struct lookout *lookout)
{
    if (!lookout)
        return;
    while (lookout->places) {
        struct place *place = lookout->places;
        lookout->places = place->next;
        for (size_t i = 0; i < VIEW_COUNT; i++) {
            end_watch(&place->views[i]);
            json_decref(place->views[i].objects);
            free(place->views[i].path);
        }
        free(place->namespace);
        free(place);
    }
    if (lookout->nodes_call)
        kube_cancel(lookout->client, lookout->nodes_call);
    json_decref(lookout->nodes);
    json_decref(lookout->notes);
    free(lookout);
}

static void on_change(const json_t *object, bool deleted, void *arg)
{
    struct view *view = arg;
    const char *name = meta_text(object, "name");
    view->lookout->news = true;
    if (!deleted)
        json_object_set(view->objects, name, (json_t *)object);
    else if (view->kind != VIEW_EVENTS) /* one that has expired did happen */
        json_object_del(view->objects, name);
}

static void note(struct view *view, const struct err *err)
{
    char *sentence = xasprintf("%s of namespace %s can't be read: %s", view_kinds[view->kind].word,
                               view->place->namespace, err->message);
    json_t *own = json_string(sentence), *other;
    size_t i;
    bool known = false;
    json_array_foreach(view->lookout->notes, i, other)
        known |= json_equal(own, other) == 1;
    if (!known)
        json_array_append(view->lookout->notes, own);
    json_decref(own);
    free(sentence);
}

static void on_failed(const struct err *err, void *arg)
{
    struct view *view = arg;
    note(view, err);
    end_watch(view);
}

static struct place *find_place(const struct lookout *lookout, const char *namespace)
{
    struct place *place = lookout->places;
    while (place && strcmp(place->namespace, namespace) != 0)
        place = place->next;
    return place;
}

static struct place *add_place(struct lookout *lookout, const char *namespace)
{
    struct place *place = xcalloc(1, sizeof *place);
    place->namespace = xstrdup(namespace);
    place->next = lookout->places;
    lookout->places = place;
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        struct buf path = BUF_INIT;
        const char *hole = strstr(view_kinds[i].path, "%s");
        buf_add(&path, view_kinds[i].path, (size_t)(hole - view_kinds[i].path));
        buf_addf(&path, "%s%s", namespace, hole + 2);
        place->views[i] = (struct view){ .lookout = lookout,
                                         .place = place,
                                         .kind = i,
                                         .path = buf_detach(&path),
                                         .objects = json_object() };
    }
    return place;
}

void lookout_open(struct lookout *lookout, const char *namespace)
{
    if (find_place(lookout, namespace))
        return;
    struct place *place = add_place(lookout, namespace);
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        struct view *view = &place->views[i];
        view->watch = kube_watch_new(lookout->client, view->path, NULL, on_change, on_failed, view);
    }
}

static void on_nodes(const struct kube_response *response, void *arg)
{
    struct lookout *lookout = arg;
    size_t i;
    json_t *node;
    lookout->nodes_call = NULL;
    json_array_foreach(json_object_get(response->body, "items"), i, node)
        json_object_set(lookout->nodes, meta_text(node, "name"), node);
    lookout->news = true;
}

void lookout_ask_nodes(struct lookout *lookout)
{
    struct kube_request request = {
        .method = "GET", .path = "/api/v1/nodes?limit=100", .done = on_nodes, .arg = lookout
    };
    if (lookout->nodes)
        return;
    lookout->nodes = json_object();
    lookout->nodes_call = kube_send(lookout->client, &request);
}

void lookout_stop(struct lookout *lookout)
{
    if (lookout->nodes_call)
        kube_cancel(lookout->client, lookout->nodes_call);
    lookout->nodes_call = NULL;
    for (struct place *place = lookout->places; place; place = place->next)
        for (size_t i = 0; i < VIEW_COUNT; i++)
            end_watch(&place->views[i]);
}

bool lookout_has_news(struct lookout *lookout)
{
    bool news = lookout->news;
    lookout->news = false;
    return news;
}

void lookout_world(const struct lookout *lookout, const char *namespace,
                   struct diagnosis_world *world)
{
    const struct place *place = find_place(lookout, namespace);
    world->replicasets = place ? place->views[VIEW_REPLICASETS].objects : NULL;
    world->pods = place ? place->views[VIEW_PODS].objects : NULL;
    world->claims = place ? place->views[VIEW_CLAIMS].objects : NULL;
    world->nodes = lookout->nodes;
    world->events = place ? place->views[VIEW_EVENTS].objects : NULL;
}

void lookout_settle(struct lookout *lookout, const char *namespace)
{
    struct place *place = find_place(lookout, namespace);
    if (!place)
        place = add_place(lookout, namespace);
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        struct view *view = &place->views[i];
        struct err err = ERR_INIT;
        json_t *items = NULL, *item;
        size_t index;
        long status = kube_list(lookout->client, view->path, NULL, &items, &err);
        if (status != 200)
            note(view, &err);
        json_array_foreach(items, index, item)
            json_object_set(view->objects, meta_text(item, "name"), item);
        json_decref(items);
    }
}

const json_t *lookout_notes(const struct lookout *lookout)
{
    return lookout->notes;
}
