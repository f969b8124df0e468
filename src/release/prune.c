#include "release/prune.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kube/watch.h"
#include "object/references.h"
#include "release/stuck.h"
#include "release/work.h"

enum {
    DRAIN_MS = 3000,
    EXPLAIN_AFTER_MS = 3000,
    EXPLAIN_MAX_MS = 60000, /* the longest pause between two looks */
    EXPLAINED_MAX = 20,     /* objects in one look */
    AGAIN_MS = 500,         /* first pause before a DELETE that failed is sent again */
    AGAIN_MAX_MS = 5000,
    HTTP_UNAUTHORIZED = 401,
    HTTP_NOT_FOUND = 404,
    HTTP_CONFLICT = 409,
    HTTP_SERVER_ERROR = 500,
};

enum step {
    STEP_ROUTES,
    STEP_CUSTOM,
    STEP_WORKLOADS,
    STEP_CONFIG,
    STEP_NAMESPACES,
    STEP_CRDS,
    STEP_COUNT,
};

enum state {
    STATE_PENDING, /* its step has not begun, or its collection's version is asked for */
    STATE_ASKED,   /* the DELETE is under way, or will be sent again */
    STATE_DYING,   /* the server has marked it */
    STATE_OVER,
    STATE_REFUSED,
};

struct run;

/* One collection of the step, and the version of it from which a watch misses nothing. */
struct place {
    struct place *next;
    struct run *run;
    const char *collection; /* of its first member */
    char *version;
    struct kube_watch *watch; /* from the first object on that does not go at once */
    struct kube_call *call;
};

/* One member on its way. */
struct item {
    struct run *run;
    const struct member *member;
    struct place *place;
    enum step step;
    enum state state;
    struct kube_call *call;
    json_t *last;  /* its newest known state */
    char *refusal; /* of the last DELETE, when that failed */
    long pause_ms; /* before the next DELETE */
    char *told;    /* the explanation that was told last */
    enum err_kind refused_as;
};

struct run {
    struct kube_client *client;
    const struct prune_options *options;
    struct item *items;
    size_t count;
    struct place *places;
    enum step step;
    size_t deleted;
    bool stop; /* the step is through, or the run */
    struct err err;
    long long deadline, next_look;
    long look_ms;
};

static const char *meta(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

/* ---- the order ---- */

/* Whether a kind comes from a CRD or an aggregated server, by the group that it is in. */
static bool is_custom(const char *api_version)
{
    static const char *const own[] = {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    };
    const char *slash = strchr(api_version, '/');
    size_t length = slash ? (size_t)(slash - api_version) : 0;
    if (!memchr(api_version, '.', length))
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strlen(own[i]) == length && strncmp(own[i], api_version, length) == 0)
            return false;
    return true;
}

static enum step step_of(const struct member *member)
{
    if (is_custom(member->api_version))
        return STEP_CUSTOM;
    switch (work_rank(member->kind)) {
    case RANK_ADMISSION:
    case RANK_ROUTE: return STEP_ROUTES;
    case RANK_CONFIG:
    case RANK_GROUND: return STEP_CONFIG;
    case RANK_FOUNDATION:
        return strcmp(member->kind, "Namespace") == 0 ? STEP_NAMESPACES : STEP_CRDS;
    case RANK_WORKLOAD:
    case RANK_COUNT: break;
    }
    return STEP_WORKLOADS;
}

int prune_compare(const struct member *a, const struct member *b)
{
    return (int)step_of(a) - (int)step_of(b);
}

const char *prune_step(const struct member *member)
{
    static const char *const words[] = {
        [STEP_ROUTES] = "routes",         [STEP_CUSTOM] = "custom resources",
        [STEP_WORKLOADS] = "workloads",   [STEP_CONFIG] = "configuration",
        [STEP_NAMESPACES] = "namespaces", [STEP_CRDS] = "kinds",
    };
    return words[step_of(member)];
}

char *prune_label(const struct member *member)
{
    bool namespaced = member->namespace && *member->namespace;
    return xasprintf("%s %s%s%s", member->kind, namespaced ? member->namespace : "",
                     namespaced ? "/" : "", member->name);
}

/* ---- an object's way ---- */

static void settle(struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->items[i].step == run->step && run->items[i].state < STATE_OVER)
            return;
    run->stop = true;
}

/* Ends the run for the first reason that comes. */
static void fail(struct run *run, const struct err *err)
{
    if (run->err.kind == ERR_NONE)
        run->err = *err;
    run->stop = true;
}

/* Of most kinds the metadata tells what holds an object up. */
static bool is_told_by_metadata(const char *kind)
{
    static const char *const others[] = { "Namespace", "PersistentVolume",
                                          "CustomResourceDefinition" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(kind, others[i]) == 0)
            return false;
    return true;
}

static void keep_last(struct item *item, const json_t *object)
{
    bool whole = !is_told_by_metadata(item->member->kind);
    json_t *metadata = json_object_get(object, "metadata");
    json_decref(item->last);
    json_object_del(metadata, "managedFields");
    item->last = whole ? json_incref((json_t *)object)
                       : (metadata ? json_pack("{s:O}", "metadata", metadata) : NULL);
}

static void finish(struct item *item, enum prune_fate fate)
{
    struct run *run = item->run;
    if (item->state == STATE_OVER)
        return;
    item->state = STATE_OVER;
    keep_last(item, NULL);
    run->deleted += fate == PRUNE_DELETED;
    /* Something goes on: what still hangs is given its time again. */
    run->next_look = clock_ms() + run->look_ms;
    if (run->options->gone)
        run->options->gone(item->member, fate, run->options->arg);
    settle(run);
}

/* The uid that is to go: as listed, else as the server answered. */
static const char *uid_of(const struct item *item)
{
    const char *uid = item->member->uid;
    return uid && *uid ? uid : meta(item->last, "uid");
}

static bool is_another(const struct item *item, const json_t *object)
{
    const char *wanted = uid_of(item), *uid = meta(object, "uid");
    return wanted && uid && strcmp(wanted, uid) != 0;
}

static void on_change(const json_t *object, bool deleted, void *arg)
{
    struct place *place = arg;
    const char *name = meta(object, "name");
    for (size_t i = 0; i < place->run->count; i++) {
        struct item *item = &place->run->items[i];
        if (item->place != place || item->state == STATE_OVER || item->state == STATE_PENDING ||
            strcmp(item->member->name, name) != 0)
            continue;
        if (is_another(item, object) != deleted) /* ours has gone, or another one has come */
            finish(item, PRUNE_DELETED);
        else if (!deleted)
            keep_last(item, object);
    }
}

static void on_watch_failed(const struct err *err, void *arg)
{
    struct place *place = arg;
    fail(place->run, err);
}

/* Waits for an object that the server has marked. */
static void follow(struct item *item, const json_t *object)
{
    struct place *place = item->place;
    keep_last(item, object);
    item->state = STATE_DYING;
    free(item->refusal);
    item->refusal = NULL;
    if (place && !place->watch) /* else the run is at its end, or it is followed already */
        place->watch = kube_watch_new(place->run->client, place->collection, place->version,
                                      on_change, on_watch_failed, place);
}

static void send_delete(struct item *item);

/* A DELETE that failed for what may pass: a webhook that can't be called, a server in trouble. */
static void again(struct item *item, const char *message)
{
    char *refusal = xstrdup(message);
    free(item->refusal);
    item->refusal = refusal;
    item->pause_ms = item->pause_ms ? item->pause_ms * 2 : AGAIN_MS;
    if (item->pause_ms > AGAIN_MAX_MS)
        item->pause_ms = AGAIN_MAX_MS;
    if (item->run->err.kind == ERR_NONE)
        send_delete(item);
}

static void refuse(struct item *item, const struct kube_response *response)
{
    struct err err = *response->err;
    if (response->status == 0 || response->status == HTTP_UNAUTHORIZED) {
        fail(item->run, &err);
        return;
    }
    free(item->refusal);
    item->refusal = xstrdup(err.message);
    item->state = STATE_REFUSED;
    /* 403 is also what a webhook says that does not want it. */
    item->refused_as = strstr(err.message, "denied the request") ? ERR_REFUSED : err.kind;
    settle(item->run);
}

/* After a conflict: is it another object now, or one that goes already? */
static void on_looked(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    item->call = NULL;
    if (item->state == STATE_OVER)
        return;
    if (response->status == HTTP_NOT_FOUND)
        finish(item, PRUNE_ABSENT);
    else if (response->err)
        refuse(item, response);
    else if (is_another(item, response->body))
        finish(item, PRUNE_REPLACED);
    else if (meta(response->body, "deletionTimestamp"))
        follow(item, response->body);
    else
        again(item, "the object is being changed");
}

static void send_look(struct item *item)
{
    struct kube_request request = {
        .method = "GET", .path = item->member->path, .done = on_looked, .arg = item
    };
    item->call = kube_send(item->run->client, &request);
}

static void on_deleted(const struct kube_response *response, void *arg)
{
    struct item *item = arg;
    item->call = NULL;
    if (item->state == STATE_OVER)
        return; /* the watch was quicker */
    if (response->status == HTTP_NOT_FOUND) {
        finish(item, PRUNE_ABSENT);
    } else if (response->status == HTTP_CONFLICT) {
        send_look(item);
    } else if (response->status >= HTTP_SERVER_ERROR) {
        again(item, response->err->message);
    } else if (response->err) {
        refuse(item, response);
    } else if (!meta(response->body, "deletionTimestamp")) {
        finish(item, PRUNE_DELETED); /* a Status, or the object as it was */
    } else {
        follow(item, response->body);
    }
}

/* Pods go before the workload itself, and so before what they read. */
static const char *propagation_of(const struct member *member)
{
    bool workload = strncmp(member->api_version, "apps/", 5) == 0 ||
                    strncmp(member->api_version, "batch/", 6) == 0 ||
                    strcmp(member->kind, "ReplicationController") == 0;
    return workload ? "Foreground" : "Background";
}

static void send_delete(struct item *item)
{
    const char *uid = item->member->uid;
    json_t *body = json_pack("{s:s, s:s, s:s}", "apiVersion", "v1", "kind", "DeleteOptions",
                             "propagationPolicy", propagation_of(item->member));
    if (uid && *uid)
        json_object_set_new(body, "preconditions", json_pack("{s:s}", "uid", uid));
    struct kube_request request = {
        .method = "DELETE",
        .path = item->member->path,
        .content_type = "application/json",
        .body = json_dumps(body, JSON_COMPACT),
        .accept = is_told_by_metadata(item->member->kind) ? KUBE_METADATA : NULL,
        .delay_ms = item->pause_ms,
        .done = on_deleted,
        .arg = item,
    };
    json_decref(body);
    item->state = STATE_ASKED;
    item->call = kube_send(item->run->client, &request);
}

/* ---- a step ---- */

static void on_version(const struct kube_response *response, void *arg)
{
    struct place *place = arg;
    struct run *run = place->run;
    place->call = NULL;
    if (response->err && response->status != HTTP_NOT_FOUND) {
        fail(run, response->err);
        return;
    }
    const char *version = meta(response->body, "resourceVersion");
    place->version = version && *version ? xstrdup(version) : NULL;
    for (size_t i = 0; i < run->count; i++) {
        struct item *item = &run->items[i];
        if (item->place != place)
            continue;
        if (response->status == HTTP_NOT_FOUND) /* the kind has gone, and all of it */
            finish(item, PRUNE_ABSENT);
        else if (run->err.kind == ERR_NONE)
            send_delete(item);
    }
}

static struct place *place_of(struct run *run, const char *collection)
{
    struct place *place = run->places;
    while (place && strcmp(place->collection, collection) != 0)
        place = place->next;
    if (place)
        return place;
    place = xcalloc(1, sizeof *place);
    place->run = run;
    place->collection = collection;
    place->next = run->places;
    run->places = place;
    return place;
}

/* One object of each collection: only the list's version is wanted. */
static void ask_versions(struct run *run)
{
    for (struct place *place = run->places; place; place = place->next) {
        char *path = xasprintf("%s?limit=1", place->collection);
        struct kube_request request = {
            .method = "GET",
            .path = path,
            .accept = KUBE_METADATA_LIST,
            .done = on_version,
            .arg = place,
        };
        place->call = kube_send(run->client, &request);
        free(path);
    }
}

static void leave_places(struct run *run)
{
    while (run->places) {
        struct place *place = run->places;
        run->places = place->next;
        kube_watch_free(place->watch);
        if (place->call)
            kube_cancel(run->client, place->call);
        free(place->version);
        free(place);
    }
    for (size_t i = 0; i < run->count; i++)
        run->items[i].place = NULL;
}

/* ---- explaining ---- */

static bool is_left(const struct item *item)
{
    return item->state != STATE_OVER && item->state != STATE_PENDING;
}

/* The state as it is now. Watches tell all of it; this is for what one may have missed when it had
 * to begin anew. */
static void refresh(struct item *item)
{
    json_t *object = NULL;
    struct err err = ERR_INIT;
    struct kube_request request = { .method = "GET", .path = item->member->path };
    if (item->state != STATE_DYING)
        return;
    long status = kube_ask(item->run->client, &request, &object, &err);
    if (status == HTTP_NOT_FOUND || (err.kind == ERR_NONE && is_another(item, object)))
        finish(item, PRUNE_DELETED);
    else if (err.kind == ERR_NONE && item->state == STATE_DYING)
        keep_last(item, object);
    json_decref(object);
}

/* Tells what has changed since it was told last; all of it when `words` is given, where it goes. */
static void look(struct run *run, struct buf *words)
{
    struct stuck *stuck = stuck_new(run->client);
    size_t explained = 0, left = 0;
    for (size_t i = 0; i < run->count; i++) {
        struct item *item = &run->items[i];
        if (!is_left(item))
            continue;
        if (explained < EXPLAINED_MAX)
            refresh(item);
        if (!is_left(item) || ++left > EXPLAINED_MAX)
            continue;
        explained++;
        char *label = prune_label(item->member);
        char *reason = stuck_explain(stuck, item->member, item->last, item->refusal);
        char *line = xasprintf("%s: %s", label, reason);
        bool news = !item->told || strcmp(item->told, line) != 0;
        if (words)
            buf_addf(words, "; %s", line);
        else if (news && run->options->tell && item->state != STATE_REFUSED)
            run->options->tell(line, run->options->arg);
        free(item->told);
        item->told = line;
        free(reason);
        free(label);
    }
    if (words && left > explained)
        buf_addf(words, "; and %zu more", left - explained);
    stuck_free(stuck);
}

static void look_again(struct run *run)
{
    look(run, NULL);
    if (run->look_ms < EXPLAIN_MAX_MS / 2)
        run->look_ms *= 2;
    run->next_look = clock_ms() + run->look_ms;
}

/* ---- the whole ---- */

/* Objects that are not over, also those whose turn has not come. */
static size_t count_left(const struct run *run)
{
    size_t left = 0;
    for (size_t i = 0; i < run->count; i++)
        left += run->items[i].state != STATE_OVER;
    return left;
}

static int time_out(struct run *run, struct err *err)
{
    struct buf words = BUF_INIT;
    look(run, &words);
    if (!run->stop || run->err.kind != ERR_NONE)
        err_set(err, ERR_TIMEOUT,
                "not gone within %gs (--timeout), %zu of %zu objects left; what was begun goes on, "
                "and so does running this again%s",
                (double)run->options->timeout_ms / 1000, count_left(run), run->count,
                buf_text(&words));
    buf_release(&words);
    return run->stop && run->err.kind == ERR_NONE ? 0 : -1;
}

static int refused(struct run *run, enum err_kind kind, struct err *err)
{
    struct buf words = BUF_INIT;
    look(run, &words);
    err_set(err, kind, "%zu of %zu objects left; running this again goes on%s", count_left(run),
            run->count, buf_text(&words));
    buf_release(&words);
    return -1;
}

/* Runs the loop until the step is through. */
static int run_step(struct run *run, struct err *err)
{
    int result = 0;
    while (!run->stop && result == 0) {
        long long now = clock_ms();
        if (now >= run->deadline) {
            result = time_out(run, err);
            break;
        }
        if (now >= run->next_look) {
            look_again(run);
            continue;
        }
        long long until = run->next_look < run->deadline ? run->next_look : run->deadline;
        if (kube_run(run->client, &run->stop, (long)(until - now), err) < 0)
            result = -1;
    }
    if (run->err.kind != ERR_NONE) {
        *err = run->err;
        result = -1;
    }
    if (result != 0 && err->kind != ERR_TIMEOUT)
        err_wrap(err, "%zu of %zu objects left, running this again goes on", count_left(run),
                 run->count);
    leave_places(run);
    return result;
}

static int begin_step(struct run *run, struct err *err)
{
    bool any = false;
    for (size_t i = 0; i < run->count; i++) {
        struct item *item = &run->items[i];
        if (item->step != run->step)
            continue;
        item->place = place_of(run, item->member->collection);
        any = true;
    }
    if (!any)
        return 0;
    run->stop = run->err.kind != ERR_NONE;
    run->look_ms =
        run->options->explain_after_ms ? run->options->explain_after_ms : EXPLAIN_AFTER_MS;
    run->next_look = clock_ms() + run->look_ms;
    ask_versions(run);
    if (run_step(run, err) != 0)
        return -1;
    for (size_t i = 0; i < run->count; i++)
        if (run->items[i].state == STATE_REFUSED)
            return refused(run, run->items[i].refused_as, err);
    return 0;
}

static void on_lock_lost(const struct err *err, void *arg)
{
    fail(arg, err);
}

int prune_run(struct kube_client *client, const struct member *const *members, size_t count,
              const struct prune_options *options, size_t *deleted, struct err *err)
{
    struct run run = {
        .client = client,
        .options = options,
        .count = count,
        .items = xcalloc(count, sizeof *run.items),
        .err = ERR_INIT,
        .deadline = clock_ms() + options->timeout_ms,
    };
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        run.items[i].run = &run;
        run.items[i].member = members[i];
        run.items[i].step = step_of(members[i]);
        run.items[i].last = json_incref(members[i]->object);
    }
    if (options->lock)
        lock_on_lost(options->lock, on_lock_lost, &run);
    for (run.step = 0; run.step < STEP_COUNT && result == 0; run.step++)
        result = begin_step(&run, err);
    if (options->lock)
        lock_on_lost(options->lock, NULL, NULL);
    if (result != 0) {
        run.err = *err; /* what comes in now starts nothing */
        kube_drain(client, DRAIN_MS);
    }
    for (size_t i = 0; i < count; i++) {
        struct item *item = &run.items[i];
        if (item->call && result == 0)
            kube_cancel(client, item->call);
        json_decref(item->last);
        free(item->refusal);
        free(item->told);
    }
    free(run.items);
    *deleted = run.deleted;
    return result;
}

/* ---- what is referred to ---- */

static void add_name(const char *kind, const char *name, const char *why, void *arg)
{
    json_t *names = arg;
    (void)why;
    if (strcmp(kind, "ConfigMap") != 0 && strcmp(kind, "Secret") != 0)
        return;
    char *key = xasprintf("%s/%s", kind, name);
    json_object_set_new(names, key, json_true());
    free(key);
}

static int collect_all(struct kube_client *client, const char *collection, json_t *names,
                       struct err *err)
{
    char *next = xstrdup("");
    int result = 0;
    do {
        json_t *answer = NULL, *item;
        size_t i;
        char *path = xasprintf("%s?limit=500%s%s", collection, *next ? "&continue=" : "", next);
        result = kube_fetch(client, "GET", path, NULL, NULL, &answer, err) < 0 ? -1 : 0;
        free(path);
        free(next);
        json_array_foreach(json_object_get(answer, "items"), i, item) {
            references_each(json_object_get(item, "spec"), add_name, names);
            /* of a ControllerRevision */
            references_each(json_object_get(item, "data"), add_name, names);
        }
        const char *token = meta(answer, "continue");
        next = xstrdup(token ? token : "");
        json_decref(answer);
    } while (result == 0 && *next);
    free(next);
    return result;
}

int prune_referenced(struct kube_client *client, const char *namespace, json_t **names,
                     struct err *err)
{
    static const struct {
        const char *root, *plural;
    } kinds[] = {
        { "/apis/apps/v1", "deployments" },
        { "/apis/apps/v1", "statefulsets" },
        { "/apis/apps/v1", "daemonsets" },
        { "/apis/batch/v1", "cronjobs" },
        { "/apis/apps/v1", "controllerrevisions" },
        { "/apis/apps/v1", "replicasets" },
        { "/api/v1", "replicationcontrollers" },
        { "/apis/batch/v1", "jobs" },
        { "/api/v1", "pods" },
    };
    /* What makes comes before what is made: nothing is missed that is made meanwhile. */
    *names = json_object();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char *collection =
            xasprintf("%s/namespaces/%s/%s", kinds[i].root, namespace, kinds[i].plural);
        int result = collect_all(client, collection, *names, err);
        free(collection);
        if (result != 0) {
            json_decref(*names);
            *names = NULL;
            return err_wrap(err, "to know which configuration is still used (%s)", kinds[i].plural);
        }
    }
    return 0;
}
