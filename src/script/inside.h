/* An evaluation from the inside: what script.c and hook.c share, of use to these alone. */
#ifndef SCRIPT_INSIDE_H
#define SCRIPT_INSIDE_H

#include <jansson.h>
#include <lua.h>
#include <stdbool.h>

#include "base/err.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/script.h"

enum script_what {
    SCRIPT_EVALUATE,
    SCRIPT_KEEP,
    SCRIPT_TRACE,
    SCRIPT_TRACE_SOME,
    SCRIPT_REVIEW,
    SCRIPT_LIST_ENVIRONMENTS
};

struct hook_call;

/* One evaluation; lives in C above the pcalls and owns all that Lua fills. */
struct script {
    struct host host;
    lua_State *L; /* on which the next call is made: while a hook waits, that of its coroutine */
    const struct script_request *request;
    enum script_what what;
    char *file, *folder;
    json_t *made;  /* {"profile": …}; of SCRIPT_KEEP also "ready" and "hooks" */
    json_t *taken; /* components by their number, as they were made; null for what is converted at
                      the end */
    struct convert_common common;
    const bool *asked; /* of SCRIPT_TRACE_SOME: by component */
    size_t asked_count;
    struct err failure;        /* of SCRIPT_REVIEW */
    struct hook_call *running; /* the hook that may ask for something now, or NULL */
};

/* Calls a C function that finds `argument`, under the limits of the host. Leaves an empty stack.
 * Returns 0, or -1 with ERR_PROFILE or ERR_INTERRUPTED. */
int script_call(struct script *script, lua_CFunction function, void *argument, struct err *err);

/* Pushes a function of an own module. MAY_RAISE. */
void script_push_function(lua_State *L, struct host *host, const char *module, const char *name);

/* What a call may do beside the profile, with these amounts where the request has no limits. */
struct script_budget {
    const char *subject; /* for messages: "'ready'" */
    size_t memory;
    unsigned long long instructions;
};

/* The limits of a host, to be put back after a call within others. */
struct script_bounds {
    const char *subject;
    size_t memory_limit;
    unsigned long long instruction_limit, instructions_used;
    int hook_step;
};

/* Sets the limits of a call; returns those that were. */
struct script_bounds script_bound(struct script *script, const struct script_budget *budget);
void script_unbound(struct script *script, const struct script_bounds *bounds);

#endif
