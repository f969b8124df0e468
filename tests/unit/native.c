/*
 * The program's C modules for the unit specs: text in, text out, so that a spec sees exactly the
 * values (integers, key order) that the program sees. Links no Lua of its own.
 */
#include <jansson.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "kube/kubeconfig.h"
#include "object/keys.h"
#include "object/yaml.h"
#include "release/requires.h"
#include "rollout/verdict.h"
#include "script/trace.h"

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

static void push_key(lua_State *L, const struct trace_key *key)
{
    if (key->name)
        lua_pushstring(L, key->name);
    else
        lua_pushinteger(L, key->index);
}

static void push_field(lua_State *L, const struct trace_field *field)
{
    static const char *const kinds[] = { "name", "index", "computed", "rest" };
    lua_newtable(L); // field
    lua_pushstring(L, kinds[field->kind]);
    lua_setfield(L, -2, "kind");
    if (field->kind != TRACE_FIELD_COMPUTED) {
        push_key(L, &field->key);
        lua_setfield(L, -2, "key");
    }
    lua_pushinteger(L, field->line);
    lua_setfield(L, -2, "line");
    lua_newtable(L); // field links
    for (size_t i = 0; i < field->links_count; i++) {
        const struct trace_link *link = &field->links[i];
        lua_newtable(L); // field links link
        lua_pushinteger(L, link->base);
        lua_rawseti(L, -2, 1);
        for (unsigned k = 0; k < link->keys_count; k++) {
            push_key(L, &link->keys[k]);
            lua_rawseti(L, -2, k + 2);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "links");
    lua_newtable(L); // field locals
    for (size_t i = 0; i < field->locals_count; i++) {
        lua_pushfstring(L, "%s:%d", field->locals[i].name, field->locals[i].line);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "locals");
}

static void push_site(lua_State *L, const struct trace_site *site)
{
    lua_newtable(L); // site
    lua_pushstring(L, site->kind == TRACE_SITE_CONSTRUCTOR ? "constructor" : "assignment");
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, site->file);
    lua_setfield(L, -2, "file");
    lua_pushinteger(L, site->line);
    lua_setfield(L, -2, "line");
    lua_pushinteger(L, site->bases_count);
    lua_setfield(L, -2, "bases");
    lua_pushstring(L, site->subject);
    lua_setfield(L, -2, "subject");
    lua_newtable(L); // site fields
    for (size_t i = 0; i < site->fields_count; i++) {
        push_field(L, &site->fields[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "fields");
}

/* trace(text...) -> the sites of all, from 0 on, with their count, then each new text or false; the
 * files are called "1", "2" */
static int native_trace(lua_State *L)
{
    struct trace trace = TRACE_INIT;
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++)
        luaL_checkstring(L, i);
    luaL_checkstack(L, count + 10, NULL);
    lua_newtable(L); // text... sites
    for (int i = 1; i <= count; i++) {
        char name[16];
        size_t length, made_length;
        const char *text = lua_tolstring(L, i, &length);
        snprintf(name, sizeof name, "%d", i);
        /* An exact copy, so that a sanitizer sees what is read behind it. */
        char *copy = malloc(length ? length : 1);
        memcpy(copy, text, length);
        char *made = trace_rewrite(&trace, name, copy, length, &made_length);
        free(copy);
        if (made)
            lua_pushlstring(L, made, made_length);
        else
            lua_pushboolean(L, 0);
        free(made);
    }
    for (size_t i = 0; i < trace.count; i++) {
        push_site(L, &trace.sites[i]);
        lua_rawseti(L, count + 1, (lua_Integer)i);
    }
    lua_pushinteger(L, (lua_Integer)trace.count);
    lua_setfield(L, count + 1, "count");
    trace_release(&trace);
    return count + 1;
}

/* trace_field(text, site, key) -> line of the field that sets it, or nil */
static int native_trace_field(lua_State *L)
{
    struct trace trace = TRACE_INIT;
    size_t length, made_length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer site = luaL_checkinteger(L, 2);
    const char *key = lua_isinteger(L, 3) ? NULL : luaL_checkstring(L, 3);
    free(trace_rewrite(&trace, "test", text, length, &made_length));
    const struct trace_field *field =
        site >= 0 && (size_t)site < trace.count
            ? trace_field(&trace.sites[site], key, key ? 0 : lua_tointeger(L, 3))
            : NULL;
    if (field)
        lua_pushinteger(L, field->line);
    else
        lua_pushnil(L);
    trace_release(&trace);
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
    { "trace", native_trace },
    { "trace_field", native_trace_field },
    { "setenv", native_setenv },
    { NULL, NULL },
};

int luaopen_native(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
