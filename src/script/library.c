#include "script/library.h"

#include <lua.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/process.h"
#include "object/keys.h"
#include "object/yaml.h"
#include "script/convert.h"
#include "script/host.h"

enum { COMMAND_WORDS_MAX = 32, OUTPUT_MAX = 1 << 20, BYTES_MAX = 1 << 20 };

/* bk.host.variable(name): of the program's environment, or nil. For inputs, which declare it. */
static int lua_variable(lua_State *L)
{
    lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
    return 1;
}

/* bk.host.operator_file(path): the text of a file that the operator named on the command line. */
static int lua_operator_file(lua_State *L)
{
    host_push_file(L, luaL_checkstring(L, 1));
    return 1;
}

static int convert_protected(lua_State *L)
{
    convert_into(L, 1, lua_touserdata(L, 2), "value");
    return 0;
}

/* bk.host.base64(bytes): their text. */
static int lua_base64(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, length <= BYTES_MAX, 1, "too long");
    char *place =
        lua_newuserdatauv(L, (length + 2) / 3 * 4 + 1, 0); /* may raise: nothing held yet */
    char *text = base64_encode(bytes, length);
    memcpy(place, text, strlen(text) + 1);
    xfree_secret(text);
    lua_pushstring(L, place);
    return 1;
}

/* bk.host.yaml(value): the text of a value, for files that are YAML. */
static int lua_yaml(lua_State *L)
{
    luaL_checkany(L, 1);
    json_t *holder = json_object();
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    lua_pushcfunction(L, convert_protected);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, holder);
    bool good = lua_pcall(L, 2, 0, 0) == LUA_OK;
    if (good) {
        json_t *ordered = keys_ordered(json_object_get(holder, "value"));
        good = yaml_emit(&text, ordered, &err) == 0;
        json_decref(ordered);
        if (!good)
            lua_pushstring(L, err.message);
    }
    json_decref(holder);
    char *copy = lua_newuserdatauv(L, text.len + 1, 0);
    memcpy(copy, buf_text(&text), text.len + 1);
    buf_release(&text);
    if (!good) {
        lua_pop(L, 1);
        return host_fail_at_user(L, "bk.yaml: %s", lua_tostring(L, -1));
    }
    lua_pushstring(L, strncmp(copy, "---\n", 4) == 0 ? copy + 4 : copy);
    return 1;
}

/* bk.host.command(list): what a program prints; nil and why not. */
static int lua_command(lua_State *L)
{
    struct host *host = host_of(L);
    const char *argv[COMMAND_WORDS_MAX + 1] = { NULL };
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Unsigned count = lua_rawlen(L, 1);
    if (!host->allow_exec) {
        lua_pushnil(L);
        lua_pushstring(L, "commands are run with --allow-exec only");
        return 2;
    }
    luaL_argcheck(L, count > 0 && count <= COMMAND_WORDS_MAX, 1, "1 to 32 words");
    luaL_checkstack(L, (int)count + 4, "a command");
    for (lua_Unsigned i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        argv[i] = luaL_checkstring(L, -1); // stays on the stack while it is used
    }
    struct err err = ERR_INIT;
    struct buf text = { .max = OUTPUT_MAX };
    host_timer(false); /* waiting is not hanging */
    int result = process_output(argv, &text, &err);
    host_timer(true);
    char *bytes = lua_newuserdatauv(L, text.len + 1, 0);
    memcpy(bytes, buf_text(&text), text.len);
    size_t length = text.len;
    if (text.data)
        explicit_bzero(text.data, text.len);
    buf_release(&text);
    if (result != 0) {
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        return 2;
    }
    lua_pushlstring(L, bytes, length);
    return 1;
}

const luaL_Reg library_functions[] = {
    { "base64", lua_base64 },
    { "command", lua_command },
    { "operator_file", lua_operator_file },
    { "variable", lua_variable },
    { "yaml", lua_yaml },
    { NULL, NULL },
};
