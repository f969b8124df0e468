/*
 * The Lua host: evaluates a profile in a sandbox and hands back values. The only folder that knows
 * Lua. Evaluation is repeatable: no clock-seeded randomness, pairs() in key order, no network, no
 * processes, no files but those below the profile's own folder.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "object/profile.h"

struct script_limits {
    size_t memory;                   /* bytes that Lua may hold; 0: SCRIPT_MEMORY_DEFAULT */
    unsigned long long instructions; /* of the Lua VM; 0: SCRIPT_INSTRUCTIONS_DEFAULT */
};

#define SCRIPT_MEMORY_DEFAULT (256u << 20)
/* About ten seconds of an empty loop on a machine of 2024. */
#define SCRIPT_INSTRUCTIONS_DEFAULT 2000000000ull

struct script_request {
    const char *path;            /* a .lua file, or a folder with profile.lua */
    const char *environment;     /* NULL: the profile's own default */
    const char *const *settings; /* "path=value" of --set */
    size_t settings_count;
    const char *const *inputs; /* "name=value" or "name=@file" of --input */
    size_t inputs_count;
    bool allow_exec; /* inputs may run commands */
    struct script_limits limits;
};

/*
 * Evaluates a profile. The caller releases `profile`. Errors are ERR_PROFILE with
 * the profile's file and line, followed by the user's own frames where there is more than one.
 */
int script_eval(const struct script_request *request, struct profile *profile, struct err *err);

#endif
