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
#include "object/path.h"
#include "object/schema.h"
#include "object/validate.h"
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

/* What the stream's reader does with documents: a list of [number, line, value], at most `most`. */
struct collection {
    json_t *documents;
    size_t most;
};

static int collect(void *data, const struct yaml_document *document, struct err *err)
{
    struct collection *collection = data;
    json_array_append_new(collection->documents,
                          json_pack("[I, I, O]", (json_int_t)document->number,
                                    (json_int_t)document->line, document->value));
    if (json_is_string(document->value) &&
        strcmp(json_string_value(document->value), "refuse me") == 0)
        return err_set(err, ERR_USAGE, "refused");
    return json_array_size(collection->documents) == collection->most ? 1 : 0;
}

/* yaml_parse_stream(yaml, most or nil) -> json of [[number, line, value], ...], or nil and the
 * message */
static int native_yaml_parse_stream(lua_State *L)
{
    struct err err = ERR_INIT;
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct collection collection = { json_array(), (size_t)luaL_optinteger(L, 2, 0) };
    struct yaml_reader reader = { collect, &collection };
    /* Of the exact size, so that a read beyond the end is found. */
    char *copy = malloc(length ? length : 1);
    if (length)
        memcpy(copy, text, length);
    int result = yaml_parse_stream(copy, length, "test.yaml", ERR_USAGE, &reader, &err);
    free(copy);
    char *made = result >= 0 ? dump(collection.documents) : NULL;
    json_decref(collection.documents);
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

/* path_format(json) -> text */
static int native_path_format(lua_State *L)
{
    json_t *path = check_json(L, 1);
    char *text = path_format(path);
    json_decref(path);
    return push_result(L, text, NULL);
}

/* path_parse(text) -> json, or nil and the message */
static int native_path_parse(lua_State *L)
{
    struct err err = ERR_INIT;
    json_t *path = path_parse(luaL_checkstring(L, 1), &err);
    char *text = path ? dump(path) : NULL;
    json_decref(path);
    return push_result(L, text, &err);
}

/* path_resolve(json of an object, text) -> text, or nil and the message */
static int native_path_resolve(lua_State *L)
{
    struct err err = ERR_INIT;
    json_t *object = check_json(L, 1), *path = path_parse(luaL_checkstring(L, 2), &err);
    json_t *resolved = path ? path_resolve(object, path, &err) : NULL;
    char *text = resolved ? path_format(resolved) : NULL;
    json_decref(object);
    json_decref(path);
    json_decref(resolved);
    return push_result(L, text, &err);
}

/* A set with the CustomResourceDefinitions of a JSON array; NULL with err. */
static struct schema_set *make_set(const json_t *crds, struct err *err)
{
    struct schema_set *set = schema_set_new();
    size_t i;
    json_t *crd;
    json_array_foreach(crds, i, crd) {
        if (schema_set_add_crd(set, crd, err) != 0) {
            schema_set_free(set);
            return NULL;
        }
    }
    return set;
}

static void add_problem(const struct validate_problem *problem, void *data)
{
    char *path = path_format(problem->path);
    json_array_append_new(data, json_pack("{s:s, s:s, s:s, s:s}", "rule", problem->rule, "severity",
                                          problem->severity == VALIDATE_ERROR ? "error" : "warning",
                                          "path", path, "message", problem->message));
    free(path);
}

/* validate(json of an object, json array of CRDs or nil, times or nil) -> json array of problems,
 * or nil and the message about a CRD; `times` repeats it, for measuring */
static int native_validate(lua_State *L)
{
    struct err err = ERR_INIT;
    lua_Integer times = luaL_optinteger(L, 3, 1);
    json_t *object = check_json(L, 1);
    json_t *crds = lua_isnoneornil(L, 2) ? json_array() : check_json(L, 2);
    struct schema_set *set = make_set(crds, &err);
    char *text = NULL;
    for (lua_Integer i = 0; set && i < times; i++) {
        json_t *problems = json_array();
        validate_object(set, object, add_problem, problems);
        free(text);
        text = dump(problems);
        json_decref(problems);
    }
    schema_set_free(set);
    json_decref(object);
    json_decref(crds);
    return push_result(L, text, &err);
}

/* schema_kinds(kind or nil, json array of CRDs or nil) -> json array of kinds */
static int native_schema_kinds(lua_State *L)
{
    struct err err = ERR_INIT;
    const char *name = luaL_optstring(L, 1, NULL);
    json_t *crds = lua_isnoneornil(L, 2) ? json_array() : check_json(L, 2);
    struct schema_set *set = make_set(crds, &err);
    json_t *kinds = json_array();
    struct schema_kind kind;
    for (size_t cursor = 0; set && schema_next(set, name, &cursor, &kind);)
        json_array_append_new(kinds,
                              json_pack("{s:s, s:s, s:s, s:b, s:b}", "group", kind.group, "version",
                                        kind.version, "kind", kind.kind, "namespaced",
                                        kind.namespaced, "custom", kind.custom));
    char *text = set ? dump(kinds) : NULL;
    json_decref(kinds);
    json_decref(crds);
    schema_set_free(set);
    return push_result(L, text, &err);
}

static void add_text(json_t *list, const char *text)
{
    json_array_append_new(list, json_string(text));
}

/* schema_at(apiVersion, kind, json path of keys; "*" steps into a list or map) -> json of what is
 * known there, or nil */
static int native_schema_at(lua_State *L)
{
    struct schema_kind kind;
    struct schema_field field = { .check = SCHEMA_CHECK_NONE };
    if (!schema_find(NULL, luaL_checkstring(L, 1), luaL_checkstring(L, 2), &kind))
        return 0;
    json_t *path = check_json(L, 3), *step;
    struct schema schema = kind.root;
    bool found = true;
    size_t i;
    json_array_foreach(path, i, step) {
        if (strcmp(json_string_value(step), "*") == 0)
            schema = schema_items(schema);
        else if (schema_field_find(schema, json_string_value(step), &field))
            schema = field.schema;
        else
            found = false;
    }
    json_decref(path);
    if (!found)
        return 0;
    json_t *words = json_array(), *required = json_array();
    for (i = 0; i < schema_word_count(schema); i++)
        add_text(words, schema_word_at(schema, i));
    for (i = 0; i < schema_field_count(schema); i++) {
        schema_field_at(schema, i, &field);
        if (field.required)
            add_text(required, field.name);
    }
    json_t *made = json_pack("{s:i, s:o, s:o, s:b, s:b}", "type", (int)schema_type(schema), "words",
                             words, "required", required, "int32", schema_int32(schema), "nullable",
                             schema_nullable(schema));
    char *text = dump(made);
    json_decref(made);
    return push_result(L, text, NULL);
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
    { "yaml_parse_stream", native_yaml_parse_stream },
    { "keys_ordered", native_keys_ordered },
    { "verdict", native_verdict },
    { "kube_access", native_kube_access },
    { "in_range", native_in_range },
    { "trace", native_trace },
    { "trace_field", native_trace_field },
    { "path_format", native_path_format },
    { "path_parse", native_path_parse },
    { "path_resolve", native_path_resolve },
    { "validate", native_validate },
    { "schema_kinds", native_schema_kinds },
    { "schema_at", native_schema_at },
    { "setenv", native_setenv },
    { NULL, NULL },
};

int luaopen_native(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
