#include "release/task.h"

#include <string.h>

#include "object/meta.h"

bool task_is(const json_t *object)
{
    return strcmp(object_text(object, "kind"), "Job") == 0 &&
           *meta_annotation(object, TASK_ANNOTATION);
}

static bool has_condition(const json_t *live, const char *type)
{
    size_t i;
    json_t *condition;
    json_array_foreach(json_object_get(json_object_get(live, "status"), "conditions"), i,
                       condition) {
        if (strcmp(object_text(condition, "type"), type) == 0 &&
            strcmp(object_text(condition, "status"), "True") == 0)
            return true;
    }
    return false;
}

bool task_is_over(const json_t *live)
{
    return has_condition(live, "Complete") || has_condition(live, "Failed");
}

/* Whether it is a task that is there and would stay, whatever is patched of it. */
static bool would_stay(const struct plan *plan, size_t index)
{
    enum survey_action action = plan->items[index].action;
    return (action == SURVEY_SAME || action == SURVEY_CHANGE) &&
           task_is(plan->work->items[index].object);
}

static void run_again(struct survey_item *found, const char *why)
{
    found->action = SURVEY_REPLACE;
    json_array_append_new(found->notes, json_string(why));
}

void task_settle(struct plan *plan)
{
    for (size_t i = 0; i < plan->work->count; i++)
        if (would_stay(plan, i) && has_condition(plan->items[i].live, "Failed"))
            run_again(&plan->items[i], "the task failed: it runs again");
    bool empty = plan_is_empty(plan);
    for (size_t i = 0; i < plan->work->count && !empty; i++)
        if (would_stay(plan, i) &&
            strcmp(meta_annotation(plan->work->items[i].object, TASK_ANNOTATION), "always") == 0)
            run_again(&plan->items[i], "the task runs at every apply that changes something");
}
