#include "release/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "release/write.h"

enum { HTTP_FORBIDDEN = 403 };

struct run {
    struct kube_client *client;
    const struct work *work;
    bool (*own)(const struct work_item *item, const json_t *object, struct verdict *verdict,
                void *arg);
    void *arg;
    size_t pending;
    bool finished;
    struct err err;
};

struct question {
    struct run *run;
    size_t index;
    struct status_row *row;
    json_t *claim;       /* while its StorageClass is asked for */
    const json_t *class; /* its StorageClass */
};

static bool ask_own(const json_t *object, struct verdict *verdict, void *arg)
{
    const struct question *question = arg;
    const struct run *run = question->run;
    return run->own(&run->work->items[question->index], object, verdict, run->arg);
}

static const json_t *find_class(const char *group, const char *kind, const char *name, void *arg)
{
    const struct question *question = arg;
    (void)group;
    (void)kind;
    (void)name;
    return question->class;
}

static void judge(struct question *question, const json_t *object)
{
    struct verdict_extra extra = { question->run->own ? ask_own : NULL, find_class, question };
    verdict_with(object, &extra, &question->row->verdict);
}

static void on_class(const struct kube_response *response, void *arg)
{
    struct question *question = arg;
    question->run->finished = --question->run->pending == 0;
    question->class = response->err ? NULL : response->body;
    judge(question, question->claim);
    question->class = NULL;
}

/* A claim that is not bound may wait for its first consumer: its StorageClass tells. */
static void ask_for_class(struct question *question, const json_t *object)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(object, "spec"), "storageClassName"));
    if (strcmp(question->row->verdict.reason, "NotBound") != 0 || !name || !*name)
        return;
    char *path = xasprintf("/apis/storage.k8s.io/v1/storageclasses/%s", name);
    struct kube_request request = {
        .method = "GET", .path = path, .done = on_class, .arg = question
    };
    question->claim = json_incref((json_t *)object);
    question->run->pending++;
    question->run->finished = false;
    kube_send(question->run->client, &request);
    free(path);
}

static void on_object(const struct kube_response *response, void *arg)
{
    struct question *question = arg;
    struct run *run = question->run;
    run->finished = --run->pending == 0;
    if (response->status == 404)
        return;
    if (response->err) {
        question->row->hidden = response->status == HTTP_FORBIDDEN;
        if (run->err.kind != ERR_NONE)
            return;
        run->err = *response->err;
        write_error(run->work, &run->work->items[question->index], &run->err);
        return;
    }
    question->row->exists = true;
    judge(question, response->body);
    ask_for_class(question, response->body);
}

int status_run(struct kube_client *client, const struct work *work,
               bool (*own)(const struct work_item *item, const json_t *object,
                           struct verdict *verdict, void *arg),
               void *arg, struct status_row *rows, struct err *err)
{
    struct run run = { .client = client, .work = work, .own = own, .arg = arg, .err = ERR_INIT };
    struct question *questions = xcalloc(work->count, sizeof *questions);
    for (size_t i = 0; i < work->count; i++) {
        questions[i] = (struct question){ .run = &run, .index = i, .row = &rows[i] };
        if (!work->items[i].path) /* its CRD is not there, so it can't be either */
            continue;
        struct kube_request request = {
            .method = "GET",
            .path = work->items[i].path,
            .done = on_object,
            .arg = &questions[i],
        };
        run.pending++;
        kube_send(client, &request);
    }
    int result = run.pending ? kube_run(client, &run.finished, -1, err) : 0;
    if (result != 0)
        kube_drain(client, 0);
    for (size_t i = 0; i < work->count; i++)
        json_decref(questions[i].claim);
    free(questions);
    if (result == 0 && run.err.kind != ERR_NONE) {
        *err = run.err;
        result = -1;
    }
    return result;
}

const char *status_word(const struct status_row *row)
{
    if (!row->exists)
        return "missing";
    switch (row->verdict.state) {
    case VERDICT_CURRENT: return "ready";
    case VERDICT_IN_PROGRESS:
    case VERDICT_TERMINATING:
    case VERDICT_UNKNOWN: return "rolling";
    case VERDICT_FAILED: return "failed";
    case VERDICT_GONE: return "missing";
    }
    return "";
}
