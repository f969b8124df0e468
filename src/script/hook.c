#include "script/hook.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "script/inside.h"

/* One call; lives in C above the pcall. */
struct hook_call {
    struct script *script;
    size_t index;
    const json_t *given;
    const struct hook_ways *ways;
    json_t *holder;  /* {"request": …, "answer": …}: of what it asks for now */
    struct err over; /* its time was up; with its line */
};

const json_t *hook_list(const struct script *script)
{
    return script ? json_object_get(script->made, "hooks") : NULL;
}

static int convert_protected(lua_State *L)
{
    convert_into(L, 1, lua_touserdata(L, 2), "request");
    return 0;
}

/*
 * Asks the ways, which may wait and serve other work: a `ready` function may run in this very state
 * meanwhile. So what the call needs of the stack is done with, that function is called on top of
 * this thread's stack, and nobody asks for anything in between.
 */
static int wait_for(lua_State *L, struct hook_call *call, const char *what, struct err *err)
{
    struct script *script = call->script;
    lua_State *before = script->L;
    json_t *answer = NULL;
    script->L = L;
    script->running = NULL;
    host_timer(false); /* waiting is not hanging */
    int result = call->ways->ask(what, json_object_get(call->holder, "request"), &answer,
                                 call->ways->arg, err);
    host_arm(L, &script->host);
    script->running = call;
    script->L = before;
    json_object_set_new(call->holder, "answer", answer ? answer : json_null());
    return result;
}

/* Ends the hook with the next instructions that it does: a pcall in it can't go on. */
static void end_now(struct hook_call *call, const struct err *err)
{
    struct host *host = &call->script->host;
    call->over = *err;
    if (*host->last_line)
        err_wrap(&call->over, "%s", host->last_line);
    host->instruction_limit = 0;
}

/* ask(what, request) */
static int lua_ask(lua_State *L)
{
    struct script *script = lua_touserdata(L, lua_upvalueindex(1));
    struct hook_call *call = script->running;
    struct err err = ERR_INIT;
    char what[32];
    snprintf(what, sizeof what, "%s", luaL_checkstring(L, 1));
    luaL_checkany(L, 2);
    if (!call)
        return host_fail_at_user(L, "ctx.%s: a hook's context is of no use outside of the hook",
                                 what);
    json_object_clear(call->holder);
    lua_pushcfunction(L, convert_protected);
    lua_pushvalue(L, 2);
    lua_pushlightuserdata(L, call->holder);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        return host_fail_at_user(L, "ctx.%s: %s", what, lua_tostring(L, -1));
    int result = wait_for(L, call, what, &err);
    if (result != 0 && err.kind == ERR_TIMEOUT)
        end_now(call, &err);
    if (result != 0)
        return host_fail_at_user(L, "%s", err.message);
    convert_push_plain(L, json_object_get(call->holder, "answer"));
    return 1;
}

/* Whether a message begins with a line of a profile: "shop/profile.lua:12: ". */
static bool has_place(const char *message)
{
    const char *colon = strstr(message, ".lua:");
    return colon && colon[5] >= '0' && colon[5] <= '9' &&
           !memchr(message, ' ', (size_t)(colon - message));
}

/* error("text", 0), which says of no line where it was. */
static void add_place(const struct script *script, struct err *err)
{
    if (!has_place(err->message) && *script->host.last_line)
        err_wrap(err, "%s", script->host.last_line);
}

/* What print() says is told as ctx.log is. */
static void say(const char *text, size_t length, void *arg)
{
    struct hook_call *call = arg;
    json_t *request = json_pack("{s:o}", "text", json_stringn_nocheck(text, length)), *none = NULL;
    struct err ignored = ERR_INIT;
    call->ways->ask("log", request, &none, call->ways->arg, &ignored);
    json_decref(none);
    json_decref(request);
}

/* MAY_RAISE */
static int run_protected(lua_State *L)
{
    struct hook_call *call = lua_touserdata(L, 1);
    struct script *script = call->script;
    lua_Debug place;
    script_push_function(L, &script->host, "bk.context", "of");
    lua_pushinteger(L, (lua_Integer)call->index);
    convert_push_plain(L, call->given);
    lua_pushlightuserdata(L, script);
    lua_pushcclosure(L, lua_ask, 1);
    lua_call(L, 3, 2);    // hook context
    lua_pushvalue(L, -2); // hook context hook
    lua_getinfo(L, ">S", &place);
    host_arm(L, &script->host);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1))
        return 0;
    return luaL_error(L,
                      "%s:%d: this hook returns a %s; it should return nothing, and error(\"why\") "
                      "to stop",
                      place.source + 1, place.linedefined, luaL_typename(L, -1));
}

int hook_run(struct script *script, size_t index, const json_t *given, const struct hook_ways *ways,
             struct err *err)
{
    const char *name =
        json_string_value(json_object_get(json_array_get(hook_list(script), index), "name"));
    char subject[64];
    struct script_budget budget = { subject, HOOK_MEMORY, HOOK_INSTRUCTIONS };
    struct hook_call call = { script, index, given, ways, json_object(), ERR_INIT };
    snprintf(subject, sizeof subject, "hook %s", name);
    struct script_bounds before = script_bound(script, &budget);
    script->running = &call;
    script->host.say = say;
    script->host.say_arg = &call;
    int result = script_call(script, run_protected, &call, err);
    script->running = NULL;
    script->host.say = NULL;
    script_unbound(script, &before);
    json_decref(call.holder);
    if (interrupt_pending())
        return err_set(err, ERR_INTERRUPTED, "interrupted");
    if (call.over.kind != ERR_NONE)
        return err_set(err, ERR_PROFILE, "%s", call.over.message);
    if (result != 0) {
        err->message[strcspn(err->message, "\n")] = '\0'; /* the place alone, no frames */
        add_place(script, err);
    }
    return result;
}
