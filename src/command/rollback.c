#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/command.h"
#include "command/deploy.h"
#include "command/hooks.h"
#include "command/target.h"
#include "release/record.h"
#include "release/revision.h"

/* The revision that the words name, or the last good one before the newest. Returns 0 or -1. */
static int choose(struct target *target, const struct options *options, int *number,
                  struct err *err)
{
    struct record record;
    int result = record_open(&record, target->client, &target->identity, err);
    if (result == 0 && options->words_count > 0) {
        char *end;
        errno = 0;
        long wanted = strtol(options->words[0], &end, 10);
        if (errno || *end || wanted < 1 || wanted > 1000000000)
            result = err_set(err, ERR_USAGE, "a revision is a number above 0, not '%s'",
                             options->words[0]);
        *number = (int)wanted;
    } else if (result == 0) {
        const struct revision *last = record_last(&record);
        const struct revision *good = last ? record_last_done(&record, last->number) : NULL;
        if (!last)
            result = err_set(err, ERR_USAGE, "release '%s' has no revision", target->identity.name);
        else if (!good)
            result = err_set(err, ERR_USAGE,
                             "release '%s' has no revision before %d that ended well; bkdeploy "
                             "history %s lists them",
                             target->identity.name, last->number, target->identity.name);
        else
            *number = good->number;
    }
    record_release(&record);
    return result;
}

static int roll_back(const struct options *options, struct report_page *page, struct err *err)
{
    struct target target;
    json_t *source = NULL;
    int number = 0;
    if (target_open(&target, options, err) != 0)
        return -1;
    int result = choose(&target, options, &number, err);
    if (result == 0)
        result = revision_read(target.client, &target.identity, number, &source, err);
    target_close(&target);
    if (result != 0)
        return -1;
    struct session session;
    struct profile profile;
    struct script *hooks = NULL;
    char *message =
        options->message ? xstrdup(options->message) : xasprintf("rollback to %d", number);
    struct deploy_request request = { .message = message, .command = "rollback", .page = page };
    result = hooks_read(options, &profile, &hooks, err);
    if (result == 0)
        result = session_open_source(&session, source, options, err);
    if (result == 0) {
        request.hooks = hooks;
        result = deploy_run(&session, &request, err);
        session_close(&session);
    }
    profile_release(&profile);
    script_close(hooks);
    json_decref(source);
    free(message);
    return result;
}

int command_rollback(const struct options *options, struct err *err)
{
    struct report_page *page;
    if (report_page_open(&page, "rollback", options, err) != 0)
        return -1;
    return report_page_close(page, roll_back(options, page, err), err);
}
