#include "command/report_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/git.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/who.h"
#include "command/show.h"
#include "object/meta.h"
#include "object/topology.h"
#include "ui/page.h"
#include "ui/shown.h"
#include "ui/timeline.h"

struct report_page {
    const char *file;
    const struct options *options;
    json_t *page;
    struct timeline *timeline;
    long long start, rollout, rolled; /* clock_ms(); 0: not yet */
};

static void set_text(struct report_page *report, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(report->page, key, shown_string(text));
}

int report_page_open(struct report_page **report, const char *command,
                     const struct options *options, struct err *err)
{
    *report = NULL;
    if (!options->report)
        return 0;
    if (file_can_replace(options->report, err) != 0)
        return err_wrap(err, "--report");
    struct report_page *made = xcalloc(1, sizeof *made);
    char *now = moment_now(), *who = who_am_i();
    *made = (struct report_page){
        .file = options->report, .options = options, .page = json_object(), .start = clock_ms()
    };
    set_text(made, "command", command);
    set_text(made, "version", command_version());
    set_text(made, "path", options->script.path);
    set_text(made, "started", now);
    set_text(made, "by", who);
    free(now);
    free(who);
    *report = made;
    return 0;
}

/* ---- while it works ---- */

void report_page_follow(struct report_page *report, const struct profile *profile,
                        struct progress *progress)
{
    if (!report)
        return;
    long long now = clock_ms();
    if (!report->timeline) {
        report->timeline = timeline_new(profile->count);
        report->rollout = now;
    }
    timeline_follow(report->timeline, progress, (long)(now - report->start));
}

void report_page_followed(struct report_page *report)
{
    if (report)
        report->rolled = clock_ms();
}

static void take_session(struct report_page *report, const struct session *session)
{
    set_text(report, "release", session->profile.name);
    set_text(report, "environment", session->profile.environment);
    set_text(report, "namespace", session->profile.namespace);
    set_text(report, "cluster", session->cluster);
    json_object_set_new(report->page, "topology", topology_make(&session->profile));
}

static json_t *refusals_of(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct err *refusal = plan->items[i].refusal;
        if (refusal)
            json_array_append_new(list, shown_string(refusal->message));
    }
    return list;
}

void report_page_take_plan(struct report_page *report, struct session *session,
                           const struct plan *plan)
{
    if (!report || json_object_get(report->page, "changes"))
        return;
    json_object_set_new(report->page, "changes", show_changes_json(session, plan));
}

static json_int_t count_ready(const json_t *components)
{
    json_int_t count = 0;
    json_t *entry;
    size_t i;
    json_array_foreach(components, i, entry)
        count += strcmp(object_text(entry, "state"), "ready") == 0;
    return count;
}

void report_page_take(struct report_page *report, struct session *session,
                      const struct report_page_deployed *deployed)
{
    if (!report)
        return;
    const struct apply_result *result = deployed->result;
    take_session(report, session);
    set_text(report, "message", deployed->message);
    char commit[65] = "";
    if (!session->has_no_origins) /* it was made of a profile that is here */
        git_commit(report->options->script.path, commit);
    set_text(report, "commit", commit);
    if (report->timeline) {
        json_object_set_new(
            report->page, "done",
            json_pack("{s:I, s:I, s:I, s:I}", "created", (json_int_t)result->created, "changed",
                      (json_int_t)result->changed, "unchanged", (json_int_t)result->unchanged,
                      "deleted", (json_int_t)deployed->deleted));
        json_object_set_new(report->page, "ready", json_integer(count_ready(result->components)));
    }
    if (deployed->revision)
        json_object_set_new(report->page, "revision", json_integer(deployed->revision));
    if (result->report)
        json_object_set(report->page, "report", result->report);
    if (!deployed->plan)
        return;
    report_page_take_plan(report, session, deployed->plan);
    json_object_set_new(report->page, "refusals", refusals_of(deployed->plan));
}

void report_page_rolled_back(struct report_page *report, int revision, const struct err *err)
{
    if (!report)
        return;
    json_t *back = json_pack("{s:i}", "revision", revision);
    if (!revision)
        json_object_set_new(back, "error",
                            json_string("there is no revision that ended well to go back to"));
    else if (err->kind != ERR_NONE)
        json_object_set_new(back, "error", shown_string(err->message));
    json_object_set_new(report->page, "rolled_back", back);
}

void report_page_take_findings(struct report_page *report, struct session *session,
                               const json_t *found)
{
    if (!report)
        return;
    if (session)
        take_session(report, session);
    json_object_set(report->page, "doctor", (json_t *)found);
}

/* ---- the end ---- */

static const struct {
    enum err_kind kind;
    const char *word, *tone;
} outcomes[] = {
    { ERR_FAILED, "not done", "warn" },
    { ERR_USAGE, "not done", "warn" },
    { ERR_PROFILE, "profile in error", "bad" },
    { ERR_REFUSED, "refused", "bad" },
    { ERR_ROLLOUT, "failed", "bad" },
    { ERR_TIMEOUT, "timed out", "bad" },
    { ERR_LOCKED, "locked by another", "warn" },
    { ERR_CONFLICT, "conflict", "warn" },
    { ERR_UNREACHABLE, "no access", "bad" },
    { ERR_INTERRUPTED, "interrupted", "warn" },
};

static json_t *outcome_of(const struct report_page *report, int result, const struct err *err)
{
    bool examined = json_object_get(report->page, "doctor") != NULL;
    const char *word = examined                   ? (result ? "findings" : "all clean")
                       : report->options->no_wait ? "applied"
                                                  : "ready";
    const char *tone = examined && result ? "warn" : "good";
    for (size_t i = 0; result < 0 && i < sizeof outcomes / sizeof *outcomes; i++)
        if (outcomes[i].kind == err->kind) {
            word = outcomes[i].word;
            tone = outcomes[i].tone;
        }
    return json_pack("{s:s, s:s, s:i, s:o}", "word", word, "tone", tone, "exit",
                     result < 0 ? err_exit_code(err->kind) : result, "error",
                     shown_string(result < 0 ? err->message : ""));
}

static void take_times(struct report_page *report)
{
    long long now = clock_ms();
    json_t *page = report->page;
    json_object_set_new(page, "seconds", json_real((double)(now - report->start) / 1000));
    if (!report->timeline)
        return;
    json_object_set_new(page, "timeline", timeline_json(report->timeline));
    json_object_set_new(page, "before_ms", json_integer(report->rollout - report->start));
    if (!report->rolled)
        return;
    json_object_set_new(page, "rollout_ms", json_integer(report->rolled - report->rollout));
    json_object_set_new(page, "after_ms", json_integer(now - report->rolled));
}

int report_page_close(struct report_page *report, int result, struct err *err)
{
    struct buf text = BUF_INIT;
    struct err problem = ERR_INIT;
    if (!report)
        return result;
    take_times(report);
    json_object_set_new(report->page, "outcome", outcome_of(report, result, err));
    page_write(report->page, &text);
    if (file_replace(report->file, buf_text(&text), text.len, &problem) == 0) {
        fprintf(stderr, "report: %s\n", report->file);
    } else if (result < 0) {
        fprintf(stderr, "bkdeploy: --report: %s\n", problem.message);
    } else {
        *err = problem;
        result = err_wrap(err, "all is done, but --report");
    }
    buf_release(&text);
    timeline_free(report->timeline);
    json_decref(report->page);
    free(report);
    return result;
}
