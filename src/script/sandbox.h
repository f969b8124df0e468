/*
 * The globals of a profile, by an allow-list: not for hostility alone but for repeatability.
 */
#ifndef SCRIPT_SANDBOX_H
#define SCRIPT_SANDBOX_H

#include <lua.h>

#include "script/host.h"

/* Opens the allowed libraries and takes away what is not allowed. MAY_RAISE. */
void sandbox_open(lua_State *L);

/* Runs lua/prelude.lua: what of the sandbox is best said in Lua. MAY_RAISE. */
void sandbox_prelude(lua_State *L, struct host *host);

#endif
