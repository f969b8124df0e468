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
#include "kube/kubeconfig.h"
#include "object/keys.h"
#include "object/yaml.h"
#include "release/requires.h"
#include "rollout/verdict.h"

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

/* verdict(json of an object) -> "current" | "in progress" | "failed", message, ready, wanted */
static int native_verdict(lua_State *L)
{
    static const char *const words[] = { "current", "in progress", "failed" };
    struct verdict verdict;
    json_t *object = check_json(L, 1);
    verdict_of(object, &verdict);
    json_decref(object);
    lua_pushstring(L, words[verdict.state]);
    lua_pushstring(L, verdict.message);
    lua_pushinteger(L, verdict.ready);
    lua_pushinteger(L, verdict.wanted);
    return 4;
}

/* kube_access(path or nil, context or nil) -> json of struct kube_access, or nil and the message */
static int native_kube_access(lua_State *L)
{
    struct err err = ERR_INIT;
    struct kube_access access;
    const char *path = luaL_optstring(L, 1, NULL), *context = luaL_optstring(L, 2, NULL);
    if (kube_access_load(&access, path, context, &err) != 0)
        return push_result(L, NULL, &err);
    json_t *made =
        json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "context",
                  access.context, "server", access.server, "namespace", access.namespace, "ca",
                  access.ca_pem, "cert", access.cert_pem, "key", access.key_pem, "token",
                  access.token, "username", access.username, "password", access.password,
                  "tls_server_name", access.tls_server_name, "proxy_url", access.proxy_url);
    char *text = dump(made);
    json_decref(made);
    kube_access_release(&access);
    return push_result(L, text, NULL);
}

/* in_range(version, range) -> boolean */
static int native_in_range(lua_State *L)
{
    lua_pushboolean(L, requires_in_range(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
    return 1;
}

/* setenv(name, value or nil): of this process. */
static int native_setenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *value = luaL_optstring(L, 2, NULL);
    int result = value ? setenv(name, value, 1) : unsetenv(name);
    return luaL_fileresult(L, result == 0, name);
}

static const luaL_Reg functions[] = {
    { "yaml_emit", native_yaml_emit },
    { "yaml_parse", native_yaml_parse },
    { "keys_ordered", native_keys_ordered },
    { "verdict", native_verdict },
    { "kube_access", native_kube_access },
    { "in_range", native_in_range },
    { "setenv", native_setenv },
    { NULL, NULL },
};

int luaopen_native(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
