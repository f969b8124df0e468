#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/problems.h"
#include "command/report_page.h"
#include "command/session.h"
#include "command/target.h"
#include "doctor/doctor.h"
#include "object/meta.h"
#include "release/generate.h"
#include "release/plan.h"
#include "release/requires.h"
#include "ui/doctor.h"
#include "ui/terminal.h"

static const char default_image[] = "docker.io/library/busybox:1.36";

/* ---- what is known without a cluster ---- */

/* The findings of a check; NULL with err when there is no profile to read. */
static json_t *check(const struct options *options, struct err *err)
{
    struct script *script = script_open(&options->script, SCRIPT_CHECK, err);
    if (!script)
        return NULL;
    json_t *problems = problems_of(script_made(script), NULL);
    json_t *findings = script_review(script, problems, err);
    json_decref(problems);
    script_close(script);
    return findings;
}

/* ---- a release by its name ---- */

static int open_release(struct session *session, const struct options *options, struct err *err)
{
    struct target target;
    if (target_open(&target, options, err) != 0)
        return -1;
    json_t *source = target_newest(&target, false, err); /* with the values that can be read */
    target_close(&target);
    int result = source ? session_open_source(session, source, options, err) : -1;
    json_decref(source);
    return result;
}

/* ---- the whole ---- */

/* The plan by which is told what is not as described; refusals are told, too. */
static int make_plan(struct session *session, struct plan *plan, struct err *err)
{
    const struct plan_options options = {
        .survey = { .policy = session->profile.conflicts,
                    .force = true, /* to see all that is another's */
                    .origin = session_origin,
                    .origin_arg = session },
    };
    if (requires_check(session->client, &session->profile, err) != 0 ||
        generate_fill(session->client, &session->profile, err) != 0)
        return -1;
    int result =
        plan_make(plan, session->client, &session->work, &session->identity, &options, err);
    bool refused = false;
    if (result == 0)
        session_expect(session, plan);
    for (size_t i = 0; plan->items && i < plan->work->count; i++)
        refused |= plan->items[i].refusal != NULL;
    return refused && err->kind != ERR_INTERRUPTED ? 0 : result;
}

/* "bkdeploy apply profiles/x -e dev": what puts things right. The caller's. */
static char *apply_words(const struct session *session, bool by_profile)
{
    const struct options *options = session->options;
    const struct profile *profile = &session->profile;
    struct buf words = BUF_INIT;
    if (by_profile)
        buf_addf(&words, "bkdeploy apply %s%s%s", options->script.path,
                 options->script.environment ? " -e " : "",
                 options->script.environment ? options->script.environment : "");
    else
        buf_addf(&words, "bkdeploy rollback %s -n %s %s", profile->name, profile->namespace,
                 "REVISION");
    return buf_detach(&words);
}

static int print(const struct options *options, const json_t *head, json_t *sections,
                 struct err *err)
{
    if (options->output) {
        json_t *whole = json_copy((json_t *)head);
        json_object_set_new(whole, "clean", json_boolean(!doctor_has_findings(sections)));
        json_object_set(whole, "sections", sections);
        json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        putchar('\n');
        json_decref(whole);
    } else {
        doctor_print(stdout, sections, terminal_colour(stdout));
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_set(err, ERR_FAILED, "cannot write to standard output");
    return 0;
}

static void take_findings(struct report_page *page, struct session *session, json_t *sections)
{
    json_t *found = json_pack("{s:O}", "sections", sections);
    report_page_take_findings(page, session, found);
    json_decref(found);
}

/* No way to the cluster, or lost on it. */
static int tell_offline(const struct options *options, struct report_page *page,
                        const json_t *findings, const struct err *why, struct err *err)
{
    json_t *sections = doctor_offline(findings, why);
    json_t *head = json_pack("{s:s}", "profile", options->script.path);
    int result = print(options, head, sections, err);
    take_findings(page, NULL, sections);
    json_decref(head);
    json_decref(sections);
    return result == 0 ? err_exit_code(ERR_UNREACHABLE) : -1;
}

static int run(struct session *session, struct report_page *page, const json_t *findings,
               struct err *err)
{
    const struct options *options = session->options;
    const struct profile *profile = &session->profile;
    struct err no_plan = ERR_INIT;
    struct plan plan = { .work = NULL };
    if (!session->schemas)
        session->schemas = schema_set_new();
    json_decref(problems_of(session->profile.source, session->schemas)); /* for its CRDs' kinds */
    bool has_plan = make_plan(session, &plan, &no_plan) == 0;
    char *apply = apply_words(session, findings != NULL);
    struct doctor_request request = {
        .client = session->client,
        .work = &session->work,
        .identity = &session->identity,
        .check = findings,
        .plan = has_plan ? &plan : NULL,
        .no_plan = &no_plan,
        .drift = { session->schemas, session_origin, session, apply },
        .probe_image = options->probe_image ? options->probe_image
                       : options->probe     ? default_image
                                            : NULL,
    };
    if (no_plan.kind == ERR_INTERRUPTED)
        *err = no_plan;
    json_t *sections = no_plan.kind == ERR_INTERRUPTED ? NULL : doctor_run(&request, err);
    int result = -1;
    if (sections) {
        json_t *head = json_pack("{s:s, s:s, s:s, s:s}", "profile", profile->name, "environment",
                                 profile->environment, "namespace", profile->namespace, "cluster",
                                 session->cluster);
        result = print(options, head, sections, err);
        take_findings(page, session, sections);
        if (result == 0)
            result = doctor_has_findings(sections);
        json_decref(head);
    } else if (err->kind == ERR_UNREACHABLE) {
        struct err why = *err;
        result = tell_offline(options, page, findings, &why, err);
    }
    json_decref(sections);
    plan_release(&plan);
    free(apply);
    return result;
}

static int examine(const struct options *options, struct report_page *page, struct err *err)
{
    bool by_profile = target_is_profile(options->script.path);
    json_t *findings = by_profile ? check(options, err) : NULL;
    struct session session;
    if (by_profile && !findings)
        return -1;
    int result =
        by_profile ? session_open(&session, options, err) : open_release(&session, options, err);
    if (result == 0) {
        result = run(&session, page, findings, err);
        session_close(&session);
    } else if (err->kind == ERR_UNREACHABLE) {
        struct err why = *err;
        result = tell_offline(options, page, findings, &why, err);
    }
    json_decref(findings);
    return result;
}

int command_doctor(const struct options *options, struct err *err)
{
    struct report_page *page;
    if (report_page_open(&page, "doctor", options, err) != 0)
        return -1;
    return report_page_close(page, examine(options, page, err), err);
}
