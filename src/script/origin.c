#include "script/origin.h"

#include <stdbool.h>

#include "script/host.h"
#include "script/sites.h"

/* Of the registry: what constructors made ({ [table] = record }), what was assigned ({ [table] =
 * { [key] = record, or { false, record, record, ... } } }), and assignments whose key is still to
 * come ({ { site, table, record }, ... }). A record is the number of the site, or { number,
 * bases...
 * }. */
static const char made_key = 'm', assigned_key = 'a', pending_key = 'p';

enum { PENDING_MAX = 200 };

static const struct trace_site *site_at(lua_State *L, lua_Integer number)
{
    const struct trace_site *site =
        number < 0 ? NULL : sites_at(&host_of(L)->sites, (size_t)number);
    if (!site)
        luaL_error(L, "no place %I", (LUAI_UACINT)number);
    return site;
}

/* Pushes the record of a call f(number, ...) whose bases begin at the argument `first`. */
static void push_record(lua_State *L, int first)
{
    int bases = lua_gettop(L) - first + 1;
    if (bases <= 0) {
        lua_pushvalue(L, 1);
        return;
    }
    lua_createtable(L, bases + 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    for (int i = 0; i < bases; i++) {
        lua_pushvalue(L, first + i);
        lua_rawseti(L, -2, 2 + i);
    }
}

/* t(number, table, bases...) */
static int made(lua_State *L)
{
    if (host_of(L)->tracing) {
        push_record(L, 3);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &made_key); // number table bases record made
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -3);
        lua_rawset(L, -3);
    }
    lua_settop(L, 2);
    return 1;
}

/* Whether the value at an index is a list of records. */
static bool is_list(lua_State *L, int index)
{
    if (!lua_istable(L, index))
        return false;
    bool list = lua_rawgeti(L, index, 1) == LUA_TBOOLEAN;
    lua_pop(L, 1);
    return list;
}

/* Appends the record at `record` to those of the key on top; pops the key. */
static void append(lua_State *L, int table, int record)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &assigned_key); // key assigned
    lua_pushvalue(L, table);
    if (lua_rawget(L, -2) == LUA_TNIL) { // key assigned keys
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, table);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_pushvalue(L, -3);
    if (lua_rawget(L, -2) == LUA_TNIL) { // key assigned keys nil
        lua_pushvalue(L, -4);
        lua_pushvalue(L, record);
        lua_rawset(L, -4);
    } else {
        if (!is_list(L, -1)) { // the second one
            lua_createtable(L, 3, 0);
            lua_pushboolean(L, 0);
            lua_rawseti(L, -2, 1);
            lua_insert(L, -2);
            lua_rawseti(L, -2, 2);
            lua_pushvalue(L, -4);
            lua_pushvalue(L, -2);
            lua_rawset(L, -4);
        }
        lua_pushvalue(L, record);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    lua_pop(L, 4);
}

/* Keeps a record of a table until its key comes. */
static void keep_pending(lua_State *L, int number, int table, int record)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &pending_key);
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, number);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, table);
    lua_rawseti(L, -2, 2);
    lua_pushvalue(L, record);
    lua_rawseti(L, -2, 3);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -2);
    /* Errors between s and k leave some behind. */
    lua_rawseti(L, -2, count < PENDING_MAX ? count + 1 : count);
    lua_pop(L, 1);
}

/* s(number, key, value, bases...); the key is nil when it is still to come. */
static int will_assign(lua_State *L)
{
    /* Of what is no table Lua itself says that it has no fields. */
    if (lua_istable(L, 3) && host_of(L)->tracing) {
        push_record(L, 4);
        int record = lua_gettop(L);
        if (lua_isnil(L, 2)) {
            keep_pending(L, 1, 3, record);
        } else {
            lua_pushvalue(L, 2);
            append(L, 3, record);
        }
    }
    lua_settop(L, 3);
    return 1;
}

/* k(number, key) */
static int has_key(lua_State *L)
{
    lua_settop(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &pending_key); // number key pending
    lua_Integer wanted = lua_tointeger(L, 1), count = (lua_Integer)lua_rawlen(L, 3);
    for (; count > 0; count--) {
        lua_rawgeti(L, 3, count); // number key pending entry
        lua_pushnil(L);
        lua_rawseti(L, 3, count);
        lua_rawgeti(L, 4, 1);
        bool found = lua_tointeger(L, -1) == wanted;
        lua_pop(L, 1);
        if (found) {
            lua_rawgeti(L, 4, 2); // … table
            lua_rawgeti(L, 4, 3); // … record
            lua_pushvalue(L, 2);
            if (lua_isnil(L, -1) || lua_tonumber(L, -1) != lua_tonumber(L, -1))
                break; /* no key: Lua says so */
            append(L, 5, 6);
            break;
        }
        lua_settop(L, 3);
    }
    lua_settop(L, 2);
    return 1;
}

static int trace_functions(lua_State *L)
{
    lua_pushcfunction(L, made);
    lua_pushcfunction(L, will_assign);
    lua_pushcfunction(L, has_key);
    return 3;
}

static void new_weak(lua_State *L, const char *key)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void origin_open(lua_State *L)
{
    new_weak(L, &made_key);
    new_weak(L, &assigned_key);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &pending_key);
    lua_pushcfunction(L, trace_functions);
    lua_setglobal(L, "__bk_trace");
}

/* Pushes { table, key }, the end of a link that begins at the value on top, or nothing; pops the
 * value. */
static bool push_link(lua_State *L, const struct trace_link *link)
{
    for (unsigned i = 0; i < link->keys_count && lua_istable(L, -1); i++) {
        const struct trace_key *key = &link->keys[i];
        if (key->name)
            lua_pushstring(L, key->name);
        else
            lua_pushinteger(L, key->index);
        if (i + 1 == link->keys_count) { // table key
            lua_createtable(L, 2, 0);
            lua_insert(L, -3);
            lua_rawseti(L, -3, 2);
            lua_rawseti(L, -2, 1);
            return true;
        }
        lua_rawget(L, -2);
        lua_remove(L, -2);
    }
    lua_pop(L, 1);
    return false;
}

/* Appends to the list at `list` the step of the record on top for a key (NULL: an index), when its
 * site has one; pops the record. */
static void add_step(lua_State *L, int list, const char *key, lua_Integer index)
{
    int record = lua_gettop(L);
    bool has_bases = lua_istable(L, record);
    if (has_bases)
        lua_rawgeti(L, record, 1);
    const struct trace_site *site = site_at(L, lua_tointeger(L, -1));
    lua_settop(L, record);
    const struct trace_field *field =
        site->kind == TRACE_SITE_ASSIGNMENT ? site->fields : trace_field(site, key, index);
    if (!field) {
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, 0, 3);            // record step
    bool is_user = site->file[0] != '='; /* of bkdeploy's own modules only the links count */
    if (is_user) {
        lua_pushfstring(L, "%s:%d", site->file, field->line);
        lua_setfield(L, -2, "where");
    }
    lua_newtable(L);
    for (size_t i = 0, n = 0; i < field->links_count && has_bases; i++) {
        lua_rawgeti(L, record, (lua_Integer)field->links[i].base + 2);
        if (push_link(L, &field->links[i]))
            lua_rawseti(L, -2, (lua_Integer)++n);
    }
    lua_setfield(L, -2, "links");
    lua_newtable(L);
    for (size_t i = 0; i < field->locals_count && is_user; i++) {
        lua_pushfstring(L, "%s:%d", site->file, field->locals[i].line);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "locals");
    lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
    lua_pop(L, 1);
}

/* bk.host.traced(table, key): what the profile's code and the language did to the field, in order:
 * { { where = "file:line" (nil: the language), links = { { table, key } }, locals = { "file:line" }
 * } }. */
static int traced(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bool is_text = lua_type(L, 2) == LUA_TSTRING;
    const char *key = is_text ? lua_tostring(L, 2) : NULL;
    lua_Integer index = is_text ? 0 : lua_tointeger(L, 2);
    lua_newtable(L); // table key list
    lua_rawgetp(L, LUA_REGISTRYINDEX, &made_key);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 4) != LUA_TNIL)
        add_step(L, 3, key, index);
    lua_settop(L, 3);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &assigned_key);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 4) == LUA_TTABLE && !lua_isnil(L, 2)) {
        lua_pushvalue(L, 2);
        lua_rawget(L, 5);
        lua_Integer count = is_list(L, 6) ? (lua_Integer)lua_rawlen(L, 6) : 0;
        for (lua_Integer i = 2; i <= count; i++) {
            lua_rawgeti(L, 6, i);
            add_step(L, 3, key, index);
        }
        if (count == 0 && !lua_isnil(L, 6))
            add_step(L, 3, key, index);
    }
    lua_settop(L, 3);
    return 1;
}

/* bk.host.tracing(): whether there will be anything to ask. */
static int tracing(lua_State *L)
{
    lua_pushboolean(L, host_of(L)->tracing);
    return 1;
}

/* bk.host.stack(): the lines of the profile's code that run now, the innermost one last. */
static int stack(lua_State *L)
{
    lua_Debug frame;
    int level = 0;
    while (lua_getstack(L, level, &frame))
        level++;
    lua_newtable(L);
    for (lua_Integer n = 0; level-- > 0 && lua_getstack(L, level, &frame);) {
        lua_getinfo(L, "Sl", &frame);
        if (!host_is_user(&frame) || frame.currentline <= 0)
            continue;
        lua_pushfstring(L, "%s:%d", frame.source + 1, frame.currentline);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

const luaL_Reg origin_functions[] = {
    { "stack", stack },
    { "traced", traced },
    { "tracing", tracing },
    { NULL, NULL },
};
