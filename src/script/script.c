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
#include "object/schema.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/inside.h"
#include "script/sandbox.h"

/* What is called on its own is short: the line that runs is noted often. */
enum { CALL_HOOK_STEP = 10 };

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

void script_push_function(lua_State *L, struct host *host, const char *module, const char *name)
{
    host_require(L, host, module);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* Whether all objects of the component on the stack are of built-in kinds: what an empty table is
 * of another, a CustomResourceDefinition tells that may be still to come. */
static bool is_built_in(lua_State *L, int component)
{
    struct schema_kind kind;
    bool known = lua_getfield(L, component, "objects") == LUA_TTABLE; // objects
    for (lua_Integer i = 1; known && lua_rawgeti(L, -1, i) == LUA_TTABLE; i++) {
        lua_pushstring(L, "apiVersion");
        lua_rawget(L, -2);
        lua_pushstring(L, "kind");
        lua_rawget(L, -3); // objects object version kind
        known = lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING &&
                strcmp(lua_tostring(L, -1), "CustomResourceDefinition") != 0 &&
                schema_find(NULL, lua_tostring(L, -2), lua_tostring(L, -1), &kind);
        lua_settop(L, component + 1);
    }
    lua_settop(L, component);
    return known;
}

/* take(component, number): a component that is made, so that its tables need not stay until all
 * are; false if it has to. MAY_RAISE. */
static int take_component(lua_State *L)
{
    struct script *script = lua_touserdata(L, lua_upvalueindex(1));
    size_t number = (size_t)luaL_checkinteger(L, 2);
    lua_settop(L, 1);
    bool taken = is_built_in(L, 1);
    while (json_array_size(script->taken) < number)
        json_array_append_new(script->taken, json_null());
    if (taken) {
        convert_component_into(L, 1, 0, number, script->made, "component", &script->common);
        json_array_set(script->taken, number - 1,
                       json_array_get(json_object_get(script->made, "component"), 0));
    }
    lua_pushboolean(L, taken);
    return 1;
}

/* take(component, number) that has no use for a component nobody will ask for. MAY_RAISE. */
static int drop_component(lua_State *L)
{
    const struct script *script = lua_touserdata(L, lua_upvalueindex(1));
    size_t place = (size_t)luaL_checkinteger(L, 2) - 1;
    lua_pushboolean(L, place >= script->asked_count || !script->asked[place]);
    return 1;
}

/* Converts what the profile on top has beside the components that were taken. MAY_RAISE. */
static void take_rest(lua_State *L, struct script *script)
{
    int profile = lua_gettop(L);
    json_t *made = script->made;
    if (json_array_size(script->taken) == 0) {
        convert_profile_into(L, profile, made, "profile", &script->common);
        return;
    }
    lua_getfield(L, profile, "components"); // profile components
    while (json_array_size(script->taken) < (size_t)lua_rawlen(L, -1))
        json_array_append_new(script->taken, json_null());
    for (size_t i = 0; i < json_array_size(script->taken); i++) {
        if (!json_is_null(json_array_get(script->taken, i)))
            continue;
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        convert_component_into(L, -1, profile, i + 1, made, "component", &script->common);
        json_array_set(script->taken, i, json_array_get(json_object_get(made, "component"), 0));
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    lua_setfield(L, profile, "components");
    convert_profile_into(L, profile, made, "profile", &script->common);
    lua_setfield(L, profile, "components");
    json_object_set(json_object_get(made, "profile"), "components", script->taken);
}

/* The whole evaluation, under one lua_pcall. MAY_RAISE. */
static int eval_protected(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);
    struct host *host = &script->host;
    const struct script_request *request = script->request;
    const char *module = script->what == SCRIPT_EVALUATE ? "bk"
                         : script->what == SCRIPT_KEEP   ? "bk.ready"
                                                         : "bk.review";
    sandbox_open(L);
    push_pairs(L, request->inputs, request->inputs_count);
    host_open(L, host);
    sandbox_prelude(L, host);
    host_require(L, host, "bk");
    host_require(L, host, module);
    lua_pop(L, 2);
    if (script->what == SCRIPT_KEEP) {
        host_require(L, host, "bk.context");
        lua_pop(L, 1);
    }
    if (script->what == SCRIPT_REVIEW) {
        script_push_function(L, host, module, "collect");
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
    script_push_function(L, host, module,
                         script->what == SCRIPT_LIST_ENVIRONMENTS ? "environments" : "compile");
    lua_insert(L, -2); // function profile
    lua_pushstring(L, request->environment);
    push_pairs(L, request->settings, request->settings_count);
    if (script->what == SCRIPT_EVALUATE || script->what == SCRIPT_KEEP ||
        script->what == SCRIPT_TRACE_SOME) {
        lua_pushlightuserdata(L, script);
        lua_pushcclosure(L, script->what == SCRIPT_TRACE_SOME ? drop_component : take_component, 1);
    } else {
        lua_pushnil(L);
    }
    lua_call(L, 4, 1); // made
    if (script->what == SCRIPT_TRACE_SOME)
        return 0;
    take_rest(L, script);
    if (script->what == SCRIPT_KEEP) {
        script_push_function(L, host, module, "list"); // made list
        lua_call(L, 0, 1);
        convert_into(L, -1, script->made, "ready");
        script_push_function(L, host, "bk.context", "list"); // made ready list
        lua_pushvalue(L, -3);
        lua_call(L, 1, 1);
        convert_into(L, -1, script->made, "hooks");
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

int script_call(struct script *script, lua_CFunction function, void *argument, struct err *err)
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

/* Gives away what only the conversion needs. */
static void let_go(struct script *script)
{
    json_object_del(script->made, "profile");
    json_object_del(script->made, "component");
    json_decref(script->taken); /* it may be the profile's own by now */
    script->taken = json_array();
    convert_common_release(&script->common);
}

void script_close(struct script *script)
{
    if (!script)
        return;
    json_decref(script->made);
    json_decref(script->taken);
    convert_common_release(&script->common);
    host_close(script->L, &script->host);
    free(script->file);
    free(script->folder);
    free(script);
}

/* What is to be evaluated; run() does it. NULL with err when there is no such profile. */
static struct script *prepare(const struct script_request *request, enum script_what what,
                              struct err *err)
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
                  .memory_limit = limits->memory ? limits->memory : SCRIPT_MEMORY_DEFAULT,
                  .instruction_limit =
                      limits->instructions ? limits->instructions : SCRIPT_INSTRUCTIONS_DEFAULT },
        .request = request,
        .what = what,
        .file = file,
        .folder = folder,
        .made = json_object(),
        .taken = json_array(),
        .failure = ERR_INIT,
    };
    return script;
}

/* Evaluates; frees the script when that fails. */
static struct script *run(struct script *script, struct err *err)
{
    enum script_what what = script->what;
    script->L = host_state_new(&script->host);
    int result = -1;
    if (what == SCRIPT_REVIEW || what == SCRIPT_TRACE)
        script->host.collect_at =
            script->host.memory_limit / 4 * 3; /* they look at all of it once more */
    if (script->L && what == SCRIPT_TRACE_SOME)
        lua_gc(script->L, LUA_GCRESTART); /* most of it is dropped at once */
    if (!script->L)
        err_set(err, ERR_FAILED, "cannot start Lua with %zu bytes", script->host.memory_limit);
    else
        result = script_call(script, eval_protected, script,
                             what == SCRIPT_REVIEW ? &script->failure : err);
    if (script->L && result != 0 && what == SCRIPT_REVIEW) {
        if (script->failure.kind != ERR_INTERRUPTED)
            return script;
        *err = script->failure;
    }
    if (result == 0)
        return script;
    script_close(script);
    return NULL;
}

/* `quiet`: print() says nothing, because the profile has run before. */
static struct script *evaluate(const struct script_request *request, enum script_what what,
                               bool tracing, bool quiet, struct err *err)
{
    struct script *script = prepare(request, what, err);
    if (!script)
        return NULL;
    script->host.tracing = tracing;
    script->host.quiet = quiet;
    return run(script, err);
}

/* Evaluates; a mistake is told with the line that it is in. */
static struct script *evaluate_well(const struct script_request *request, enum script_what what,
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

int script_eval(const struct script_request *request, struct profile *profile, struct err *err)
{
    struct script *script = evaluate_well(request, SCRIPT_EVALUATE, err);
    if (!script)
        return -1;
    json_t *made = json_incref(json_object_get(script->made, "profile"));
    script_close(script); /* its memory goes before more is used */
    int result = profile_init(profile, made, err);
    json_decref(made);
    return result;
}

int script_eval_keeping(const struct script_request *request, struct profile *profile,
                        struct script **kept, struct err *err)
{
    struct script *script = evaluate_well(request, SCRIPT_KEEP, err);
    *kept = NULL;
    if (!script)
        return -1;
    int result = profile_init(profile, json_object_get(script->made, "profile"), err);
    if (result == 0 && (json_array_size(json_object_get(script->made, "ready")) > 0 ||
                        json_array_size(json_object_get(script->made, "hooks")) > 0)) {
        let_go(script);
        lua_gc(script->L, LUA_GCRESTART); /* what is asked from now on leaves garbage */
        *kept = script;
    } else {
        script_close(script);
    }
    return result;
}

/* ---- calls of their own ---- */

struct script_bounds script_bound(struct script *script, const struct script_budget *budget)
{
    struct host *host = &script->host;
    const struct script_limits *limits = &script->request->limits;
    struct script_bounds before = { host->subject, host->memory_limit, host->instruction_limit,
                                    host->instructions_used, host->hook_step };
    host->subject = budget->subject;
    host->memory_limit = host->memory_used + (limits->memory ? limits->memory : budget->memory);
    host->instruction_limit = limits->instructions ? limits->instructions : budget->instructions;
    host->instructions_used = 0;
    host->hook_step = CALL_HOOK_STEP;
    host->last_line[0] = '\0';
    return before;
}

void script_unbound(struct script *script, const struct script_bounds *bounds)
{
    struct host *host = &script->host;
    host->subject = bounds->subject;
    host->memory_limit = bounds->memory_limit;
    host->instruction_limit = bounds->instruction_limit;
    host->instructions_used = bounds->instructions_used;
    host->hook_step = bounds->hook_step;
}

/* ---- ready functions ---- */

struct question {
    struct script *script;
    size_t component, object;
    const json_t *live;
    struct script_ready *answer;
};

bool script_has_ready(const struct script *script, size_t component, size_t object)
{
    size_t i;
    json_t *pair;
    if (!script)
        return false;
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
    script_push_function(L, &question->script->host, "bk.ready", "of");
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
    if (!script_has_ready(script, component, object))
        return;
    struct question question = { script, component, object, live, answer };
    struct err err = ERR_INIT;
    static const struct script_budget budget = { "'ready'", SCRIPT_READY_MEMORY,
                                                 SCRIPT_READY_INSTRUCTIONS };
    struct script_bounds before = script_bound(script, &budget);
    if (script_call(script, ready_protected, &question, &err) != 0) {
        answer->state = SCRIPT_READY_UNKNOWN;
        err.message[strcspn(err.message, "\n")] = '\0'; /* the place alone, no frames */
        snprintf(answer->reason, sizeof answer->reason, "%.*s", (int)sizeof answer->reason - 1,
                 err.message);
    }
    script_unbound(script, &before);
}

struct script *script_open(const struct script_request *request, enum script_purpose purpose,
                           struct err *err)
{
    return evaluate(request, purpose == SCRIPT_CHECK ? SCRIPT_REVIEW : SCRIPT_TRACE, true, false,
                    err);
}

struct script *script_open_origins(const struct script_request *request, const bool *asked,
                                   size_t count, struct err *err)
{
    struct script *script = prepare(request, SCRIPT_TRACE_SOME, err);
    if (!script)
        return NULL;
    script->host.tracing = script->host.quiet = true;
    script->asked = asked;
    script->asked_count = count;
    return run(script, err);
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
    script_push_function(L, host, "bk.review", "findings");
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
    if (script_call(script, review_protected, &review, err) == 0)
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
    script_push_function(L, &origin->script->host, "bk.review", "origin");
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
    if (script_call(script, origin_protected, &origin, err) == 0)
        lines = json_incref(json_object_get(origin.made, "lines"));
    json_decref(origin.made);
    return lines;
}

json_t *script_environments(const struct script_request *request, struct err *err)
{
    struct script *script = evaluate(request, SCRIPT_LIST_ENVIRONMENTS, false, true, err);
    if (!script)
        return NULL;
    json_t *names = json_incref(json_object_get(script->made, "profile"));
    script_close(script);
    return names;
}
