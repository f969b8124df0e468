#include "release/rehearsal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "release/write.h"

struct run {
    struct kube_client *client;
    const struct work *work;
    bool force;
    size_t pending;
    bool finished;
};

/* One item's try. */
struct
try {
    struct run *run;
    const struct work_item *item;
    struct rehearsal *found;
    bool elsewhere;      /* tried in "default", for want of its own namespace */
    struct err *refusal; /* NULL: it was accepted */
    json_t *result;      /* what it would be, NULL when it would be new */
};

static bool has_namespace_object(const struct work *work, const char *name)
{
    for (size_t i = 0; i < work->count; i++)
        if (strcmp(work->items[i].kind, "Namespace") == 0 && strcmp(work->items[i].name, name) == 0)
            return true;
    return false;
}

static void send_try(struct try *try);

static void refuse(struct try *try, const struct err *err)
{
    try->refusal = xmalloc(sizeof *err);
    *try->refusal = *err;
}

/* Whether the namespace is on its way out: it will be made anew when it is gone. */
static bool is_terminating(const struct kube_response *response)
{
    const json_t *details = json_object_get(response->body, "details");
    size_t i;
    json_t *cause;
    json_array_foreach(json_object_get(details, "causes"), i, cause) {
        const char *reason = json_string_value(json_object_get(cause, "reason"));
        if (reason && strcmp(reason, "NamespaceTerminating") == 0)
            return true;
    }
    return false;
}

/* A copy without what changes by itself. */
static json_t *without_bookkeeping(const json_t *object)
{
    static const char *const own[] = { "resourceVersion", "generation", "managedFields" };
    json_t *copy = json_copy((json_t *)object);
    json_t *metadata = json_copy(json_object_get(object, "metadata"));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        json_object_del(metadata, own[i]);
    json_object_set_new(copy, "metadata", metadata);
    json_object_del(copy, "status");
    return copy;
}

/* By content, not by resourceVersion: a controller may write a status at any moment. */
static void on_looked(const struct kube_response *response, void *arg)
{
    struct try *try = arg;
    try->run->finished = --try->run->pending == 0;
    if (response->err)
        return; /* gone meanwhile, or not to be read: then it counts as changed */
    json_t *before = without_bookkeeping(response->body);
    json_t *after = without_bookkeeping(try->result);
    try->found->same = json_equal(before, after);
    json_decref(before);
    json_decref(after);
}

static void send_look(struct try *try)
{
    struct kube_request request = {
        .method = "GET", .path = try->item->path, .done = on_looked, .arg = try
    };
    kube_send(try->run->client, &request);
}

static void on_tried(const struct kube_response *response, void *arg)
{
    struct try *try = arg;
    struct run *run = try->run;
    bool no_namespace = (response->status == 404 || is_terminating(response)) && !try->elsewhere &&
                        has_namespace_object(run->work, try->item->namespace);
    if (no_namespace) {
        try->elsewhere = true;
        send_try(try);
        return;
    }
    if (!response->err) {
        try->found->exists = response->status == 200 && !try->elsewhere;
        if (try->found->exists) {
            try->result = json_incref(response->body);
            send_look(try);
            return;
        }
    }
    run->finished = --run->pending == 0;
    if (!response->err)
        return;
    bool immutable = write_is_immutable(response);
    /* What happens to lie in "default" under the same name, or rights there, tell nothing. */
    if (try->elsewhere && (immutable || response->status == 409 || response->status == 403))
        return;
    if (immutable && strcmp(try->item->kind, "Job") == 0) {
        try->found->exists = try->found->replace = true;
        return;
    }
    refuse(try, response->err);
}

static void send_try(struct try *try)
{
    struct write write = {
        .dry_run = true,
        .force = try->run->force,
        .namespace = try->elsewhere ? "default" : NULL,
    };
    write_apply(try->run->client, try->item, &write, on_tried, try);
}

/* A CRD that the apply will change first judges its resources otherwise than the live one does:
 * their refusal is left to the real apply. One that stays as it is has judged. */
static void pardon_upgraded(const struct work *work, struct try *tries)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *crd = work_crd_of(work, &work->items[i]);
        const struct try *of_crd = crd ? &tries[crd - work->items] : NULL;
        if (tries[i].refusal && of_crd && of_crd->found && of_crd->found->exists &&
            !of_crd->found->same) {
            free(tries[i].refusal);
            tries[i].refusal = NULL;
        }
    }
}

/* The first refusal, and how many more there are. */
static int report(const struct work *work, const struct try *tries, struct err *err)
{
    size_t refused = 0;
    for (size_t i = 0; i < work->count; i++) {
        if (!tries[i].refusal)
            continue;
        if (refused++ == 0) {
            *err = *tries[i].refusal;
            write_error(work, &work->items[i], err);
        }
    }
    if (refused > 1) {
        size_t length = strlen(err->message);
        snprintf(err->message + length, sizeof err->message - length,
                 "; %zu more of the profile's objects are refused", refused - 1);
    }
    return refused ? -1 : 0;
}

int rehearsal_run(struct kube_client *client, const struct work *work, bool force,
                  struct rehearsal *found, struct err *err)
{
    struct run run = { .client = client, .work = work, .force = force };
    struct try *tries = xcalloc(work->count, sizeof *tries);
    for (size_t i = 0; i < work->count; i++) {
        if (!work->items[i].path)
            continue;
        tries[i] = (struct try){ .run = &run, .item = &work->items[i], .found = &found[i] };
        run.pending++;
        send_try(&tries[i]);
    }
    int result = run.pending ? kube_run(client, &run.finished, -1, err) : 0;
    if (result != 0)
        kube_drain(client, 0);
    pardon_upgraded(work, tries);
    if (result == 0)
        result = report(work, tries, err);
    for (size_t i = 0; i < work->count; i++) {
        free(tries[i].refusal);
        json_decref(tries[i].result);
    }
    free(tries);
    return result;
}
