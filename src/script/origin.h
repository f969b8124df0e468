/*
 * Which lines of a profile made a field of its tables: keeps what traced code (script/trace.h)
 * reports while it runs, for lua/bk/origin.lua to ask. Tables are held weakly.
 */
#ifndef SCRIPT_ORIGIN_H
#define SCRIPT_ORIGIN_H

#include <lauxlib.h>
#include <lua.h>

/* Sets the function that traced code begins with. MAY_RAISE. */
void origin_open(lua_State *L);

/* bk.host.tracing(), bk.host.traced(table, key) and bk.host.stack(). */
extern const luaL_Reg origin_functions[];

#endif
