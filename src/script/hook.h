/*
 * Runs the hooks of a profile, which stay in the state of script_eval_keeping(). What a hook asks
 * for beside Lua, of the API server or of another host, it asks of the caller, as values.
 */
#ifndef SCRIPT_HOOK_H
#define SCRIPT_HOOK_H

#include <jansson.h>

#include "base/err.h"
#include "script/script.h"

/* What a hook may do, and hold beside the profile, without the limits of the request. */
#define HOOK_MEMORY       (64u << 20)
#define HOOK_INSTRUCTIONS 100000000ull

struct hook_ways {
    /*
     * Does what a hook asks for: `what` is "kube.get", "http", "log", "sleep" and the like
     * (lua/bk/context.lua), `request` borrowed. `*answer` (a new reference) may stay NULL: nil.
     * Returns 0, or -1 with an err that becomes a Lua error; ERR_TIMEOUT ends the hook, whatever it
     * catches. May serve other work meanwhile, also `ready` functions of the same script.
     */
    int (*ask)(const char *what, const json_t *request, json_t **answer, void *arg,
               struct err *err);
    void *arg;
};

/* All hooks: [{ name, component, timeout }] in the order in which those of one name run; seconds,
 * and no component for one that is for all. Borrowed; NULL without a script. */
const json_t *hook_list(const struct script *script);

/* Calls one, by its index in that list, with a context of `given` (an object). Returns 0, or -1
 * with ERR_PROFILE, which begins with its line, or ERR_INTERRUPTED. */
int hook_run(struct script *script, size_t index, const json_t *given, const struct hook_ways *ways,
             struct err *err);

#endif
