#include "script/condition.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "script/convert.h"
#include "script/health.h"
#include "script/host.h"
#include "script/sandbox.h"

/* Conditions are short: the line that runs is noted often, so that an error of memory has it. */
enum { HOOK_STEP = 10 };

/* One run; lives in C above the pcall. */
struct run {
    struct host host;
    const char *text;
    char *expression, *name;
    const json_t *object; /* NULL: it is only loaded */
    bool holds;
};

/* Pushes the function that an expression or a body is, or raises with its mistake. MAY_RAISE. */
static void load(lua_State *L, const struct run *run)
{
    if (luaL_loadbufferx(L, run->expression, strlen(run->expression), run->name, "t") == LUA_OK)
        return;
    if (luaL_loadbufferx(L, run->text, strlen(run->text), run->name, "t") == LUA_OK)
        return;
    if (!strstr(run->text, "return")) /* it was to be an expression */
        lua_pop(L, 1);
    lua_error(L);
}

/* MAY_RAISE */
static int run_protected(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);
    struct host *host = &run->host;
    sandbox_open(L);
    lua_newtable(L);
    host_open(L, host);
    sandbox_prelude(L, host);
    host_require(L, host, "health");
    host_seal(L);
    lua_pushnil(L);
    lua_setglobal(L, "require");
    lua_settop(L, 0);
    if (run->object) {
        convert_push_plain(L, run->object);
        lua_setglobal(L, "obj");
    }
    load(L, run);
    if (!run->object)
        return 0;
    host_arm(L, host);
    lua_call(L, 0, 1);
    run->holds = lua_toboolean(L, -1);
    return 0;
}

/* Runs it; false with the message. */
static bool run_condition(struct run *run, const struct script_limits *limits, const char *option,
                          char *message, size_t size)
{
    run->host = (struct host){
        .file = option,
        .folder = ".",
        .subject = "the condition",
        .quiet = true,
        .hook_step = HOOK_STEP,
        .memory_limit = limits && limits->memory ? limits->memory : HEALTH_MEMORY_DEFAULT,
        .instruction_limit =
            limits && limits->instructions ? limits->instructions : HEALTH_INSTRUCTIONS_DEFAULT,
    };
    lua_State *L = host_state_new(&run->host);
    if (!L) {
        snprintf(message, size, "cannot start Lua");
        return false;
    }
    run->expression = xasprintf("return %s", run->text);
    run->name = xasprintf("@%s", option);
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, run);
    int status = lua_pcall(L, 1, 0, 0);
    host_disarm();
    if (status == LUA_ERRMEM)
        snprintf(message, size, "%s: the condition needs more than %zu MiB of memory",
                 run->host.last_line[0] ? run->host.last_line : option,
                 run->host.memory_limit >> 20);
    else if (status != LUA_OK)
        snprintf(message, size, "%s",
                 lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1)
                                                : "an error that is not a string");
    host_close(L, &run->host);
    free(run->expression);
    free(run->name);
    return status == LUA_OK;
}

int condition_check(const char *option, const char *text, struct err *err)
{
    struct run run = { .text = text };
    char message[512];
    if (!run_condition(&run, NULL, option, message, sizeof message))
        return err_set(err, ERR_USAGE, "%s", message);
    return 0;
}

void condition_ask(const char *option, const char *text, const struct script_limits *limits,
                   const json_t *object, struct condition_answer *answer)
{
    struct run run = { .text = text, .object = object };
    *answer = (struct condition_answer){ .holds = false };
    if (run_condition(&run, limits, option, answer->problem, sizeof answer->problem))
        answer->holds = run.holds;
}
