#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "command/command.h"
#include "command/session.h"
#include "kube/discovery.h"
#include "kube/list.h"
#include "kube/watch.h"
#include "object/meta.h"
#include "release/pods.h"
#include "ui/shown.h"
#include "ui/terminal.h"

enum {
    TAIL_DEFAULT = 10,       /* as kubectl's for a selector */
    LINE_SHOWN = 10000,      /* bytes of a line */
    GATHERED_MAX = 64 << 20, /* bytes that are put in the order of time */
    STREAM_MS = 330000,      /* then it is asked for anew: one that fell silent may be dead */
    AGAIN_MS = 1000,         /* until a stream that has ended is asked for again */
    AGAIN_MAX_MS = 10000,
    HTTP_BAD_REQUEST = 400,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
};

/* One container of a pod. */
struct stream {
    struct stream *next;
    struct logs *logs;
    const char *component;
    char *namespace, *pod, *container, *uid;
    char *instance; /* which run of the container is read; "": none yet */
    size_t colour;
    struct kube_call *call; /* while it is read */
    bool runs;              /* as its pod said last */
    bool gone;              /* the pod is deleted */
    bool noted;             /* that it can't be read */
    bool from_start;        /* it came up while others were followed */
    long again_ms;
    long long last;    /* nanoseconds since 1970 of the last line; 0: none yet */
    char *since;       /* the same as text */
    size_t last_count; /* lines of that very time */
    size_t skip;       /* of those, how many are still to come again */
    struct buf line;   /* the beginning of a line that has not ended */
    size_t line_bytes; /* of all of it */
};

/* Pods that one object of a component has. */
struct source {
    struct logs *logs;
    const char *component, *namespace;
    char *path;
    struct kube_watch *watch;
    bool listed;
};

/* A line that waits to be put in order. */
struct gathered {
    long long time;
    size_t number;
    char *text;
};

struct logs {
    const struct options *options;
    struct kube_client *client;
    struct source *sources;
    size_t source_count;
    struct stream *streams;
    size_t stream_count;
    bool colour, over;
    struct gathered *lines;
    size_t line_count, line_size, line_bytes;
    bool refused; /* some pods may not be listed; that was told */
    struct err err;
};

/* ---- output ---- */

static void put(struct logs *logs, const char *text)
{
    if (fputs(text, stdout) < 0 || putchar('\n') < 0) {
        err_set(&logs->err, ERR_FAILED, "cannot write to standard output");
        logs->over = true;
    }
}

static int compare_lines(const void *a, const void *b)
{
    const struct gathered *one = a, *other = b;
    if (one->time != other->time)
        return one->time < other->time ? -1 : 1;
    return one->number < other->number ? -1 : 1;
}

static void put_gathered(struct logs *logs)
{
    if (logs->line_count)
        qsort(logs->lines, logs->line_count, sizeof *logs->lines, compare_lines);
    for (size_t i = 0; i < logs->line_count; i++) {
        if (!logs->over)
            put(logs, logs->lines[i].text);
        free(logs->lines[i].text);
    }
    logs->line_count = logs->line_bytes = 0;
}

static void gather(struct logs *logs, long long time, char *text)
{
    if (logs->line_bytes > GATHERED_MAX)
        put_gathered(logs);
    if (logs->line_count == logs->line_size) {
        logs->line_size = logs->line_size ? 2 * logs->line_size : 256;
        logs->lines = xrealloc(logs->lines, logs->line_size * sizeof *logs->lines);
    }
    logs->lines[logs->line_count] = (struct gathered){ time, logs->line_count, text };
    logs->line_count++;
    logs->line_bytes += strlen(text) + sizeof *logs->lines;
}

static char *json_line(const struct stream *stream, const char *time, const char *bytes,
                       size_t length, size_t cut)
{
    struct buf text = BUF_INIT;
    shown_add_utf8(&text, bytes, length);
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "component", stream->component, "pod",
                             stream->pod, "container", stream->container, "time", time);
    json_object_set_new(line, "line", json_stringn(buf_text(&text), text.len));
    if (cut)
        json_object_set_new(line, "cut", json_integer((json_int_t)cut));
    buf_release(&text);
    return feed_text("log", line);
}

static char *plain_line(const struct stream *stream, const char *bytes, size_t length, size_t cut)
{
    static const char *const colours[] = { "36", "33", "32", "35", "34", "31" };
    struct buf out = BUF_INIT;
    bool colour = stream->logs->colour;
    if (colour)
        buf_addf(&out, "\x1b[%sm", colours[stream->colour % (sizeof colours / sizeof *colours)]);
    buf_addf(&out, "%s/%s %s │%s ", stream->component, stream->pod, stream->container,
             colour ? "\x1b[0m" : "");
    shown_add(&out, bytes, length);
    if (cut)
        buf_addf(&out, "… (%zu more bytes)", cut);
    return buf_detach(&out);
}

static bool is_repeated(struct stream *stream, long long time)
{
    if (time <= 0)
        return false;
    if (time < stream->last)
        return stream->skip > 0; /* a second is the finest that can be asked for */
    if (time == stream->last && stream->skip > 0) {
        stream->skip--;
        return true;
    }
    stream->skip = 0;
    return false;
}

static void end_line(struct stream *stream)
{
    struct logs *logs = stream->logs;
    const char *bytes = buf_text(&stream->line);
    size_t length = stream->line.len, stamp = 0, cut = stream->line_bytes - length;
    long long time = moment_parse(bytes, &stamp);
    if (time < 0 || (stamp < length && bytes[stamp] != ' ')) {
        time = 0; /* not of the kubelet: what it says about a file that it can't read */
        stamp = 0;
    }
    if (is_repeated(stream, time))
        return;
    char *moment = xstrndup(bytes, stamp);
    size_t skipped = stamp + (stamp > 0 && stamp < length);
    bytes += skipped;
    length -= skipped;
    length -= !cut && length && bytes[length - 1] == '\r';
    if (time > 0) {
        stream->last_count = time == stream->last ? stream->last_count + 1 : 1;
        stream->last = time;
        free(stream->since);
        stream->since = xstrdup(moment);
    }
    stream->again_ms = AGAIN_MS;
    char *text = logs->options->output ? json_line(stream, moment, bytes, length, cut)
                                       : plain_line(stream, bytes, length, cut);
    free(moment);
    if (logs->options->follow) {
        put(logs, text);
        free(text);
    } else {
        gather(logs, time ? time : stream->last, text);
    }
}

static void on_line(const char *bytes, size_t length, bool whole, void *arg)
{
    struct stream *stream = arg;
    enum { STAMP = 64 };
    size_t room = LINE_SHOWN + STAMP - stream->line.len;
    buf_add(&stream->line, bytes, length < room ? length : room);
    stream->line_bytes += length;
    if (!whole || stream->logs->over)
        return;
    /* The stamp doesn't count. */
    size_t stamp = 0;
    moment_parse(buf_text(&stream->line), &stamp);
    if (stream->line.len > LINE_SHOWN + stamp + 1)
        stream->line.len = LINE_SHOWN + stamp + 1;
    end_line(stream);
    buf_clear(&stream->line);
    stream->line_bytes = 0;
}

/* ---- one container ---- */

static void note(struct stream *stream, const char *what)
{
    struct buf text = BUF_INIT;
    if (stream->noted)
        return;
    stream->noted = true;
    shown_add(&text, what, strlen(what));
    fprintf(stderr, "%s/%s %s: no logs: %s\n", stream->component, stream->pod, stream->container,
            buf_text(&text));
    buf_release(&text);
}

static void open_stream(struct stream *stream, long delay_ms);

static void on_end(const struct kube_response *response, void *arg)
{
    struct stream *stream = arg;
    const struct options *options = stream->logs->options;
    bool refused = response->status == HTTP_FORBIDDEN || response->status == HTTP_NOT_FOUND;
    stream->call = NULL;
    if (response->err && (!options->follow || response->status == HTTP_FORBIDDEN))
        note(stream, response->err->message);
    if (!options->follow || stream->gone || refused)
        return;
    if (response->status == HTTP_BAD_REQUEST) { /* not started yet: its pod will tell */
        free(stream->instance);
        stream->instance = xstrdup("");
        return;
    }
    bool broke = response->status == 0; /* what it had to say may not have come */
    if (!stream->runs && !broke)
        return;
    long delay = stream->again_ms;
    stream->again_ms = 2 * delay < AGAIN_MAX_MS ? 2 * delay : AGAIN_MAX_MS;
    open_stream(stream, delay);
}

/* "&tailLines=10&sinceSeconds=600": where to begin. */
static void add_beginning(const struct stream *stream, struct buf *path)
{
    const struct options *options = stream->logs->options;
    if (stream->since) {
        char *escaped = kube_object_path("", stream->since);
        buf_addf(path, "&sinceTime=%s", escaped + 1);
        free(escaped);
        return;
    }
    if (stream->from_start)
        return;
    if (options->since_ms)
        buf_addf(path, "&sinceSeconds=%ld", (options->since_ms + 999) / 1000);
    if (options->tail && strcmp(options->tail, "all") != 0)
        buf_addf(path, "&tailLines=%s", options->tail);
    else if (!options->tail && !options->since_ms)
        buf_addf(path, "&tailLines=%d", TAIL_DEFAULT);
}

static void open_stream(struct stream *stream, long delay_ms)
{
    const struct options *options = stream->logs->options;
    struct buf path = BUF_INIT;
    char *container = kube_object_path("", stream->container);
    buf_addf(&path, "/api/v1/namespaces/%s/pods/%s/log?timestamps=true&container=%s%s%s",
             stream->namespace, stream->pod, container + 1, options->follow ? "&follow=true" : "",
             options->previous ? "&previous=true" : "");
    free(container);
    add_beginning(stream, &path);
    stream->skip = stream->since ? stream->last_count : 0;
    struct kube_request request = {
        .method = "GET",
        .path = buf_text(&path),
        .accept = "*/*",
        .timeout_ms = STREAM_MS,
        .delay_ms = delay_ms,
        .line = on_line,
        .done = on_end,
        .arg = stream,
    };
    stream->call = kube_send(stream->logs->client, &request);
    buf_release(&path);
}

static struct stream *find_stream(struct logs *logs, const char *uid, const char *container)
{
    struct stream *stream = logs->streams;
    while (stream && (strcmp(stream->uid, uid) != 0 || strcmp(stream->container, container) != 0))
        stream = stream->next;
    return stream;
}

static struct stream *new_stream(struct source *source, const json_t *pod, const char *container)
{
    struct logs *logs = source->logs;
    struct stream *stream = xcalloc(1, sizeof *stream);
    *stream = (struct stream){
        .logs = logs,
        .component = source->component,
        .namespace = xstrdup(source->namespace),
        .pod = xstrdup(meta_text(pod, "name")),
        .container = xstrdup(container),
        .uid = xstrdup(meta_text(pod, "uid")),
        .instance = xstrdup(""),
        .again_ms = AGAIN_MS,
    };
    const struct stream *last = logs->streams;
    bool same = last && strcmp(last->uid, stream->uid) == 0; /* a colour for each pod */
    stream->colour = last ? last->colour + !same : 0;
    stream->next = logs->streams;
    logs->streams = stream;
    logs->stream_count++;
    return stream;
}

static void stream_free(struct stream *stream)
{
    free(stream->namespace);
    free(stream->pod);
    free(stream->container);
    free(stream->uid);
    free(stream->instance);
    free(stream->since);
    buf_release(&stream->line);
    free(stream);
}

/* ---- pods ---- */

static const char *const status_lists[] = { "initContainerStatuses", "containerStatuses",
                                            "ephemeralContainerStatuses" };

/* Calls `each` for the containers of a pod that are wanted, with their status. */
static void each_container(struct source *source, const json_t *pod,
                           void (*each)(struct source *, const json_t *, const json_t *))
{
    const json_t *pod_status = json_object_get(pod, "status");
    const char *wanted = source->logs->options->container;
    for (size_t i = 0; i < sizeof status_lists / sizeof *status_lists; i++) {
        size_t k;
        json_t *status;
        json_array_foreach(json_object_get(pod_status, status_lists[i]), k, status) {
            const char *name = json_string_value(json_object_get(status, "name"));
            if (name && (!wanted || strcmp(wanted, name) == 0))
                each(source, pod, status);
        }
    }
}

/* Whether a run of the container has begun; `runs`: and has not ended. */
static bool has_started(const json_t *status, bool *runs)
{
    const json_t *state = json_object_get(status, "state");
    *runs = json_object_get(state, "running") != NULL;
    return *runs || json_object_get(state, "terminated");
}

/* Reads a container to its end. */
static void read_container(struct source *source, const json_t *pod, const json_t *status)
{
    struct logs *logs = source->logs;
    const char *name = json_string_value(json_object_get(status, "name"));
    if (logs->over || find_stream(logs, meta_text(pod, "uid"), name))
        return;
    struct stream *stream = new_stream(source, pod, name);
    open_stream(stream, 0);
    if (kube_run(logs->client, &logs->over, -1, &logs->err) != 0)
        logs->over = true;
}

/* Begins with a container, or goes on with its next run. */
static void follow_container(struct source *source, const json_t *pod, const json_t *status)
{
    struct logs *logs = source->logs;
    const char *name = json_string_value(json_object_get(status, "name"));
    const char *id = json_string_value(json_object_get(status, "containerID"));
    bool runs, started = has_started(status, &runs);
    struct stream *stream = find_stream(logs, meta_text(pod, "uid"), name);
    if (stream)
        stream->runs = runs;
    if (!started)
        return;
    char *instance =
        xasprintf("%s %lld", id ? id : "",
                  (long long)json_integer_value(json_object_get(status, "restartCount")));
    if (!stream) {
        stream = new_stream(source, pod, name);
        stream->from_start = source->listed;
        stream->runs = runs;
    }
    if (!stream->call && strcmp(stream->instance, instance) != 0) {
        free(stream->instance);
        stream->instance = instance;
        open_stream(stream, 0);
        return;
    }
    free(instance);
}

static void on_pod(const json_t *pod, bool deleted, void *arg)
{
    struct source *source = arg;
    struct logs *logs = source->logs;
    if (logs->over)
        return;
    if (!deleted) {
        each_container(source, pod, follow_container);
        return;
    }
    for (struct stream *stream = logs->streams; stream; stream = stream->next)
        if (strcmp(stream->pod, meta_text(pod, "name")) == 0 &&
            strcmp(stream->namespace, source->namespace) == 0)
            stream->gone = true;
}

static void on_pods_listed(void *arg)
{
    struct source *source = arg;
    source->listed = true;
}

static void on_pods_failed(const struct err *err, void *arg)
{
    struct source *source = arg;
    source->logs->err = *err;
    source->logs->over = true;
}

/* ---- sources ---- */

static bool has_source(const struct logs *logs, const char *component, const char *path)
{
    for (size_t i = 0; i < logs->source_count; i++)
        if (strcmp(logs->sources[i].component, component) == 0 &&
            strcmp(logs->sources[i].path, path) == 0)
            return true;
    return false;
}

static void add_source(struct logs *logs, const char *component, const struct work_item *item)
{
    char *query = pods_query(item->object);
    if (!query)
        return;
    char *path = xasprintf("/api/v1/namespaces/%s/pods?%s", item->namespace, query);
    free(query);
    if (has_source(logs, component, path)) {
        free(path);
        return;
    }
    logs->sources = xrealloc(logs->sources, (logs->source_count + 1) * sizeof *logs->sources);
    logs->sources[logs->source_count++] = (struct source){
        .logs = logs, .component = component, .namespace = item->namespace, .path = path
    };
}

static int add_sources(struct logs *logs, const struct work *work, const char *component,
                       struct err *err)
{
    const struct profile *profile = work->profile;
    struct buf names = BUF_INIT;
    bool known = false;
    for (size_t i = 0; i < profile->count; i++) {
        known |= component && strcmp(profile->components[i].name, component) == 0;
        buf_addf(&names, "%s%s", names.len ? ", " : "", profile->components[i].name);
    }
    for (size_t i = 0; i < work->count; i++) {
        const char *name = profile->components[work->items[i].component].name;
        if (!component || strcmp(component, name) == 0)
            add_source(logs, name, &work->items[i]);
    }
    int result = 0;
    if (component && !known)
        result = err_set(err, ERR_USAGE, "'%s' has no component '%s'; it has: %s", profile->name,
                         component, buf_text(&names));
    else if (logs->source_count == 0)
        result = err_set(err, ERR_USAGE, "'%s' has no pods%s%s%s", profile->name,
                         component ? " of component '" : "", component ? component : "",
                         component ? "'" : "");
    buf_release(&names);
    return result;
}

/* The pods as they are now; NULL when they can't be told, with a note where that is no error. */
static json_t *list_pods(struct source *source, struct err *err)
{
    json_t *pods = NULL;
    struct err refusal = ERR_INIT;
    long status = kube_list(source->logs->client, source->path, NULL, &pods, &refusal);
    if (status == 200)
        return pods;
    source->logs->refused |= status == HTTP_FORBIDDEN;
    if (status == HTTP_FORBIDDEN)
        fprintf(stderr, "%s: no logs: %s\n", source->component, refusal.message);
    else
        *err = refusal;
    return NULL;
}

static int read_all(struct logs *logs, struct err *err)
{
    for (size_t i = 0; i < logs->source_count && !logs->over; i++) {
        json_t *pods = list_pods(&logs->sources[i], &logs->err), *pod;
        size_t k;
        json_array_foreach(pods, k, pod)
            each_container(&logs->sources[i], pod, read_container);
        json_decref(pods);
        logs->over |= logs->err.kind != ERR_NONE;
    }
    if (logs->err.kind == ERR_NONE)
        put_gathered(logs);
    if (logs->err.kind == ERR_NONE && logs->stream_count == 0 && !logs->refused)
        fprintf(stderr, "no containers to read the logs of\n");
    *err = logs->err;
    return logs->err.kind == ERR_NONE ? 0 : -1;
}

static int follow_all(struct logs *logs, struct err *err)
{
    size_t watched = 0;
    for (size_t i = 0; i < logs->source_count; i++) {
        struct source *source = &logs->sources[i];
        json_t *pods = list_pods(source, &logs->err);
        if (logs->err.kind != ERR_NONE)
            break;
        if (pods) {
            source->watch =
                kube_watch_new(logs->client, source->path, NULL, on_pod, on_pods_failed, source);
            kube_watch_on_list(source->watch, on_pods_listed);
            watched++;
        }
        json_decref(pods);
    }
    int result = 0;
    if (logs->err.kind == ERR_NONE && watched)
        result = kube_run(logs->client, &logs->over, -1, err);
    for (size_t i = 0; i < logs->source_count; i++)
        kube_watch_free(logs->sources[i].watch);
    if (result < 0 && err->kind == ERR_INTERRUPTED)
        return err_exit_code(ERR_INTERRUPTED); /* as it is meant to end */
    if (logs->err.kind == ERR_NONE)
        return result < 0 ? -1 : 0;
    *err = logs->err;
    return -1;
}

static void logs_release(struct logs *logs)
{
    while (logs->streams) {
        struct stream *stream = logs->streams;
        logs->streams = stream->next;
        if (stream->call)
            kube_cancel(logs->client, stream->call);
        stream_free(stream);
    }
    for (size_t i = 0; i < logs->source_count; i++)
        free(logs->sources[i].path);
    for (size_t i = 0; i < logs->line_count; i++)
        free(logs->lines[i].text);
    free(logs->lines);
    free(logs->sources);
}

static int check_options(const struct options *options, struct err *err)
{
    const char *tail = options->tail;
    if (tail && strcmp(tail, "all") != 0 &&
        (!*tail || strlen(tail) > 9 || tail[strspn(tail, "0123456789")]))
        return err_set(err, ERR_USAGE, "--tail wants a number of lines or all, not '%s'", tail);
    if (options->previous && options->follow)
        return err_set(err, ERR_USAGE, "--previous has ended: there is nothing to --follow");
    return 0;
}

int command_logs(const struct options *options, struct err *err)
{
    struct session session;
    struct logs logs = { .options = options, .err = ERR_INIT };
    if (check_options(options, err) != 0 || session_open_any(&session, options, err) != 0)
        return -1;
    logs.client = session.client;
    logs.colour = terminal_colour(stdout);
    if (options->follow)
        setvbuf(stdout, NULL, _IOLBF, 0);
    int result =
        add_sources(&logs, &session.work, options->words_count ? options->words[0] : NULL, err);
    if (result == 0)
        result = options->follow ? follow_all(&logs, err) : read_all(&logs, err);
    if (result == 0 && fflush(stdout) != 0)
        result = err_set(err, ERR_FAILED, "cannot write to standard output");
    logs_release(&logs);
    session_close(&session);
    return result;
}
