#include <stdlib.h>

#include "command/command.h"
#include "command/deploy.h"
#include "command/plan_file.h"

/* Exactly what a plan says. */
static int apply_plan(const struct options *options, struct err *err)
{
    json_t *file = plan_file_read(options->script.path, err);
    if (!file)
        return -1;
    struct options planned = *options;
    const json_t *how = json_object_get(file, "options");
    planned.force = json_is_true(json_object_get(how, "force-conflicts"));
    planned.adopt = json_is_true(json_object_get(how, "adopt"));
    struct deploy_request request = { .steps = json_object_get(file, "steps"),
                                      .message = options->message };
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

int command_apply(const struct options *options, struct err *err)
{
    struct deploy_request request = { .message = options->message };
    struct session session;
    if (plan_file_is(options->script.path))
        return apply_plan(options, err);
    if (session_open(&session, options, err) != 0)
        return -1;
    int result = deploy_run(&session, &request, err);
    session_close(&session);
    return result;
}
