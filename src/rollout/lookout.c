#include "rollout/lookout.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/list.h"
#include "kube/watch.h"
#include "object/meta.h"
#include "rollout/diagnosis_parts.h"

/* What is watched in each namespace. */
static const struct view_kind {
    const char *path; /* of the namespace's collection, with the namespace for %s */
    const char *word;
} view_kinds[] = {
    { "/apis/apps/v1/namespaces/%s/replicasets", "ReplicaSets" },
    { "/api/v1/namespaces/%s/pods", "pods" },
    { "/api/v1/namespaces/%s/persistentvolumeclaims", "PersistentVolumeClaims" },
    /* without those of each pod that fares well */
    { "/api/v1/namespaces/%s/events?fieldSelector=reason!%3DScheduled%2Creason!%3DPulling%2C"
      "reason!%3DPulled%2Creason!%3DCreated%2Creason!%3DStarted",
      "events" },
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
    struct kube_watch *alarm; /* of Warnings; NULL: it has ended */
    bool listens, alarmed;
    bool is_open;
    json_t *by_owner;   /* ReplicaSets and pods, by the uid of an owner, then by name */
    json_t *by_subject; /* events, by the uid of what they are about, then by name */
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

static void end_alarm(struct place *place)
{
    if (place->alarm)
        kube_watch_free(place->alarm);
    place->alarm = NULL;
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
        end_alarm(place);
        for (size_t i = 0; i < VIEW_COUNT; i++) {
            end_watch(&place->views[i]);
            json_decref(place->views[i].objects);
            free(place->views[i].path);
        }
        json_decref(place->by_owner);
        json_decref(place->by_subject);
        free(place->namespace);
        free(place);
    }
    if (lookout->nodes_call)
        kube_cancel(lookout->client, lookout->nodes_call);
    json_decref(lookout->nodes);
    json_decref(lookout->notes);
    free(lookout);
}

static bool is_ready(const json_t *pod)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(json_object_get(pod, "status"), "conditions"), i, row) {
        if (strcmp(object_text(row, "type"), "Ready") == 0)
            return strcmp(object_text(row, "status"), "True") == 0;
    }
    return false;
}

/* What counts of a pod that is ready: that it is, whose it is, and its volumes. */
static json_t *slim_ready(const json_t *pod)
{
    const json_t *metadata = json_object_get(pod, "metadata");
    json_t *volumes = json_object_get(json_object_get(pod, "spec"), "volumes"),
           *claims = json_array(), *row;
    size_t i;
    json_array_foreach(volumes, i, row) {
        if (json_object_get(row, "persistentVolumeClaim"))
            json_array_append(claims, row);
    }
    return json_pack("{s:s, s:{s:s, s:s, s:s, s:O*, s:O*}, s:{s:o}, s:{s:s, s:[{s:s, s:s}]}}",
                     "kind", "Pod", "metadata", "name", meta_text(pod, "name"), "uid",
                     meta_text(pod, "uid"), "creationTimestamp",
                     meta_text(pod, "creationTimestamp"), "ownerReferences",
                     json_object_get(metadata, "ownerReferences"), "deletionTimestamp",
                     json_object_get(metadata, "deletionTimestamp"), "spec", "volumes", claims,
                     "status", "phase", "Running", "conditions", "type", "Ready", "status", "True");
}

/* What diagnoses need of an object: not its bookkeeping, and of a pod that is ready next to
 * nothing. There may be thousands of them. */
static json_t *slim(const json_t *object)
{
    if (strcmp(object_text(object, "kind"), "Pod") == 0 && is_ready(object))
        return slim_ready(object);
    json_t *made = json_copy((json_t *)object);
    json_t *metadata = json_copy(json_object_get(object, "metadata"));
    json_object_del(metadata, "managedFields");
    json_object_del(metadata, "labels");
    json_object_set_new(made, "metadata", metadata);
    return made;
}

/* Puts `object` under its name into the group of a uid, or takes it out of there (NULL). */
static void group(json_t *groups, const char *uid, const char *name, json_t *object)
{
    json_t *members = json_object_get(groups, uid);
    if (!members && object) {
        members = json_object();
        json_object_set_new(groups, uid, members);
    }
    if (object)
        json_object_set(members, name, object);
    else
        json_object_del(members, name);
}

/* The same for all groups that `of`, the object as it is or was, belongs to. */
static void regroup(struct view *view, const json_t *of, const char *name, json_t *object)
{
    json_t *owners = json_object_get(json_object_get(of, "metadata"), "ownerReferences"), *row;
    size_t i;
    if (view->kind == VIEW_EVENTS)
        group(view->place->by_subject, object_text(json_object_get(of, "involvedObject"), "uid"),
              name, object);
    if (view->kind != VIEW_PODS && view->kind != VIEW_REPLICASETS)
        return;
    json_array_foreach(owners, i, row)
        group(view->place->by_owner, object_text(row, "uid"), name, object);
}

/* Under which name it is kept. Of the events that a controller has made a pod the newest is enough:
 * they tell that what was refused before is over. */
static char *name_of(const struct view *view, const json_t *object)
{
    const json_t *about = json_object_get(object, "involvedObject");
    if (view->kind == VIEW_EVENTS && strcmp(object_text(object, "reason"), "SuccessfulCreate") == 0)
        return xasprintf("%s %s", object_text(about, "kind"), object_text(about, "name"));
    return xstrdup(meta_text(object, "name"));
}

static void keep(struct view *view, const json_t *object)
{
    char *name = name_of(view, object);
    const json_t *before = json_object_get(view->objects, name);
    bool older = view->kind == VIEW_EVENTS && before &&
                 strcmp(diagnosis_event_time(object), diagnosis_event_time(before)) < 0;
    if (!older) {
        json_t *kept = slim(object);
        regroup(view, kept, name, kept);
        json_object_set_new(view->objects, name, kept);
    }
    free(name);
}

static void on_change(const json_t *object, bool deleted, void *arg)
{
    struct view *view = arg;
    const char *name = meta_text(object, "name");
    view->lookout->news = true;
    if (!deleted) {
        keep(view, object);
    } else if (view->kind != VIEW_EVENTS) { /* one that has expired did happen */
        regroup(view, json_object_get(view->objects, name), name, NULL);
        json_object_del(view->objects, name);
    }
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
    place->by_owner = json_object();
    place->by_subject = json_object();
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

static struct place *place_of(struct lookout *lookout, const char *namespace)
{
    struct place *place = find_place(lookout, namespace);
    return place ? place : add_place(lookout, namespace);
}

static void on_warning(const json_t *event, bool deleted, void *arg)
{
    struct place *place = arg;
    (void)event;
    place->alarmed |= !deleted;
    if (place->alarmed)
        end_alarm(place);
}

/* Nobody is to wait for a warning that will not come. */
static void on_deaf(const struct err *err, void *arg)
{
    struct place *place = arg;
    (void)err; /* told when the events are read */
    place->alarmed = true;
    end_alarm(place);
}

void lookout_listen(struct lookout *lookout, const char *namespace)
{
    struct place *place = place_of(lookout, namespace);
    if (place->listens || place->is_open)
        return;
    place->listens = true;
    char *path = xasprintf("/api/v1/namespaces/%s/events?fieldSelector=type%%3DWarning", namespace);
    place->alarm = kube_watch_new(lookout->client, path, NULL, on_warning, on_deaf, place);
    free(path);
}

bool lookout_is_alarmed(const struct lookout *lookout, const char *namespace)
{
    const struct place *place = find_place(lookout, namespace);
    return place && place->alarmed;
}

void lookout_open(struct lookout *lookout, const char *namespace)
{
    struct place *place = place_of(lookout, namespace);
    if (place->is_open)
        return;
    place->is_open = true;
    end_alarm(place);
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
    for (struct place *place = lookout->places; place; place = place->next) {
        end_alarm(place);
        for (size_t i = 0; i < VIEW_COUNT; i++)
            end_watch(&place->views[i]);
    }
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
    world->by_owner = place ? place->by_owner : NULL;
    world->by_subject = place ? place->by_subject : NULL;
    world->nodes = lookout->nodes;
    world->events = place ? place->views[VIEW_EVENTS].objects : NULL;
}

void lookout_settle(struct lookout *lookout, const char *namespace)
{
    struct place *place = place_of(lookout, namespace);
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        struct view *view = &place->views[i];
        struct err err = ERR_INIT;
        json_t *items = NULL, *item;
        size_t index;
        long status = kube_list(lookout->client, view->path, NULL, &items, &err);
        if (status != 200)
            note(view, &err);
        json_array_foreach(items, index, item)
            keep(view, item);
        json_decref(items);
    }
}

const json_t *lookout_notes(const struct lookout *lookout)
{
    return lookout->notes;
}
