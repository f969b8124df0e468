#include "command/task_logs.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"
#include "object/redact.h"
#include "release/pods.h"
#include "release/task.h"
#include "ui/shown.h"

enum {
    LINES_MAX = 1000, /* of a task */
    LINE_SHOWN = 2000,
    STREAM_MS = 330000, /* then it is asked for anew: one that fell silent may be dead */
    AGAIN_MS = 1000,    /* until the pods are looked for again */
    REST_MS = 2000,     /* for the rest of the log of what has ended */
};

/* One container of a task's pod. */
struct stream {
    struct stream *next;
    struct follower *follower;
    char *pod, *container;
    struct kube_call *call; /* while it is read */
    bool is_read;           /* something of it has been, or it can't be */
    struct buf line;        /* the beginning of one that comes in pieces */
};

/* One task that is followed. */
struct follower {
    struct follower *next;
    struct task_logs *logs;
    size_t component;
    const struct work_item *item;
    const char *former;     /* the uid of the Job that this one replaces, or NULL */
    char *pods;             /* the path that lists them */
    struct kube_call *call; /* the watch */
    struct stream *streams;
    size_t open;  /* streams that are read */
    size_t lines; /* that were shown */
    bool ending, silent;
};

struct task_logs {
    struct kube_client *client;
    const struct plan *plan;
    struct progress *progress;
    struct follower *followers;
};

/* ---- lines ---- */

static void show(struct follower *follower, const char *text)
{
    const char *name = follower->logs->plan->work->profile->components[follower->component].name;
    char *line = xasprintf("log       %s: %s", name, text);
    progress_say(follower->logs->progress, stderr, line);
    free(line);
}

/* The line without the values of the profile's Secrets. The caller's. */
static char *redacted(const struct follower *follower, const char *bytes, size_t length)
{
    const struct work *work = follower->logs->plan->work;
    char *text = xstrndup(bytes, length);
    for (size_t i = 0; i < work->count; i++)
        if (strcmp(work->items[i].kind, "Secret") == 0)
            redact_secret(text, work->items[i].object);
    return text;
}

static void show_line(struct follower *follower, const char *bytes, size_t length)
{
    struct buf line = BUF_INIT;
    if (follower->lines++ >= LINES_MAX) {
        if (follower->lines == LINES_MAX + 1)
            show(follower, "(more of it: bkdeploy logs)");
        return;
    }
    char *text = redacted(follower, bytes, length);
    size_t kept = strlen(text) < LINE_SHOWN ? strlen(text) : LINE_SHOWN;
    kept -= kept && text[kept - 1] == '\r';
    shown_add(&line, text, kept);
    if (length > LINE_SHOWN)
        buf_adds(&line, "…");
    show(follower, buf_text(&line));
    buf_release(&line);
    free(text);
}

static void on_line(const char *bytes, size_t length, bool whole, void *arg)
{
    struct stream *stream = arg;
    stream->is_read = true;
    if (stream->line.len < KUBE_LINE_MAX)
        buf_add(&stream->line, bytes, length);
    if (!whole)
        return;
    show_line(stream->follower, buf_text(&stream->line), stream->line.len);
    buf_clear(&stream->line);
}

/* ---- containers ---- */

static void on_log_end(const struct kube_response *response, void *arg)
{
    struct stream *stream = arg;
    (void)response; /* one that has not begun yet is asked for again when its pod changes */
    stream->call = NULL;
    stream->follower->open--;
    stream->follower->silent = stream->follower->ending && stream->follower->open == 0;
}

static struct stream *stream_of(struct follower *follower, const char *pod, const char *container)
{
    struct stream *stream = follower->streams;
    while (stream && (strcmp(stream->pod, pod) != 0 || strcmp(stream->container, container) != 0))
        stream = stream->next;
    if (stream)
        return stream;
    stream = xcalloc(1, sizeof *stream);
    stream->follower = follower;
    stream->pod = xstrdup(pod);
    stream->container = xstrdup(container);
    stream->next = follower->streams;
    follower->streams = stream;
    return stream;
}

/* Reads what a container says, until it ends if it `runs`. */
static void read_log(struct stream *stream, bool runs)
{
    struct follower *follower = stream->follower;
    char *container = kube_object_path("", stream->container);
    char *path =
        xasprintf("/api/v1/namespaces/%s/pods/%s/log?container=%s%s", follower->item->namespace,
                  stream->pod, container + 1, runs ? "&follow=true" : "");
    struct kube_request request = {
        .method = "GET",
        .path = path,
        .accept = "*/*",
        .timeout_ms = STREAM_MS,
        .background = true,
        .line = on_line,
        .done = on_log_end,
        .arg = stream,
    };
    stream->call = kube_send(follower->logs->client, &request);
    follower->open++;
    follower->silent = false;
    free(path);
    free(container);
}

static bool has_owner(const json_t *pod, const char *uid)
{
    size_t i;
    json_t *owner;
    json_array_foreach(json_object_get(json_object_get(pod, "metadata"), "ownerReferences"), i,
                       owner) {
        if (strcmp(object_text(owner, "uid"), uid) == 0)
            return true;
    }
    return false;
}

static void look_at(struct follower *follower, const json_t *pod)
{
    static const char *const lists[] = { "initContainerStatuses", "containerStatuses" };
    if (follower->former && has_owner(pod, follower->former))
        return;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        size_t k;
        json_t *status;
        json_array_foreach(json_object_get(json_object_get(pod, "status"), lists[i]), k, status) {
            const json_t *state = json_object_get(status, "state");
            bool runs = json_object_get(state, "running") != NULL;
            if (!runs && !json_object_get(state, "terminated"))
                continue;
            struct stream *stream =
                stream_of(follower, meta_text(pod, "name"), object_text(status, "name"));
            if (!stream->call && !stream->is_read)
                read_log(stream, runs);
        }
    }
}

/* ---- pods ---- */

static void watch(struct follower *follower, long delay_ms);

static void on_event(const json_t *event, void *arg)
{
    const char *type = object_text(event, "type");
    if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
        look_at(arg, json_object_get(event, "object"));
}

static void on_watch_end(const struct kube_response *response, void *arg)
{
    struct follower *follower = arg;
    enum { FORBIDDEN = 403 };
    follower->call = NULL;
    if (response->status == FORBIDDEN)
        show(follower, "(its pods may not be listed)");
    else if (!follower->ending)
        watch(follower, AGAIN_MS);
}

/* Without a version a watch begins with all that is there, so it needs none to go on from. */
static void watch(struct follower *follower, long delay_ms)
{
    char *path = xasprintf("%s&watch=true&timeoutSeconds=300", follower->pods);
    struct kube_request request = {
        .method = "GET",
        .path = path,
        .timeout_ms = STREAM_MS,
        .delay_ms = delay_ms,
        .background = true,
        .event = on_event,
        .done = on_watch_end,
        .arg = follower,
    };
    follower->call = kube_send(follower->logs->client, &request);
    free(path);
}

/* ---- tasks ---- */

static void follow(struct task_logs *logs, size_t index)
{
    const struct work_item *item = &logs->plan->work->items[index];
    const struct survey_item *found = &logs->plan->items[index];
    struct follower *follower = xcalloc(1, sizeof *follower);
    char *query = pods_query(item->object);
    *follower = (struct follower){
        .next = logs->followers,
        .logs = logs,
        .component = item->component,
        .item = item,
        .former = found->action == SURVEY_REPLACE ? meta_text(found->live, "uid") : NULL,
        .pods = xasprintf("/api/v1/namespaces/%s/pods?%s", item->namespace, query),
    };
    free(query);
    logs->followers = follower;
    watch(follower, 0);
}

/* Follows the tasks among the items from which `wanted` says so. */
static void follow_some(struct task_logs *logs,
                        bool (*wanted)(const struct plan *plan, size_t index, size_t component),
                        size_t component)
{
    for (size_t i = 0; i < logs->plan->work->count; i++)
        if (task_is(logs->plan->work->items[i].object) && wanted(logs->plan, i, component))
            follow(logs, i);
}

static bool runs_already(const struct plan *plan, size_t index, size_t ignored)
{
    (void)ignored;
    return plan->items[index].action == SURVEY_SAME && !task_is_over(plan->items[index].live);
}

static bool is_of_component(const struct plan *plan, size_t index, size_t component)
{
    return plan->work->items[index].component == component;
}

struct task_logs *task_logs_new(struct kube_client *client, const struct plan *plan,
                                struct progress *progress)
{
    bool any = false;
    for (size_t i = 0; i < plan->work->count; i++)
        any |= task_is(plan->work->items[i].object);
    if (!any)
        return NULL;
    struct task_logs *logs = xmalloc(sizeof *logs);
    *logs = (struct task_logs){ .client = client, .plan = plan, .progress = progress };
    follow_some(logs, runs_already, 0);
    return logs;
}

void task_logs_begin(struct task_logs *logs, size_t component)
{
    if (logs)
        follow_some(logs, is_of_component, component);
}

/* The pods as they are now: what ran for a moment only may not have been told of yet. */
static void look_again(struct follower *follower)
{
    struct kube_request request = { .method = "GET", .path = follower->pods };
    struct err ignored = ERR_INIT;
    json_t *pods = NULL, *pod;
    size_t i;
    kube_ask(follower->logs->client, &request, &pods, &ignored);
    json_array_foreach(json_object_get(pods, "items"), i, pod)
        look_at(follower, pod);
    json_decref(pods);
}

void task_logs_end(struct task_logs *logs, size_t component)
{
    for (struct follower *follower = logs ? logs->followers : NULL; follower;
         follower = follower->next) {
        struct err ignored = ERR_INIT; /* an interrupt is seen by who waits next */
        if (follower->component != component || follower->ending)
            continue;
        look_again(follower);
        follower->ending = true;
        follower->silent = follower->open == 0;
        kube_idle(logs->client, -1, &follower->silent, REST_MS, &ignored);
    }
}

static void follower_free(struct follower *follower)
{
    struct kube_client *client = follower->logs->client;
    if (follower->call)
        kube_cancel(client, follower->call);
    while (follower->streams) {
        struct stream *stream = follower->streams;
        follower->streams = stream->next;
        if (stream->call)
            kube_cancel(client, stream->call);
        buf_release(&stream->line);
        free(stream->pod);
        free(stream->container);
        free(stream);
    }
    free(follower->pods);
    free(follower);
}

void task_logs_free(struct task_logs *logs)
{
    while (logs && logs->followers) {
        struct follower *follower = logs->followers;
        logs->followers = follower->next;
        follower_free(follower);
    }
    free(logs);
}
