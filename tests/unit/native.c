/*
 * The program's C modules for the unit specs: text in, text out, so that a spec sees exactly the
 * values (integers, key order) that the program sees. Links no Lua of its own.
 */
#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "object/keys.h"
#include "object/yaml.h"

int luaopen_native(lua_State *L);

static json_t *check_json(lua_State *L, int index)
{
    json_error_t problem;
    json_t *value = json_loads(luaL_checkstring(L, index), JSON_DECODE_ANY, &problem);
    if (!value)
        luaL_error(L, "the spec's JSON: %s", problem.text);
    return value;
}

/* Pushes what a C function left: text, or nil and the error's message. */
static int push_result(lua_State *L, char *text, const struct err *err)
{
    if (!text) {
        lua_pushnil(L);
        lua_pushstring(L, err->message);
        return 2;
    }
    lua_pushstring(L, text);
    free(text);
    return 1;
}

static char *dump(const json_t *value)
{
    return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

/* yaml_emit(json) -> yaml */
static int native_yaml_emit(lua_State *L)
{
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    json_t *value = check_json(L, 1);
    int result = yaml_emit(&out, value, &err);
    json_decref(value);
    char *text = result == 0 ? buf_detach(&out) : NULL;
    buf_release(&out);
    return push_result(L, text, &err);
}

/* yaml_parse(yaml) -> json, or nil and the message */
static int native_yaml_parse(lua_State *L)
{
    struct err err = ERR_INIT;
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    json_t *value = yaml_parse(text, length, "test.yaml", ERR_USAGE, &err);
    char *made = value ? dump(value) : NULL;
    json_decref(value);
    return push_result(L, made, &err);
}

/* keys_ordered(json) -> json */
static int native_keys_ordered(lua_State *L)
{
    json_t *value = check_json(L, 1), *ordered = keys_ordered(value);
    char *text = dump(ordered);
    json_decref(value);
    json_decref(ordered);
    return push_result(L, text, NULL);
}

static const luaL_Reg functions[] = {
    { "yaml_emit", native_yaml_emit },
    { "yaml_parse", native_yaml_parse },
    { "keys_ordered", native_keys_ordered },
    { NULL, NULL },
};

int luaopen_native(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
