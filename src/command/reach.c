#include "command/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/process.h"
#include "kube/http.h"
#include "kube/list.h"
#include "object/meta.h"
#include "object/redact.h"
#include "ui/shown.h"

enum {
    HTTP_TIMEOUT_MS = 10000,
    LOG_BYTES_MAX = 1 << 20,
    OUTPUT_MAX = 1 << 20,
    WORDS_MAX = 64,
    LINE_MAX_BYTES = 2000, /* of ctx.log */
    LINES_MAX = 1000,
    ENDING_MS = 50, /* between two looks at a program that prints nothing any more */
    NOT_FOUND = 404,
};

#define FIELD_MANAGER                                                                              \
    "bkdeploy-hook" /* never the apply's own: the fields are not the profile's                     \
                     */

void reach_redact(const struct reach *reach, char *message)
{
    size_t i;
    json_t *secret;
    json_array_foreach(reach->secrets, i, secret)
        redact_secret(message, secret);
}

static int too_late(const struct reach *reach, struct err *err)
{
    return err_set(err, ERR_TIMEOUT, "it is not done within %lds (hooks.timeout)",
                   reach->timeout_ms / 1000);
}

/* What is left of the hook's time, 0 at its end. */
static long time_left(const struct reach *reach)
{
    long long left = reach->deadline - clock_ms();
    return left > 0 ? (long)left : 0;
}

/* ---- the API server ---- */

struct ask {
    struct reach *reach;
    const char *api_version, *kind, *name;
    char *collection;
    bool done;
    long status;
    json_t *body;
    struct buf text; /* of a log */
    struct err err;
};

static void on_done(const struct kube_response *response, void *arg)
{
    struct ask *ask = arg;
    ask->done = true;
    ask->status = response->status;
    ask->body = json_incref(response->body);
    if (response->err)
        ask->err = *response->err;
}

/* Sends a request and waits for its answer. Returns 0 with what was answered, 1 when nothing of
 * that name is there, or -1 with err. */
static int send_and_wait(struct ask *ask, struct kube_request *request, struct err *err)
{
    struct kube_client *client = ask->reach->client;
    request->done = on_done;
    request->arg = ask;
    ask->done = false;
    ask->err = (struct err)ERR_INIT;
    struct kube_call *call = kube_send(client, request);
    int result = kube_run(client, &ask->done, time_left(ask->reach), err);
    if (!ask->done) {
        kube_cancel(client, call);
        return result < 0 ? -1 : too_late(ask->reach, err);
    }
    if (ask->status == NOT_FOUND)
        return 1;
    if (ask->err.kind == ERR_NONE)
        return 0;
    *err = ask->err;
    return -1;
}

static bool has_only(const char *text, const char *more)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    for (const char *c = text; *c; c++)
        if (!strchr(letters, *c) && !strchr(more, *c))
            return false;
    return *text != '\0';
}

static const char *namespace_of(const struct ask *ask, const json_t *request)
{
    const char *own = object_text(request, "namespace");
    return *own ? own : ask->reach->namespace;
}

/* Finds where objects of the kind are. */
static int find_collection(struct ask *ask, const json_t *request, struct err *err)
{
    struct kube_discovery *discovery = ask->reach->discovery;
    const char *namespace = namespace_of(ask, request);
    ask->api_version = object_text(request, "apiVersion");
    ask->kind = object_text(request, "kind");
    ask->name = object_text(request, "name");
    if (!has_only(ask->api_version, "./"))
        return err_set(err, ERR_FAILED, "'%s' is no apiVersion such as v1 or apps/v1",
                       ask->api_version);
    if (strcmp(namespace, "*") != 0 && !has_only(namespace, ""))
        return err_set(err, ERR_FAILED, "'%s' is no namespace", namespace);
    json_t *versions = json_pack("[s]", ask->api_version);
    int result = kube_discovery_load(discovery, versions, err);
    json_decref(versions);
    if (result != 0)
        return -1;
    ask->collection = kube_collection_path(discovery, ask->api_version, ask->kind, namespace);
    if (!ask->collection)
        return err_set(err, ERR_FAILED, "the server has no kind %s in %s", ask->kind,
                       ask->api_version);
    return 0;
}

/* Remembers what must not be told from now on. */
static void note_secret(struct reach *reach, const json_t *object)
{
    if (strcmp(object_text(object, "kind"), "Secret") == 0)
        json_array_append(reach->secrets, (json_t *)object);
}

static int get(struct ask *ask, const json_t *request, json_t **answer, struct err *err)
{
    char *path = kube_object_path(ask->collection, ask->name);
    struct kube_request get = { .method = "GET", .path = path };
    (void)request;
    int result = send_and_wait(ask, &get, err);
    free(path);
    if (result == 0) {
        note_secret(ask->reach, ask->body);
        *answer = json_incref(ask->body);
    }
    return result < 0 ? -1 : 0;
}

/* "?limit=500&labelSelector=app%3Dweb" */
static void add_query(struct buf *path, const char *labels)
{
    char *escaped = kube_object_path("", labels);
    buf_adds(path, "?limit=500");
    if (*labels)
        buf_addf(path, "&labelSelector=%s", escaped + 1);
    free(escaped);
}

/* In all namespaces: the path without "/namespaces/". */
static void widen(struct ask *ask)
{
    static const char all[] = "/namespaces/*";
    char *found = strstr(ask->collection, all);
    if (found)
        memmove(found, found + sizeof all - 1, strlen(found + sizeof all - 1) + 1);
}

static int list(struct ask *ask, const json_t *request, json_t **answer, struct err *err)
{
    struct buf path = BUF_INIT;
    size_t i;
    json_t *item, *items = json_array();
    int result = 0;
    bool more = true;
    widen(ask);
    buf_adds(&path, ask->collection);
    add_query(&path, object_text(request, "labels"));
    size_t start = path.len;
    while (more && result == 0) {
        struct kube_request get = { .method = "GET", .path = buf_text(&path) };
        result = send_and_wait(ask, &get, err);
        more = false;
        if (result == 0) {
            json_array_extend(items, json_object_get(ask->body, "items"));
            path.len = start;
            path.data[start] = '\0';
            more = kube_list_next(ask->body, &path);
        }
        json_decref(ask->body);
        ask->body = NULL;
    }
    json_array_foreach(items, i, item) {
        json_object_set_new(item, "apiVersion", json_string(ask->api_version));
        json_object_set_new(item, "kind", json_string(ask->kind));
        note_secret(ask->reach, item);
    }
    buf_release(&path);
    if (result < 0)
        json_decref(items);
    else
        *answer = items;
    return result < 0 ? -1 : 0;
}

static int patch(struct ask *ask, const json_t *request, json_t **answer, struct err *err)
{
    const char *type = object_text(request, "type");
    json_t *body = json_object_get(request, "patch");
    char *content_type =
        xasprintf("application/%s-patch+json", strcmp(type, "strategic") == 0 ? "strategic-merge"
                                               : *type                        ? type
                                                                              : "merge");
    char *path = kube_object_path(ask->collection, ask->name);
    char *whole = xasprintf("%s?fieldManager=" FIELD_MANAGER, path);
    struct kube_request patch = { .method = "PATCH",
                                  .path = whole,
                                  .content_type = content_type,
                                  .body = json_dumps(body, JSON_COMPACT) };
    if (json_is_object(body)) {
        json_t *written = json_copy(body);
        json_object_set_new(written, "kind", json_string(ask->kind));
        note_secret(ask->reach, written);
        json_decref(written);
    }
    int result = send_and_wait(ask, &patch, err);
    if (result == 0) {
        note_secret(ask->reach, ask->body);
        *answer = json_incref(ask->body);
    }
    free(whole);
    free(path);
    free(content_type);
    return result < 0 ? -1 : 0;
}

static int delete (struct ask *ask, const json_t *request, json_t **answer, struct err *err)
{
    char *path = kube_object_path(ask->collection, ask->name);
    char *whole = xasprintf("%s?propagationPolicy=Background", path);
    struct kube_request delete = { .method = "DELETE", .path = whole };
    (void)request;
    int result = send_and_wait(ask, &delete, err);
    if (result == 0)
        *answer = json_true();
    free(whole);
    free(path);
    return result < 0 ? -1 : 0;
}

static void on_line(const char *bytes, size_t length, bool whole, void *arg)
{
    struct ask *ask = arg;
    buf_add(&ask->text, bytes, length);
    if (whole)
        buf_add(&ask->text, "\n", 1);
}

static int logs(struct ask *ask, const json_t *request, json_t **answer, struct err *err)
{
    struct buf path = BUF_INIT;
    const char *container = object_text(request, "container"),
               *namespace = namespace_of(ask, request);
    const json_t *tail = json_object_get(request, "tail");
    if (!has_only(namespace, ""))
        return err_set(err, ERR_FAILED, "'%s' is no namespace", namespace);
    char *collection = xasprintf("/api/v1/namespaces/%s/pods", namespace);
    char *pod = kube_object_path(collection, object_text(request, "pod"));
    char *escaped = kube_object_path("", container);
    buf_addf(&path, "%s/log?limitBytes=%d", pod, LOG_BYTES_MAX);
    if (*container)
        buf_addf(&path, "&container=%s", escaped + 1);
    if (tail)
        buf_addf(&path, "&tailLines=%lld", (long long)json_integer_value(tail));
    if (json_is_true(json_object_get(request, "previous")))
        buf_adds(&path, "&previous=true");
    free(escaped);
    free(pod);
    free(collection);
    struct kube_request get = {
        .method = "GET", .path = buf_text(&path), .accept = "*/*", .line = on_line
    };
    ask->text.max = LOG_BYTES_MAX + 1;
    int result = send_and_wait(ask, &get, err);
    if (result == 0)
        *answer = json_stringn_nocheck(buf_text(&ask->text), ask->text.len);
    buf_release(&path);
    return result < 0 ? -1 : 0;
}

static int ask_kube(struct reach *reach, const char *verb, const json_t *request, json_t **answer,
                    struct err *err)
{
    static const struct {
        const char *name;
        int (*run)(struct ask *ask, const json_t *request, json_t **answer, struct err *err);
        bool of_kind;
    } verbs[] = {
        { "get", get, true },       { "list", list, true },  { "patch", patch, true },
        { "delete", delete, true }, { "logs", logs, false },
    };
    struct ask ask = { .reach = reach, .text = BUF_INIT };
    int result = -1;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, verb) != 0)
            continue;
        result = verbs[i].of_kind ? find_collection(&ask, request, err) : 0;
        if (result == 0)
            result = verbs[i].run(&ask, request, answer, err);
    }
    free(ask.collection);
    json_decref(ask.body);
    buf_release(&ask.text);
    return result;
}

/* ---- other hosts ---- */

static bool has_header(const json_t *headers, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)headers, key, value) {
        if (strcasecmp(key, name) == 0)
            return true;
    }
    return false;
}

static json_t *answer_of(const struct http_answer *got)
{
    const char *type = json_string_value(json_object_get(got->headers, "content-type"));
    json_t *answer = json_pack("{s:I, s:b, s:O, s:o}", "status", (json_int_t)got->status, "ok",
                               got->status >= 200 && got->status <= 299, "headers", got->headers,
                               "body", json_stringn_nocheck(buf_text(&got->body), got->body.len));
    json_t *value = type && strcasestr(type, "json")
                        ? json_loadb(buf_text(&got->body), got->body.len,
                                     JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                        : NULL;
    if (value)
        json_object_set_new(answer, "json", value);
    return answer;
}

static int ask_http(struct reach *reach, const json_t *request, json_t **answer, struct err *err)
{
    const json_t *timeout = json_object_get(request, "timeout");
    const char *method = object_text(request, "method"), *ca = object_text(request, "ca");
    json_t *value = json_object_get(request, "json"),
           *headers = json_deep_copy(json_object_get(request, "headers"));
    const json_t *text = json_object_get(request, "body");
    char *body = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS)
                       : xstrdup(object_text(request, "body"));
    long wait = timeout ? 1000 * (long)json_integer_value(timeout) : HTTP_TIMEOUT_MS,
         left = time_left(reach);
    if (!headers)
        headers = json_object();
    if ((value || text) && !has_header(headers, "content-type"))
        json_object_set_new(headers, "Content-Type",
                            json_string(value ? "application/json" : "text/plain; charset=utf-8"));
    struct http_request wanted = {
        .method = *method ? method : "GET",
        .url = object_text(request, "url"),
        .headers = headers,
        .body = value || text ? body : NULL,
        .body_length = value || text ? strlen(body) : 0,
        .ca_pem = *ca ? ca : NULL,
        .timeout_ms = wait < left ? wait : left,
        .allow_plain = reach->allow_http,
    };
    struct http_answer got = { .status = 0 };
    int result = left ? http_fetch(reach->client, &wanted, &got, err) : too_late(reach, err);
    if (result == 0)
        *answer = answer_of(&got);
    http_answer_release(&got);
    xfree_secret(body);
    json_decref(headers);
    return result;
}

/* ---- programs ---- */

/* Reads what it prints, and waits for its end. */
static int read_output(struct reach *reach, struct process *process, struct buf *out,
                       struct err *err)
{
    int result = 1;
    while (result > 0) {
        int waited = kube_idle(reach->client, process->fd, NULL, time_left(reach), err);
        if (waited != 0)
            return waited < 0 ? -1 : too_late(reach, err);
        result = process_read(process, out, err);
    }
    while (result == 0 && !process_is_over(process)) {
        if (!time_left(reach))
            return too_late(reach, err);
        if (kube_idle(reach->client, -1, NULL, ENDING_MS, err) < 0)
            return -1;
    }
    return result;
}

static int ask_run(struct reach *reach, const json_t *request, json_t **answer, struct err *err)
{
    const json_t *words = json_object_get(request, "words");
    const char *argv[WORDS_MAX + 1] = { NULL };
    struct buf out = { .max = OUTPUT_MAX };
    struct process process;
    if (!reach->allow_exec)
        return err_set(err, ERR_FAILED, "ctx.run: programs are run with --allow-exec only");
    if (json_array_size(words) > WORDS_MAX)
        return err_set(err, ERR_FAILED, "ctx.run: more than %d words", WORDS_MAX);
    for (size_t i = 0; i < json_array_size(words); i++)
        argv[i] = json_string_value(json_array_get(words, i));
    if (process_start(&process, argv, err) != 0)
        return -1;
    int result = read_output(reach, &process, &out, err);
    process_stop(&process);
    if (result == 0)
        result = process_result(&process, err);
    if (result == 0)
        *answer = json_stringn_nocheck(buf_text(&out), out.len);
    if (out.data)
        explicit_bzero(out.data, out.len);
    buf_release(&out);
    return result;
}

/* ---- the terminal, the clock ---- */

static void tell_line(struct reach *reach, const char *text, size_t length)
{
    struct buf line = BUF_INIT;
    if (reach->lines++ >= LINES_MAX) {
        if (reach->lines == LINES_MAX + 1)
            reach->tell("(more of it is left out)", reach->tell_arg);
        return;
    }
    shown_add(&line, text, length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES);
    if (length > LINE_MAX_BYTES)
        buf_addf(&line, "… (%zu more bytes)", length - LINE_MAX_BYTES);
    reach->tell(buf_text(&line), reach->tell_arg);
    buf_release(&line);
}

static int ask_log(struct reach *reach, const json_t *request)
{
    const json_t *text = json_object_get(request, "text");
    char *whole = xstrndup(json_string_value(text), json_string_length(text));
    reach_redact(reach, whole);
    for (const char *line = whole;; line++) {
        size_t length = strcspn(line, "\n");
        tell_line(reach, line, length);
        line += length;
        if (!*line)
            break;
    }
    free(whole);
    return 0;
}

static int ask_sleep(struct reach *reach, const json_t *request, struct err *err)
{
    double wanted = 1000 * json_number_value(json_object_get(request, "seconds"));
    long left = time_left(reach);
    bool is_too_long = wanted > (double)left;
    if (kube_idle(reach->client, -1, NULL, is_too_long ? left : (long)wanted, err) < 0)
        return -1;
    return is_too_long ? too_late(reach, err) : 0;
}

int reach_ask(const char *what, const json_t *request, json_t **answer, void *arg, struct err *err)
{
    struct reach *reach = arg;
    if (strncmp(what, "kube.", 5) == 0)
        return ask_kube(reach, what + 5, request, answer, err);
    if (strcmp(what, "http") == 0)
        return ask_http(reach, request, answer, err);
    if (strcmp(what, "run") == 0)
        return ask_run(reach, request, answer, err);
    if (strcmp(what, "sleep") == 0)
        return ask_sleep(reach, request, err);
    return ask_log(reach, request);
}
