#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/readiness.h"
#include "command/session.h"
#include "command/target.h"
#include "object/topology.h"
#include "release/status.h"
#include "ui/graph.h"

static int print(const json_t *topology, const char *format, struct err *err)
{
    struct buf out = BUF_INIT;
    if (format && strcmp(format, "json") == 0) {
        char *text = json_dumps(topology, JSON_INDENT(2));
        buf_addf(&out, "%s\n", text);
        free(text);
    } else if (format && strcmp(format, "dot") == 0) {
        graph_dot(topology, &out);
    } else {
        graph_mermaid(topology, &out);
    }
    bool written = fwrite(buf_text(&out), 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_release(&out);
    return written ? 0 : err_set(err, ERR_FAILED, "cannot write to standard output");
}

static bool ask_profile(const struct work_item *item, const json_t *object, struct verdict *verdict,
                        void *arg)
{
    const struct session *session = arg;
    struct readiness readiness = { .script = session->script };
    return readiness_of(&readiness, item, object, verdict);
}

/* Notes how each object stands; what may not be read is "unknown", with one note for all. Returns
 * 0, or -1 with err. */
static int colour(json_t *topology, struct session *session, struct err *err)
{
    const struct work *work = &session->work;
    struct status_row *rows = xcalloc(work->count, sizeof *rows);
    size_t hidden = 0;
    int result = status_run(session->client, work, ask_profile, session, rows, err);
    for (size_t i = 0; i < work->count; i++) {
        const struct status_row *row = &rows[i];
        hidden += row->hidden;
        topology_mark(topology, i, row->hidden ? "unknown" : status_word(row),
                      row->hidden   ? "may not be read"
                      : row->exists ? row->verdict.message
                                    : "");
    }
    if (result != 0 && hidden && err->kind == ERR_UNREACHABLE) {
        fprintf(stderr, "%zu object%s without a status: %s\n", hidden, hidden == 1 ? "" : "s",
                err->message);
        result = 0;
    }
    free(rows);
    return result;
}

static int draw_live(const struct options *options, struct err *err)
{
    struct session session;
    if (session_open_any(&session, options, err) != 0)
        return -1;
    json_t *topology = topology_make(&session.profile);
    int result = colour(topology, &session, err);
    if (result == 0)
        result = print(topology, options->output, err);
    json_decref(topology);
    session_close(&session);
    return result;
}

int command_graph(const struct options *options, struct err *err)
{
    struct profile profile;
    if (options->live || !target_is_profile(options->script.path))
        return draw_live(options, err);
    if (script_eval(&options->script, &profile, err) != 0)
        return -1;
    json_t *topology = topology_make(&profile);
    int result = print(topology, options->output, err);
    json_decref(topology);
    profile_release(&profile);
    return result;
}
