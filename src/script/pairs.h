/* pairs() in order, so that the same profile gives the same bytes: Lua seeds its hashes by
 * addresses and the clock. */
#ifndef SCRIPT_PAIRS_H
#define SCRIPT_PAIRS_H

#include <lua.h>

/* pairs(t): numbers, then strings, each ascending; other keys last, as they come. The keys are
 * those that the table has at the call; one that is taken away meanwhile is passed over. __pairs is
 * heeded. */
int pairs_ordered(lua_State *L);

#endif
