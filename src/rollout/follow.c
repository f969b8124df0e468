#include "rollout/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/discovery.h"
#include "kube/watch.h"
#include "object/meta.h"

struct item {
    struct set *set;
    char *name;
    json_t *object; /* as seen last; NULL: not there, or not known yet */
    bool told;
    enum verdict_state last;
};

/* The items of one collection. */
struct set {
    struct set *next;
    struct follow *follow;
    char *collection;
    size_t count;
    const char *only; /* the name of its one item */
    struct kube_watch *watch;
    bool may_come;
    bool absent; /* the server does not know the kind */
};

/* A StorageClass, which tells whether a claim is bound before a pod uses it. */
struct storage_class {
    struct storage_class *next;
    struct follow *follow;
    char *name;
    json_t *object; /* NULL: not answered yet, or not to be had */
    struct kube_call *call;
};

struct follow {
    struct kube_client *client;
    struct follow_hooks hooks;
    struct item *items;
    size_t count;
    struct set *sets;
    struct storage_class *classes;
};

struct follow *follow_new(struct kube_client *client, const struct follow_hooks *hooks)
{
    struct follow *follow = xcalloc(1, sizeof *follow);
    follow->client = client;
    follow->hooks = *hooks;
    return follow;
}

void follow_free(struct follow *follow)
{
    if (!follow)
        return;
    while (follow->sets) {
        struct set *set = follow->sets;
        follow->sets = set->next;
        kube_watch_free(set->watch);
        free(set->collection);
        free(set);
    }
    while (follow->classes) {
        struct storage_class *class = follow->classes;
        follow->classes = class->next;
        if (class->call)
            kube_cancel(follow->client, class->call);
        json_decref(class->object);
        free(class->name);
        free(class);
    }
    for (size_t i = 0; i < follow->count; i++) {
        free(follow->items[i].name);
        json_decref(follow->items[i].object);
    }
    free(follow->items);
    free(follow);
}

void follow_add(struct follow *follow, const char *collection, const char *name, bool may_come)
{
    struct set **link = &follow->sets;
    while (*link && strcmp((*link)->collection, collection) != 0)
        link = &(*link)->next;
    struct set *set = *link;
    if (!set) {
        set = *link = xcalloc(1, sizeof *set);
        set->follow = follow;
        set->collection = xstrdup(collection);
    }
    follow->items = xrealloc(follow->items, (follow->count + 1) * sizeof *follow->items);
    follow->items[follow->count] = (struct item){ .set = set, .name = xstrdup(name) };
    set->only = follow->items[follow->count].name;
    follow->count++;
    set->count++;
    set->may_come |= may_come;
}

/* ---- judging ---- */

static struct storage_class *find_class(const struct follow *follow, const char *name)
{
    struct storage_class *class = follow->classes;
    while (class && strcmp(class->name, name) != 0)
        class = class->next;
    return class;
}

/* What a verdict asks its item by. */
struct asking {
    struct follow *follow;
    size_t index;
};

static const json_t *find_object(const char *group, const char *kind, const char *name, void *arg)
{
    const struct asking *asking = arg;
    (void)group; /* verdicts ask for StorageClasses only */
    (void)kind;
    const struct storage_class *class = find_class(asking->follow, name);
    return class ? class->object : NULL;
}

static bool ask_own(const json_t *object, struct verdict *verdict, void *arg)
{
    const struct asking *asking = arg;
    const struct follow_hooks *hooks = &asking->follow->hooks;
    return hooks->own(asking->index, object, verdict, hooks->arg);
}

static void judge(struct follow *follow, size_t index)
{
    struct item *item = &follow->items[index];
    struct asking asking = { follow, index };
    const struct verdict_extra extra = { follow->hooks.own ? ask_own : NULL, find_object, &asking };
    struct verdict verdict = { .state = VERDICT_GONE };
    if (item->object)
        verdict_with(item->object, &extra, &verdict);
    item->told = true;
    item->last = verdict.state;
    follow->hooks.changed(index, item->object, &verdict, follow->hooks.arg);
}

static const char *kind_of(const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    return kind ? kind : "";
}

static const char *class_of(const json_t *object)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(object, "spec"), "storageClassName"));
    return strcmp(kind_of(object), "PersistentVolumeClaim") == 0 && name ? name : "";
}

static void on_class(const struct kube_response *response, void *arg)
{
    struct storage_class *class = arg;
    struct follow *follow = class->follow;
    class->call = NULL;
    if (response->err)
        return; /* who may not read it waits for the claim as for any other */
    class->object = json_incref(response->body);
    for (size_t i = 0; i < follow->count; i++)
        if (strcmp(class_of(follow->items[i].object), class->name) == 0)
            judge(follow, i);
}

static void ask_for_class(struct follow *follow, const json_t *object)
{
    const char *name = class_of(object);
    if (!*name || find_class(follow, name))
        return;
    struct storage_class *class = xcalloc(1, sizeof *class);
    class->follow = follow;
    class->name = xstrdup(name);
    class->next = follow->classes;
    follow->classes = class;
    char *path = kube_object_path("/apis/storage.k8s.io/v1/storageclasses", name);
    struct kube_request request = { .method = "GET", .path = path, .done = on_class, .arg = class };
    class->call = kube_send(follow->client, &request);
    free(path);
}

/* ---- watching ---- */

static void on_change(const json_t *object, bool deleted, void *arg)
{
    struct set *set = arg;
    struct follow *follow = set->follow;
    const char *name = meta_text(object, "name");
    for (size_t i = 0; i < follow->count; i++) {
        struct item *item = &follow->items[i];
        if (item->set != set || strcmp(item->name, name) != 0)
            continue;
        json_t *before = item->object;
        item->object = deleted ? NULL : json_incref((json_t *)object);
        json_decref(before);
        if (!deleted)
            ask_for_class(follow, object);
        judge(follow, i);
    }
}

static void on_list(void *arg)
{
    struct set *set = arg;
    struct follow *follow = set->follow;
    for (size_t i = 0; i < follow->count; i++)
        if (follow->items[i].set == set && !follow->items[i].told)
            judge(follow, i);
}

static void on_failed(const struct err *err, void *arg)
{
    struct set *set = arg;
    if (set->may_come && err->kind == ERR_REFUSED) {
        set->absent = true;
        on_list(set);
        return;
    }
    set->follow->hooks.failed(err, set->follow->hooks.arg);
}

static void start(struct set *set)
{
    char *escaped = set->count == 1 ? kube_object_path("", set->only) : NULL; /* "/" before */
    char *path =
        escaped ? xasprintf("%s?fieldSelector=metadata.name%%3D%s", set->collection, escaped + 1)
                : xstrdup(set->collection);
    kube_watch_free(set->watch);
    set->absent = false;
    set->watch = kube_watch_new(set->follow->client, path, NULL, on_change, on_failed, set);
    kube_watch_on_list(set->watch, on_list);
    free(escaped);
    free(path);
}

void follow_start(struct follow *follow)
{
    for (struct set *set = follow->sets; set; set = set->next)
        start(set);
}

void follow_tick(struct follow *follow)
{
    for (struct set *set = follow->sets; set; set = set->next)
        if (set->absent)
            start(set);
    for (size_t i = 0; i < follow->count; i++) {
        const struct item *item = &follow->items[i];
        if (item->object && item->last == VERDICT_IN_PROGRESS &&
            strcmp(kind_of(item->object), "Pod") == 0)
            judge(follow, i);
    }
}
