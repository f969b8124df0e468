#include "script/pairs.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct key {
    const char *text; /* NULL: a number */
    size_t length;
    lua_Number number;
    lua_Integer place; /* among the keys as they came, from 1 */
};

static int compare(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (!a->text || !b->text) {
        if (a->text || b->text)
            return a->text ? 1 : -1;
        return a->number < b->number ? -1 : a->number > b->number;
    }
    size_t shared = a->length < b->length ? a->length : b->length;
    int difference = memcmp(a->text, b->text, shared);
    if (difference)
        return difference;
    return a->length < b->length ? -1 : a->length > b->length;
}

/* Upvalues: the keys as they came, their order as a string of indexes, how many were given. */
static int next_ordered(lua_State *L)
{
    const lua_Integer *order = lua_touserdata(L, lua_upvalueindex(2));
    lua_Integer count = lua_tointeger(L, lua_upvalueindex(4)),
                done = lua_tointeger(L, lua_upvalueindex(3));
    lua_settop(L, 1); // table
    while (done < count) {
        lua_rawgeti(L, lua_upvalueindex(1), order[done++]);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) { // table key value
            lua_pushinteger(L, done);
            lua_replace(L, lua_upvalueindex(3));
            return 2;
        }
        lua_settop(L, 1);
    }
    lua_pushnil(L);
    return 1;
}

static int nothing(lua_State *L)
{
    lua_pushnil(L);
    return 1;
}

int pairs_ordered(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer count = 0;
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        count++;
    }
    if (count == 0) {
        lua_pushcfunction(L, nothing);
        lua_pushvalue(L, 1);
        return 2;
    }
    struct key *sorted = lua_newuserdatauv(L, (size_t)count * sizeof *sorted, 0);
    lua_Integer *order = lua_newuserdatauv(L, (size_t)count * sizeof *order, 0);
    lua_createtable(L, (int)count, 0); // table sorted order keys
    lua_Integer place = 0, sortable = 0, others = count;
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        lua_pop(L, 1);
        struct key key = { .place = ++place };
        if (lua_type(L, -1) == LUA_TSTRING)
            key.text = lua_tolstring(L, -1, &key.length);
        else if (lua_type(L, -1) == LUA_TNUMBER)
            key.number = lua_tonumber(L, -1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, 4, place);
        if (key.text || lua_type(L, -1) == LUA_TNUMBER)
            sorted[sortable++] = key;
        else
            sorted[--others] = key;
    }
    qsort(sorted, (size_t)sortable, sizeof *sorted, compare);
    for (lua_Integer i = 0; i < count; i++)
        order[i] = i < sortable ? sorted[i].place : sorted[count - 1 - (i - sortable)].place;
    lua_pushvalue(L, 4);
    lua_pushvalue(L, 3);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, count);
    lua_pushcclosure(L, next_ordered, 4);
    lua_pushvalue(L, 1);
    return 2;
}
