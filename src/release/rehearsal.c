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
    size_t refused;
    size_t first; /* index of the first item that was refused */
    struct err err;
};

/* One item's try. */
struct
try {
    struct run *run;
    const struct work_item *item;
    struct rehearsal *found;
    bool elsewhere; /* tried in "default", for want of its own namespace */
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
    struct run *run = try->run;
    size_t index = (size_t)(try->item - run->work->items);
    if (run->refused++ > 0 && index > run->first)
        return;
    run->first = index;
    run->err = *err;
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
    run->finished = --run->pending == 0;
    if (!response->err) {
        const json_t *metadata = json_object_get(response->body, "metadata");
        const char *version = json_string_value(json_object_get(metadata, "resourceVersion"));
        try->found->exists = response->status == 200 && !try->elsewhere;
        if (try->found->exists && version)
            try->found->version = xstrdup(version);
        return;
    }
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

int rehearsal_run(struct kube_client *client, const struct work *work, bool force,
                  struct rehearsal *found, struct err *err)
{
    struct run run = { .client = client, .work = work, .force = force, .err = ERR_INIT };
    struct try *tries = xcalloc(work->count, sizeof *tries);
    for (size_t i = 0; i < work->count; i++) {
        if (!work->items[i].path)
            continue;
        tries[i] = (struct try){ &run, &work->items[i], &found[i], false };
        run.pending++;
        send_try(&tries[i]);
    }
    int result = run.pending ? kube_run(client, &run.finished, -1, err) : 0;
    if (result != 0)
        kube_drain(client, 0);
    free(tries);
    if (result != 0 || run.refused == 0)
        return result;
    *err = run.err;
    write_error(work, &work->items[run.first], err);
    if (run.refused > 1) {
        size_t length = strlen(err->message);
        snprintf(err->message + length, sizeof err->message - length,
                 "; %zu more of the profile's objects are refused", run.refused - 1);
    }
    return -1;
}

void rehearsal_release(struct rehearsal *found)
{
    free(found->version);
    found->version = NULL;
}
