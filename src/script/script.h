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

/* A profile that stays evaluated, so that more can be asked of it. */
struct script;

enum script_purpose {
    SCRIPT_EXPLAIN, /* the first mistake ends the evaluation */
    SCRIPT_CHECK,   /* mistakes are collected; inputs that nobody gives have a value all the same */
};

/*
 * Evaluates a profile with the origins of its fields. Returns NULL with err as script_eval(); with
 * SCRIPT_CHECK only when there is no profile to read, or on Ctrl-C: whatever else goes wrong is one
 * of the findings of script_review().
 */
struct script *script_open(const struct script_request *request, enum script_purpose purpose,
                           struct err *err);
void script_close(struct script *script);

/* As SCRIPT_EXPLAIN, for script_origin() alone, and of those components alone whose place has true
 * among the `count` of `asked` (borrowed): the origins of a large profile take much memory. The
 * profile has run before: its print() says nothing. */
struct script *script_open_origins(const struct script_request *request, const bool *asked,
                                   size_t count, struct err *err);

/* What the profile made, as profile_init() takes it; borrowed. NULL when its evaluation failed. */
const json_t *script_made(const struct script *script);

/*
 * The findings of a check, in the order of their places: those of the evaluation, those of the
 * schema, which are handed in as [{ component, object (indexes), path, severity, rule, message }],
 * and those of the rules of bkdeploy and of the profile, less what it allows. Each is { severity,
 * rule, message, where, component, object, path }, of which the last three may be missing. A new
 * reference, or NULL with err.
 */
json_t *script_review(struct script *script, const json_t *problems, struct err *err);

/* The lines ("file:42") that led to what lies at a path of an object, the one that set it last. A
 * new reference, or NULL with err. */
json_t *script_origin(struct script *script, size_t component, size_t object, const json_t *path,
                      struct err *err);

enum script_ready_state {
    SCRIPT_READY_NONE, /* the object has no `ready` function */
    SCRIPT_READY_CURRENT,
    SCRIPT_READY_IN_PROGRESS,
    SCRIPT_READY_FAILED,
    SCRIPT_READY_UNKNOWN, /* it raised, went on too long, or returned something else */
};

struct script_ready {
    enum script_ready_state state;
    char reason[1024]; /* of an error: with the profile's line */
};

/* What a call of a `ready` function may do, and hold beside the profile, without the limits of the
 * request. */
#define SCRIPT_READY_MEMORY       (32u << 20)
#define SCRIPT_READY_INSTRUCTIONS 10000000ull

/*
 * As script_eval(); a profile that has `ready` functions or hooks stays evaluated, for
 * script_ready(), those of script/hook.h and script_close(), and `*kept` is NULL for others.
 * `request` must outlive it.
 */
int script_eval_keeping(const struct script_request *request, struct profile *profile,
                        struct script **kept, struct err *err);

/* Whether an object, by its place in the profile, has a `ready` function. `script` may be NULL. */
bool script_has_ready(const struct script *script, size_t component, size_t object);

/* Asks the `ready` function of an object, by its place in the profile, of what is on the cluster. A
 * script of script_eval_keeping(), or NULL. */
void script_ready(struct script *script, size_t component, size_t object, const json_t *live,
                  struct script_ready *answer);

/* The names of a profile's environments, in order. A new reference, or NULL with err. */
json_t *script_environments(const struct script_request *request, struct err *err);

#endif
