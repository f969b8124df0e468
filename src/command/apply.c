#include <stdlib.h>

#include "command/command.h"
#include "command/deploy.h"
#include "command/plan_file.h"

/* Exactly what a plan says. */
static int apply_plan(const struct options *options, struct report_page *page, struct err *err)
{
    json_t *file = plan_file_read(options->script.path, err);
    if (!file)
        return -1;
    struct options planned = *options;
    const json_t *how = json_object_get(file, "options");
    planned.force = json_is_true(json_object_get(how, "force-conflicts"));
    planned.adopt = json_is_true(json_object_get(how, "adopt"));
    struct deploy_request request = { .steps = json_object_get(file, "steps"),
                                      .message = options->message,
                                      .command = "apply",
                                      .page = page };
    struct session session;
    int result = session_open_source(&session, json_object_get(file, "source"), &planned, err);
    if (result == 0) {
        result = plan_file_fill(&session, file, options->key, err);
        if (result == 0)
            result = deploy_run(&session, &request, err);
        session_close(&session);
    }
    json_decref(file);
    return result;
}

static int apply_profile(const struct options *options, struct report_page *page, struct err *err)
{
    struct deploy_request request = { .message = options->message,
                                      .command = "apply",
                                      .page = page };
    struct session session;
    if (session_open(&session, options, err) != 0)
        return -1;
    request.hooks = session.script;
    int result = deploy_run(&session, &request, err);
    session_close(&session);
    return result;
}

int command_apply(const struct options *options, struct err *err)
{
    struct report_page *page;
    if (report_page_open(&page, "apply", options, err) != 0)
        return -1;
    bool is_plan = plan_file_is(options->script.path);
    int result = (is_plan ? apply_plan : apply_profile)(options, page, err);
    return report_page_close(page, result, err);
}
