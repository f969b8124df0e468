#include "release/status.h"

#include <stdlib.h>

#include "base/mem.h"
#include "release/write.h"

struct run {
    const struct work *work;
    size_t pending;
    bool finished;
    struct err err;
};

struct question {
    struct run *run;
    size_t index;
    struct status_row *row;
};

static void on_object(const struct kube_response *response, void *arg)
{
    struct question *question = arg;
    struct run *run = question->run;
    run->finished = --run->pending == 0;
    if (response->status == 404)
        return;
    if (response->err) {
        if (run->err.kind != ERR_NONE)
            return;
        run->err = *response->err;
        write_error(run->work, &run->work->items[question->index], &run->err);
        return;
    }
    question->row->exists = true;
    verdict_of(response->body, &question->row->verdict);
}

int status_run(struct kube_client *client, const struct work *work, struct status_row *rows,
               struct err *err)
{
    struct run run = { .work = work, .err = ERR_INIT };
    struct question *questions = xcalloc(work->count, sizeof *questions);
    for (size_t i = 0; i < work->count; i++) {
        questions[i] = (struct question){ &run, i, &rows[i] };
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
    free(questions);
    if (result == 0 && run.err.kind != ERR_NONE) {
        *err = run.err;
        result = -1;
    }
    return result;
}
