#include "script/script.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "object/keys.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/sandbox.h"

/* A `ready` function is short: the line that runs is noted often. */
enum { READY_HOOK_STEP = 10 };

enum what { EVALUATE, KEEP, EXPLAIN, CHECK, LIST_ENVIRONMENTS };

/* One evaluation; lives in C above the pcalls and owns all that Lua fills. */
struct script {
    struct host host;
    lua_State *L;
    const struct script_request *request;
    enum what what;
    char *file, *folder;
    json_t *made; /* {"profile": …} */
    struct convert_kinds kinds;
    struct err failure; /* of CHECK */
};

/* `profiles/hello` and `profiles/hello/profile.lua` are the same profile. */
static int find_profile(const char *path, char **file, char **folder, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(err, ERR_PROFILE, "%s: %s; give a profile's .lua file or its folder", path,
                       errno == ENOENT ? "no such profile" : strerror(errno));
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (S_ISDIR(st.st_mode)) {
        *file = xasprintf("%.*s/profile.lua", (int)length, path);
        if (stat(*file, &st) != 0) {
            free(*file);
            return err_set(err, ERR_PROFILE, "%s: this folder has no profile.lua", path);
        }
        *folder = xstrndup(path, length);
        return 0;
    }
    *file = xstrdup(path);
    const char *slash = strrchr(path, '/');
    if (!slash)
        *folder = xstrdup(".");
    else
        *folder = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
    return 0;
}

/* Pushes { { path = "name", text = "value" } } of "name=value" texts. MAY_RAISE. */
static void push_pairs(lua_State *L, const char *const *pairs, size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(pairs[i], '=');
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, pairs[i], (size_t)(equals - pairs[i]));
        lua_setfield(L, -2, "path");
        lua_pushstring(L, equals + 1);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Pushes a function of an own module. MAY_RAISE. */
static void push_function(lua_State *L, struct host *host, const char *module, const char *name)
{
    host_require(L, host, module);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* The whole evaluation, under one lua_pcall. MAY_RAISE. */
static int eval_protected(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    struct host *host = &script->host;
    const struct script_request *request = script->request;
    const char *module = script->what == EVALUATE ? "bk"
                         : script->what == KEEP   ? "bk.ready"
                                                  : "bk.review";
    sandbox_open(L);
    push_pairs(L, request->inputs, request->inputs_count);
    host_open(L, host);
    sandbox_prelude(L, host);
    host_require(L, host, "bk");
    host_require(L, host, module);
    lua_pop(L, 2);
    if (script->what == CHECK) {
        push_function(L, host, module, "collect");
        lua_call(L, 0, 0);
    }
    host_seal(L);
    host_arm(L, host);
    if (host_load_file(L, host->file) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1); // profile
    if (lua_isnil(L, -1))
        return luaL_error(
            L, "%s: the profile returns nothing; end it with: return bk.profile \"name\" { … }",
            host->file);
    push_function(L, host, module, script->what == LIST_ENVIRONMENTS ? "environments" : "compile");
    lua_insert(L, -2); // function profile
    lua_pushstring(L, request->environment);
    push_pairs(L, request->settings, request->settings_count);
    lua_call(L, 3, 1); // made
    convert_profile_into(L, -1, script->made, "profile", &script->kinds);
    if (script->what == KEEP) {
        push_function(L, host, module, "list");
        lua_call(L, 0, 1);
        convert_into(L, -1, script->made, "ready");
    }
    return 0;
}

static void take_error(lua_State *L, const struct host *host, int status, struct err *err)
{
    if (status == LUA_ERRMEM) {
        err_set(err, ERR_PROFILE,
                "%s: %s needs more than %zu MiB of memory; raise it with --memory-limit",
                host->last_line[0] ? host->last_line : host->file,
                host->subject ? host->subject : "the profile", host->memory_limit >> 20);
        return;
    }
    const char *message = lua_tostring(L, -1);
    err_set(err, ERR_PROFILE, "%s", message ? message : "an error that is not a string");
}

/* Calls a C function that finds `argument`, under the limits. Leaves an empty stack. */
static int call_protected(struct script *script, lua_CFunction function, void *argument,
                          struct err *err)
{
    lua_State *L = script->L;
    lua_settop(L, 0);
    lua_pushcfunction(L, host_message_handler);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    int status = lua_pcall(L, 1, 0, 1);
    host_disarm();
    if (status != LUA_OK && interrupt_pending())
        err_set(err, ERR_INTERRUPTED, "interrupted while evaluating the profile");
    else if (status != LUA_OK)
        take_error(L, &script->host, status, err);
    lua_settop(L, 0);
    return status == LUA_OK ? 0 : -1;
}

void script_close(struct script *script)
{
    if (!script)
        return;
    json_decref(script->made);
    convert_kinds_release(&script->kinds);
    host_close(script->L, &script->host);
    free(script->file);
    free(script->folder);
    free(script);
}

/* `quiet`: print() says nothing, because the profile has run before. */
static struct script *evaluate(const struct script_request *request, enum what what, bool tracing,
                               bool quiet, struct err *err)
{
    const struct script_limits *limits = &request->limits;
    char *file = NULL, *folder = NULL;
    if (find_profile(request->path, &file, &folder, err) != 0)
        return NULL;
    struct script *script = xmalloc(sizeof *script);
    *script = (struct script){
        .host = { .file = file,
                  .folder = folder,
                  .allow_exec = request->allow_exec,
                  .tracing = tracing,
                  .quiet = quiet,
                  .memory_limit = limits->memory ? limits->memory : SCRIPT_MEMORY_DEFAULT,
                  .instruction_limit =
                      limits->instructions ? limits->instructions : SCRIPT_INSTRUCTIONS_DEFAULT },
        .request = request,
        .what = what,
        .file = file,
        .folder = folder,
        .made = json_object(),
        .failure = ERR_INIT,
    };
    script->L = host_state_new(&script->host);
    int result = -1;
    if (!script->L)
        err_set(err, ERR_FAILED, "cannot start Lua with %zu bytes", script->host.memory_limit);
    else
        result =
            call_protected(script, eval_protected, script, what == CHECK ? &script->failure : err);
    if (script->L && result != 0 && what == CHECK) {
        if (script->failure.kind != ERR_INTERRUPTED)
            return script;
        *err = script->failure;
    }
    if (result == 0)
        return script;
    script_close(script);
    return NULL;
}

/* Evaluates; a mistake is told with the line that it is in. */
static struct script *evaluate_well(const struct script_request *request, enum what what,
                                    struct err *err)
{
    struct script *script = evaluate(request, what, false, false, err);
    /* Only a mistake is worth the origins of fields: once more with them, for the line that it is
     * in. Commands of inputs are not run twice. */
    if (!script && err->kind == ERR_PROFILE && !request->allow_exec &&
        !strstr(err->message, "attempt to ")) { /* Lua's own errors know theirs */
        struct err better = ERR_INIT;
        script = evaluate(request, what, true, true, &better);
        if (!script && better.kind != ERR_NONE)
            *err = better;
    }
    return script;
}

static int take_profile(const struct script *script, struct profile *profile, struct err *err)
{
    json_t *ordered = keys_ordered(json_object_get(script->made, "profile"));
    int result = profile_init(profile, ordered, err);
    json_decref(ordered);
    return result;
}

int script_eval(const struct script_request *request, struct profile *profile, struct err *err)
{
    struct script *script = evaluate_well(request, EVALUATE, err);
    if (!script)
        return -1;
    int result = take_profile(script, profile, err);
    script_close(script);
    return result;
}

int script_eval_keeping(const struct script_request *request, struct profile *profile,
                        struct script **kept, struct err *err)
{
    struct script *script = evaluate_well(request, KEEP, err);
    *kept = NULL;
    if (!script)
        return -1;
    int result = take_profile(script, profile, err);
    if (result == 0 && json_array_size(json_object_get(script->made, "ready")) > 0) {
        json_object_del(script->made, "profile");
        lua_gc(script->L, LUA_GCRESTART); /* what is asked from now on leaves garbage */
        *kept = script;
    } else {
        script_close(script);
    }
    return result;
}

/* ---- ready functions ---- */

struct question {
    struct script *script;
    size_t component, object;
    const json_t *live;
    struct script_ready *answer;
};

static bool has_ready(const struct script *script, size_t component, size_t object)
{
    size_t i;
    json_t *pair;
    json_array_foreach(json_object_get(script->made, "ready"), i, pair) {
        if ((size_t)json_integer_value(json_array_get(pair, 0)) == component &&
            (size_t)json_integer_value(json_array_get(pair, 1)) == object)
            return true;
    }
    return false;
}

/* MAY_RAISE */
static int ready_protected(lua_State *L)
{
    static const char *const words[] = {
        [SCRIPT_READY_NONE] = "",
        [SCRIPT_READY_CURRENT] = "Current",
        [SCRIPT_READY_IN_PROGRESS] = "InProgress",
        [SCRIPT_READY_FAILED] = "Failed",
    };
    struct question *question = lua_touserdata(L, 1);
    struct script_ready *answer = question->answer;
    lua_Debug place;
    push_function(L, &question->script->host, "bk.ready", "of");
    lua_pushinteger(L, (lua_Integer)question->component);
    lua_pushinteger(L, (lua_Integer)question->object);
    lua_call(L, 2, 1);    // ready
    lua_pushvalue(L, -1); // ready ready
    lua_getinfo(L, ">S", &place);
    convert_push_plain(L, question->live); // ready object
    host_arm(L, &question->script->host);
    lua_call(L, 1, 2); // word reason
    bool worded = lua_type(L, -2) == LUA_TSTRING;
    bool reasoned = lua_isnil(L, -1) || lua_type(L, -1) == LUA_TSTRING;
    for (enum script_ready_state i = SCRIPT_READY_CURRENT;
         worded && reasoned && i <= SCRIPT_READY_FAILED; i++) {
        if (strcmp(words[i], lua_tostring(L, -2)) == 0) {
            answer->state = i;
            snprintf(answer->reason, sizeof answer->reason, "%s", luaL_optstring(L, -1, ""));
            return 0;
        }
    }
    const char *word = worded ? lua_tostring(L, -2) : luaL_typename(L, -2);
    return luaL_error(L,
                      "%s:%d: 'ready' returns %s and %s; wants \"Current\", \"InProgress\" or "
                      "\"Failed\", and a text",
                      place.source + 1, place.linedefined, word, luaL_typename(L, -1));
}

void script_ready(struct script *script, size_t component, size_t object, const json_t *live,
                  struct script_ready *answer)
{
    *answer = (struct script_ready){ .state = SCRIPT_READY_NONE };
    if (!script || !has_ready(script, component, object))
        return;
    struct host *host = &script->host;
    const struct script_limits *limits = &script->request->limits;
    struct question question = { script, component, object, live, answer };
    struct err err = ERR_INIT;
    size_t memory = host->memory_limit;
    host->subject = "'ready'";
    host->hook_step = READY_HOOK_STEP;
    host->instructions_used = 0;
    host->instruction_limit =
        limits->instructions ? limits->instructions : SCRIPT_READY_INSTRUCTIONS;
    host->last_line[0] = '\0';
    host->memory_limit =
        host->memory_used + (limits->memory ? limits->memory : SCRIPT_READY_MEMORY);
    if (call_protected(script, ready_protected, &question, &err) != 0) {
        answer->state = SCRIPT_READY_UNKNOWN;
        err.message[strcspn(err.message, "\n")] = '\0'; /* the place alone, no frames */
        snprintf(answer->reason, sizeof answer->reason, "%.*s", (int)sizeof answer->reason - 1,
                 err.message);
    }
    host->memory_limit = memory;
}

struct script *script_open(const struct script_request *request, enum script_purpose purpose,
                           struct err *err)
{
    return evaluate(request, purpose == SCRIPT_CHECK ? CHECK : EXPLAIN, true, false, err);
}

const json_t *script_made(const struct script *script)
{
    return json_object_get(script->made, "profile");
}

struct review {
    struct script *script;
    const json_t *problems;
    json_t *made; /* {"findings": …} */
};

/* MAY_RAISE */
static int review_protected(lua_State *L)
{
    struct review *review = lua_touserdata(L, 1);
    struct host *host = &review->script->host;
    host->tracing = false; /* from here on nothing goes into an object */
    host_arm(L, host);     /* the profile's own rules run */
    push_function(L, host, "bk.review", "findings");
    convert_push(L, review->problems);
    lua_pushstring(L, review->script->failure.kind == ERR_NONE ? NULL
                                                               : review->script->failure.message);
    lua_call(L, 2, 1);
    convert_into(L, -1, review->made, "findings");
    return 0;
}

json_t *script_review(struct script *script, const json_t *problems, struct err *err)
{
    struct review review = { script, problems, json_object() };
    json_t *findings = NULL;
    if (call_protected(script, review_protected, &review, err) == 0)
        findings = json_incref(json_object_get(review.made, "findings"));
    json_decref(review.made);
    return findings;
}

struct origin {
    struct script *script;
    size_t component, object;
    const json_t *path;
    json_t *made; /* {"lines": …} */
};

/* MAY_RAISE */
static int origin_protected(lua_State *L)
{
    struct origin *origin = lua_touserdata(L, 1);
    push_function(L, &origin->script->host, "bk.review", "origin");
    lua_pushinteger(L, (lua_Integer)origin->component + 1);
    lua_pushinteger(L, (lua_Integer)origin->object + 1);
    convert_push(L, origin->path);
    lua_call(L, 3, 1);
    convert_into(L, -1, origin->made, "lines");
    return 0;
}

json_t *script_origin(struct script *script, size_t component, size_t object, const json_t *path,
                      struct err *err)
{
    struct origin origin = { script, component, object, path, json_object() };
    json_t *lines = NULL;
    if (call_protected(script, origin_protected, &origin, err) == 0)
        lines = json_incref(json_object_get(origin.made, "lines"));
    json_decref(origin.made);
    return lines;
}

json_t *script_environments(const struct script_request *request, struct err *err)
{
    struct script *script = evaluate(request, LIST_ENVIRONMENTS, false, true, err);
    if (!script)
        return NULL;
    json_t *names = json_incref(json_object_get(script->made, "profile"));
    script_close(script);
    return names;
}
