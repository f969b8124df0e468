#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/session.h"
#include "release/apply.h"
#include "release/generate.h"
#include "release/requires.h"
#include "release/sweep.h"

static void print_json(const struct profile *profile, const struct apply_result *result,
                       double seconds)
{
    json_t *report =
        json_pack("{s:s, s:s, s:s, s:{s:I, s:I, s:I}, s:I, s:f}", "profile", profile->name,
                  "environment", profile->environment, "namespace", profile->namespace, "objects",
                  "created", (json_int_t)result->created, "changed", (json_int_t)result->changed,
                  "unchanged", (json_int_t)result->unchanged, "components",
                  (json_int_t)profile->count, "seconds", seconds);
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(report);
}

static int apply(struct session *session, const struct options *options, struct err *err)
{
    const struct profile *profile = &session->profile;
    struct apply_options how = {
        .force = options->force,
        .no_wait = options->no_wait,
        .timeout_ms = options->timeout_ms,
    };
    struct apply_result result;
    long long start = clock_ms();
    fprintf(stderr, "%s, environment %s: %zu objects to namespace %s of %s\n", profile->name,
            profile->environment, session->work.count, profile->namespace, session->cluster);
    const char **names = xcalloc(profile->count, sizeof *names);
    for (size_t i = 0; i < profile->count; i++)
        names[i] = profile->components[i].name;
    struct progress *progress = progress_new(stderr, names, profile->count);
    int status = apply_run(session->client, &session->work, &how, progress, &result, err);
    progress_free(progress);
    free(names);
    size_t swept = 0;
    if (status == 0 && !options->no_wait)
        status = sweep_old_contents(session->client, &session->work, &swept, err);
    if (status != 0)
        return -1;
    double seconds = (double)(clock_ms() - start) / 1000;
    fprintf(stderr,
            "%s: %zu components %s in %.1fs; objects: %zu created, %zu changed, %zu "
            "unchanged",
            profile->name, profile->count, options->no_wait ? "applied" : "ready", seconds,
            result.created, result.changed, result.unchanged);
    if (swept)
        fprintf(stderr, ", %zu of earlier content deleted", swept);
    fputc('\n', stderr);
    if (options->output)
        print_json(profile, &result, seconds);
    return 0;
}

int command_apply(const struct options *options, struct err *err)
{
    struct session session;
    if (session_open(&session, options, err) != 0)
        return -1;
    int result = requires_check(session.client, &session.profile, err);
    if (result == 0)
        result = generate_fill(session.client, &session.profile, err);
    if (result == 0)
        result = apply(&session, options, err);
    session_close(&session);
    return result;
}
