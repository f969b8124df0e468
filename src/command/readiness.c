#include "command/readiness.h"

static enum verdict_state state_of(enum health_status status)
{
    switch (status) {
    case HEALTH_HEALTHY: return VERDICT_CURRENT;
    case HEALTH_DEGRADED: return VERDICT_FAILED;
    case HEALTH_MISSING: return VERDICT_GONE;
    case HEALTH_PROGRESSING:
    case HEALTH_SUSPENDED: return VERDICT_IN_PROGRESS; /* it may go on when someone says so */
    case HEALTH_NONE:
    case HEALTH_UNKNOWN: break;
    }
    return VERDICT_UNKNOWN;
}

static bool ask_health(const struct health *health, const json_t *live, struct verdict *verdict)
{
    struct health_answer answer;
    if (!health)
        return false;
    health_ask(health, live, &answer);
    if (answer.status == HEALTH_NONE)
        return false;
    verdict_say(verdict, state_of(answer.status), health_word(answer.status), "%s", answer.message);
    return true;
}

static bool ask_profile(struct script *script, const struct work_item *item, const json_t *live,
                        struct verdict *verdict)
{
    static const enum verdict_state states[] = {
        [SCRIPT_READY_CURRENT] = VERDICT_CURRENT,
        [SCRIPT_READY_IN_PROGRESS] = VERDICT_IN_PROGRESS,
        [SCRIPT_READY_FAILED] = VERDICT_FAILED,
        [SCRIPT_READY_UNKNOWN] = VERDICT_UNKNOWN,
    };
    struct script_ready answer = { .state = SCRIPT_READY_NONE };
    if (item)
        script_ready(script, item->component, item->index, live, &answer);
    if (answer.state == SCRIPT_READY_NONE)
        return false;
    verdict_say(verdict, states[answer.state], "", "%s", answer.reason);
    return true;
}

bool readiness_of(const struct readiness *readiness, const struct work_item *item,
                  const json_t *live, struct verdict *verdict)
{
    return ask_profile(readiness->script, item, live, verdict) ||
           ask_health(readiness->health, live, verdict);
}

bool readiness_has(const struct readiness *readiness, const struct work_item *item)
{
    return readiness->health || script_has_ready(readiness->script, item->component, item->index);
}
