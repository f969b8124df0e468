#include "script/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "script/pairs.h"

static const luaL_Reg libraries[] = {
    { LUA_GNAME, luaopen_base },        { LUA_TABLIBNAME, luaopen_table },
    { LUA_STRLIBNAME, luaopen_string }, { LUA_MATHLIBNAME, luaopen_math },
    { LUA_UTF8LIBNAME, luaopen_utf8 },  { LUA_COLIBNAME, luaopen_coroutine },
    { LUA_OSLIBNAME, luaopen_os },
};

static const char *const os_allowed[] = { "time", "date", "clock", "difftime" };
static const char *const base_refused[] = { "dofile", "loadfile", "collectgarbage", "warn" };

/* print: to stderr, because stdout is the command's data. */
static int lua_print(lua_State *L)
{
    int count = lua_gettop(L);
    if (host_of(L)->quiet)
        return 0;
    const struct host *host = host_of(L);
    luaL_Buffer line;
    size_t length;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&line, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    const char *text = lua_tolstring(L, -1, &length);
    if (host->say)
        host->say(text, length, host->say_arg);
    else
        fprintf(stderr, "%.*s\n", (int)length, text);
    return 0;
}

/* load(text [, name [, mode [, env]]]): text only, whatever mode says; bytecode can crash Lua. */
static int lua_load_text(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *name = luaL_optstring(L, 2, "=(load)");
    int own_env = !lua_isnone(L, 4);
    if (luaL_loadbufferx(L, text, length, name, "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (own_env) {
        lua_pushvalue(L, 4);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

void sandbox_open(lua_State *L)
{
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    lua_getglobal(L, "os");   // os
    lua_createtable(L, 0, 4); // os allowed
    for (size_t i = 0; i < sizeof os_allowed / sizeof *os_allowed; i++) {
        lua_getfield(L, -2, os_allowed[i]);
        lua_setfield(L, -2, os_allowed[i]);
    }
    lua_setglobal(L, "os");
    lua_pop(L, 1);
    for (size_t i = 0; i < sizeof base_refused / sizeof *base_refused; i++) {
        lua_pushnil(L);
        lua_setglobal(L, base_refused[i]);
    }
    lua_getglobal(L, "string");
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
    lua_pushcfunction(L, lua_print);
    lua_setglobal(L, "print");
    lua_pushcfunction(L, lua_load_text);
    lua_setglobal(L, "load");
    lua_pushcfunction(L, pairs_ordered);
    lua_setglobal(L, "pairs");
    /* luaL_requiref() left them here, the whole of os among them. */
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

void sandbox_prelude(lua_State *L, struct host *host)
{
    host_require(L, host, "prelude");
    lua_pop(L, 1);
}
