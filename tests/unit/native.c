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

#include "base/align.h"
#include "base/buf.h"
#include "base/deflate.h"
#include "base/git.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/who.h"
#include "crypto/seal.h"
#include "doctor/access.h"
#include "doctor/drift.h"
#include "doctor/finding.h"
#include "doctor/likeness.h"
#include "doctor/permissions.h"
#include "doctor/sections.h"
#include "kube/kubeconfig.h"
#include "object/diff.h"
#include "object/fields.h"
#include "object/keys.h"
#include "object/path.h"
#include "object/profile.h"
#include "object/schema.h"
#include "object/validate.h"
#include "object/yaml.h"
#include "release/conflict.h"
#include "release/identity.h"
#include "release/ownership.h"
#include "release/payload.h"
#include "release/requires.h"
#include "rollout/diagnosis.h"
#include "rollout/verdict.h"
#include "script/trace.h"
#include "ui/board.h"
#include "ui/changes.h"
#include "ui/graph.h"
#include "ui/html.h"
#include "ui/page.h"

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

/* The StorageClass by the name among the objects of verdict(). */
static const json_t *find_among(const char *group, const char *kind, const char *name, void *arg)
{
    size_t i;
    json_t *object;
    (void)group;
    json_array_foreach((json_t *)arg, i, object) {
        const char *its_kind = json_string_value(json_object_get(object, "kind"));
        const char *its_name =
            json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
        if (its_kind && its_name && strcmp(its_kind, kind) == 0 && strcmp(its_name, name) == 0)
            return object;
    }
    return NULL;
}

/* verdict(json of an object, json of a list of others or nil) -> { state, reason, message, detail,
 * ready, wanted } */
static int native_verdict(lua_State *L)
{
    struct verdict verdict;
    json_t *object = check_json(L, 1), *others = lua_isnoneornil(L, 2) ? NULL : check_json(L, 2);
    struct verdict_extra extra = { NULL, others ? find_among : NULL, others };
    verdict_with(object, &extra, &verdict);
    json_decref(object);
    json_decref(others);
    lua_newtable(L);
    lua_pushstring(L, verdict_word(verdict.state));
    lua_setfield(L, -2, "state");
    lua_pushstring(L, verdict.reason);
    lua_setfield(L, -2, "reason");
    lua_pushstring(L, verdict.message);
    lua_setfield(L, -2, "message");
    lua_pushstring(L, verdict_detail(&verdict));
    lua_setfield(L, -2, "detail");
    lua_pushinteger(L, verdict.ready);
    lua_setfield(L, -2, "ready");
    lua_pushinteger(L, verdict.wanted);
    lua_setfield(L, -2, "wanted");
    return 1;
}

/* The objects of a list by their names. */
static json_t *by_name(const json_t *list)
{
    json_t *map = json_object();
    size_t i;
    json_t *object;
    json_array_foreach(list, i, object) {
        char name[32];
        const char *own =
            json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
        snprintf(name, sizeof name, "event-%zu", i);
        json_object_set(map, own ? own : name, object);
    }
    return map;
}

static bool is_on_its_way(const char *kind, const char *name, const char *key, void *arg)
{
    (void)key;
    char label[320];
    snprintf(label, sizeof label, "%s/%s", kind, name);
    return json_object_get(arg, label) != NULL;
}

/* diagnosis(json of { workload, replicasets, pods, claims, events,
 * nodes, coming }) -> nil, or its fields
 * and the json of the events that matter; `coming` has keys as "Secret/name" */
static int native_diagnosis(lua_State *L)
{
    json_t *input = check_json(L, 1);
    json_t *maps[] = { by_name(json_object_get(input, "replicasets")),
                       by_name(json_object_get(input, "pods")),
                       by_name(json_object_get(input, "claims")),
                       by_name(json_object_get(input, "events")),
                       by_name(json_object_get(input, "nodes")) };
    struct diagnosis_world world = {
        .replicasets = maps[0],
        .pods = maps[1],
        .claims = maps[2],
        .events = maps[3],
        .nodes = maps[4],
        .is_coming = is_on_its_way,
        .arg = json_object_get(input, "coming"),
    };
    const json_t *workload = json_object_get(input, "workload");
    struct diagnosis found;
    bool is_found = diagnosis_of(workload, &world, &found);
    json_t *events = diagnosis_events(workload, &world);
    char *events_text = dump(events);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        json_decref(maps[i]);
    json_decref(events);
    json_decref(input);
    const struct {
        const char *name, *value;
    } fields[] = {
        { "kind", diagnosis_word(found.kind) },
        { "object", found.object },
        { "pod", found.pod },
        { "container", found.container },
        { "message", found.message },
        { "since", found.since },
        { "hint", found.hint },
        { "missing_kind", found.missing.kind },
        { "missing_name", found.missing.name },
        { "missing_key", found.missing.key },
        { "events", events_text },
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        lua_pushstring(L, fields[i].value);
        lua_setfield(L, -2, fields[i].name);
    }
    free(events_text);
    const struct {
        const char *name;
        bool value;
    } flags[] = { { "found", is_found },
                  { "certain", found.certain },
                  { "has_log", found.has_log },
                  { "previous", found.previous } };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        lua_pushboolean(L, flags[i].value);
        lua_setfield(L, -2, flags[i].name);
    }
    return 1;
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

/* Pushes bytes and frees them, or nil and the message. */
static int push_bytes(lua_State *L, int result, char *bytes, size_t length, const struct err *err)
{
    if (result != 0)
        return push_result(L, NULL, err);
    lua_pushlstring(L, bytes, length);
    free(bytes);
    return 1;
}

/* The key at an index: 32 bytes. */
static const unsigned char *check_key(lua_State *L, int index)
{
    size_t length;
    const char *key = luaL_checklstring(L, index, &length);
    luaL_argcheck(L, length == SEAL_KEY_SIZE, index, "a key has 32 bytes");
    return (const unsigned char *)key;
}

/* seal_encrypt(key, bytes) -> text, or nil and the message */
static int native_seal_encrypt(lua_State *L)
{
    struct err err = ERR_INIT;
    size_t length;
    const char *bytes = luaL_checklstring(L, 2, &length);
    char *text = NULL;
    seal_encrypt(check_key(L, 1), bytes, length, &text, &err);
    return push_result(L, text, &err);
}

/* seal_decrypt(key, text) -> bytes, or nil and the message */
static int native_seal_decrypt(lua_State *L)
{
    struct err err = ERR_INIT;
    char *bytes = NULL;
    size_t length = 0;
    int result = seal_decrypt(check_key(L, 1), luaL_checkstring(L, 2), &bytes, &length, &err);
    return push_bytes(L, result, bytes, length, &err);
}

/* seal_passphrase(passphrase, salt) -> key, or nil and the message */
static int native_seal_passphrase(lua_State *L)
{
    struct err err = ERR_INIT;
    unsigned char key[SEAL_KEY_SIZE];
    size_t length;
    const char *passphrase = luaL_checklstring(L, 1, &length);
    if (seal_key_from_passphrase(passphrase, length, luaL_checkstring(L, 2), key, &err) != 0)
        return push_result(L, NULL, &err);
    lua_pushlstring(L, (const char *)key, sizeof key);
    return 1;
}

/* sha256(bytes) -> 32 bytes, or nil and the message */
static int native_sha256(lua_State *L)
{
    struct err err = ERR_INIT;
    unsigned char sum[32];
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    if (seal_sha256(bytes, length, sum, &err) != 0)
        return push_result(L, NULL, &err);
    lua_pushlstring(L, (const char *)sum, sizeof sum);
    return 1;
}

/* deflate_pack(bytes) -> bytes, or nil and the message */
static int native_deflate_pack(lua_State *L)
{
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    struct deflate *packer = deflate_begin(&out, &err);
    if (packer)
        deflate_add(packer, bytes, length);
    int result = packer ? deflate_end(packer, &err) : -1;
    length = out.len;
    return push_bytes(L, result, buf_detach(&out), length, &err);
}

/* deflate_unpack(bytes, most or nil) -> bytes, or nil and the message */
static int native_deflate_unpack(lua_State *L)
{
    struct err err = ERR_INIT;
    struct buf out = { .max = (size_t)luaL_optinteger(L, 2, 0) };
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    int result = deflate_unpack(bytes, length, &out, &err);
    if (result != 0) {
        buf_release(&out);
        return push_result(L, NULL, &err);
    }
    length = out.len;
    return push_bytes(L, result, buf_detach(&out), length, &err);
}

/* git_commit(path) -> text or nil */
static int native_git_commit(lua_State *L)
{
    char commit[65];
    if (git_commit(luaL_checkstring(L, 1), commit) != 0)
        return 0;
    lua_pushstring(L, commit);
    return 1;
}

/* moment_parse(text) -> nanoseconds since 1970 or -1, the length of the time */
static int native_moment_parse(lua_State *L)
{
    size_t length = 0;
    lua_pushinteger(L, moment_parse(luaL_checkstring(L, 1), &length));
    lua_pushinteger(L, (lua_Integer)length);
    return 2;
}

/* moment_ago(text) -> text */
static int native_moment_ago(lua_State *L)
{
    return push_result(L, moment_ago(luaL_checkstring(L, 1)), NULL);
}

/* who_am_i() -> text */
static int native_who_am_i(lua_State *L)
{
    return push_result(L, who_am_i(), NULL);
}

/* identity(name, namespace) -> parent, id, or nil and the message */
static int native_identity(lua_State *L)
{
    struct err err = ERR_INIT;
    struct identity identity;
    const char *name = luaL_checkstring(L, 1), *namespace = luaL_checkstring(L, 2);
    if (identity_init(&identity, name, namespace, &err) != 0) {
        identity_release(&identity);
        return push_result(L, NULL, &err);
    }
    lua_pushstring(L, identity.parent);
    lua_pushstring(L, identity.set_id);
    identity_release(&identity);
    return 2;
}

/* payload_pack(json of a source[, key]) -> json of { sha256, parts }, or nil and the message */
static int native_payload_pack(lua_State *L)
{
    struct err err = ERR_INIT;
    json_t *source = check_json(L, 1);
    json_t *packed = payload_pack(source, lua_isnoneornil(L, 2) ? NULL : check_key(L, 2), &err);
    char *text = packed ? dump(packed) : NULL;
    json_decref(source);
    json_decref(packed);
    return push_result(L, text, &err);
}

/* payload_unpack(json of { sha256, parts }) -> json of the source, or nil and the message */
static int native_payload_unpack(lua_State *L)
{
    struct err err = ERR_INIT;
    json_t *packed = check_json(L, 1);
    json_t *source = payload_unpack(packed, &err);
    char *text = source ? dump(source) : NULL;
    json_decref(source);
    json_decref(packed);
    return push_result(L, text, &err);
}

/* payload_secrets(json of a source) -> whether it has something to seal, whether it is sealed */
static int native_payload_secrets(lua_State *L)
{
    json_t *source = check_json(L, 1);
    lua_pushboolean(L, payload_has_secrets(source));
    lua_pushboolean(L, payload_is_sealed(source));
    json_decref(source);
    return 2;
}

/* payload_unseal(json of a source, key) -> json, or nil and the message */
static int native_payload_unseal(lua_State *L)
{
    struct err err = ERR_INIT;
    const unsigned char *key = check_key(L, 2);
    json_t *source = check_json(L, 1);
    char *text = payload_unseal(source, key, &err) == 0 ? dump(source) : NULL;
    json_decref(source);
    return push_result(L, text, &err);
}

/* align(list of integers, another) -> the indexes kept of the first, and of the second, as text */
static int native_align(lua_State *L)
{
    size_t *numbers[2], counts[2];
    bool *kept[2];
    for (int side = 0; side < 2; side++) {
        luaL_checktype(L, side + 1, LUA_TTABLE);
        counts[side] = lua_rawlen(L, side + 1);
        numbers[side] = xcalloc(counts[side] + 1, sizeof **numbers);
        kept[side] = xcalloc(counts[side] + 1, sizeof **kept);
        for (size_t i = 0; i < counts[side]; i++) {
            lua_rawgeti(L, side + 1, (lua_Integer)i + 1);
            numbers[side][i] = (size_t)lua_tointeger(L, -1);
            lua_pop(L, 1);
        }
    }
    align(numbers[0], counts[0], numbers[1], counts[1], kept[0], kept[1]);
    for (int side = 0; side < 2; side++) {
        lua_newtable(L);
        for (size_t i = 0, n = 0; i < counts[side]; i++) {
            if (!kept[side][i])
                continue;
            lua_pushinteger(L, (lua_Integer)i + 1);
            lua_rawseti(L, -2, (lua_Integer)++n);
        }
        free(numbers[side]);
        free(kept[side]);
    }
    return 2;
}

/* diff_cleaned(json) -> json */
static int native_diff_cleaned(lua_State *L)
{
    json_t *object = check_json(L, 1), *cleaned = diff_cleaned(object);
    char *text = dump(cleaned);
    json_decref(object);
    json_decref(cleaned);
    return push_result(L, text, NULL);
}

/* diff_objects(json or nil, json or nil, json array of CRDs or nil, kind to mask by or nil) -> json
 * array of changes */
static int native_diff_objects(lua_State *L)
{
    struct err err = ERR_INIT;
    json_t *before = lua_isnoneornil(L, 1) ? NULL : check_json(L, 1);
    json_t *after = lua_isnoneornil(L, 2) ? NULL : check_json(L, 2);
    json_t *crds = lua_isnoneornil(L, 3) ? json_array() : check_json(L, 3);
    const char *kind = luaL_optstring(L, 4, NULL);
    struct schema_set *set = make_set(crds, &err);
    char *text = NULL;
    if (set) {
        json_t *changes = diff_objects(set, before, after);
        diff_mask_secret(kind, changes);
        text = dump(changes);
        json_decref(changes);
    }
    schema_set_free(set);
    json_decref(before);
    json_decref(after);
    json_decref(crds);
    return push_result(L, text, &err);
}

/* "at <path>", to see which path was asked for; nothing is known of status. */
static const char *origin_of_path(const json_t *path, void *arg)
{
    char *text = path_format(path);
    snprintf(arg, 256, "at %s", text);
    free(text);
    return strcmp(arg, "at status") == 0 ? NULL : arg;
}

/* changes_print(json or nil, json or nil, colour, origin) -> text */
static int native_changes_print(lua_State *L)
{
    char origin[256], *text = NULL;
    size_t length;
    json_t *before = lua_isnoneornil(L, 1) ? NULL : check_json(L, 1);
    json_t *after = lua_isnoneornil(L, 2) ? NULL : check_json(L, 2);
    struct changes_style style = { .colour = lua_toboolean(L, 3), .arg = origin };
    if (lua_toboolean(L, 4))
        style.origin = origin_of_path;
    FILE *out = open_memstream(&text, &length);
    changes_print(out, NULL, before, after, &style);
    fclose(out);
    json_decref(before);
    json_decref(after);
    return push_result(L, text, NULL);
}

/* A value that may be missing: nil pushes nothing of it. */
static json_t *opt_json(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? NULL : check_json(L, index);
}

static int push_json(lua_State *L, json_t *value)
{
    if (!value)
        return 0;
    char *text = dump(value);
    json_decref(value);
    return push_result(L, text, NULL);
}

/* fields_union(json, json) -> json */
static int native_fields_union(lua_State *L)
{
    json_t *a = opt_json(L, 1), *b = opt_json(L, 2), *made = fields_union(a, b);
    json_decref(a);
    json_decref(b);
    return push_json(L, made);
}

/* fields_contain(json of fields, json of a path) -> boolean */
static int native_fields_contain(lua_State *L)
{
    json_t *fields = check_json(L, 1), *path = check_json(L, 2);
    lua_pushboolean(L, fields_contain(fields, path));
    json_decref(fields);
    json_decref(path);
    return 1;
}

/* fields_parse_path(text, json of an object or nil) -> json, text for people; or nil and the
 * message */
static int native_fields_parse_path(lua_State *L)
{
    struct err err = ERR_INIT;
    json_t *object = opt_json(L, 2),
           *path = fields_parse_path(luaL_checkstring(L, 1), object, &err);
    json_decref(object);
    if (!path)
        return push_result(L, NULL, &err);
    char *words = fields_format_path(path);
    push_json(L, path);
    lua_pushstring(L, words);
    free(words);
    return 2;
}

/* fields_path_in(json of an object, json of a path) -> text of object/path.h, or nothing */
static int native_fields_path_in(lua_State *L)
{
    json_t *object = check_json(L, 1), *path = check_json(L, 2);
    json_t *made = fields_path_in(object, path);
    char *text = made ? path_format(made) : NULL;
    json_decref(object);
    json_decref(path);
    json_decref(made);
    return text ? push_result(L, text, NULL) : 0;
}

/* fields_remove_from(json of an object, json of a path) -> the object without it, whether it was
 * there */
static int native_fields_remove_from(lua_State *L)
{
    json_t *object = check_json(L, 1), *path = check_json(L, 2);
    bool found = fields_remove_from(object, path);
    json_decref(path);
    push_json(L, object);
    lua_pushboolean(L, found);
    return 2;
}

/* fields_left_over(json of fields, json of an object) -> json of their texts */
static int native_fields_left_over(lua_State *L)
{
    json_t *fields = check_json(L, 1), *object = check_json(L, 2), *path;
    json_t *found = fields_left_over(fields, object), *texts = json_array();
    size_t i;
    json_array_foreach(found, i, path) {
        char *text = fields_format_path(path);
        json_array_append_new(texts, json_string(text));
        free(text);
    }
    json_decref(fields);
    json_decref(object);
    json_decref(found);
    return push_json(L, texts);
}

static json_t *conflict_json(const struct conflict *conflict)
{
    static const char *const actions[] = { "stop", "take", "yield" };
    struct buf words = BUF_INIT;
    conflict_describe(conflict, &words);
    json_t *made = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O?, s:O?, s:O?, s:s}",
                             "manager", conflict->manager, "operation", conflict->operation,
                             "subresource", conflict->subresource, "field", conflict->field,
                             "since", conflict->since, "action", actions[conflict->action], "why",
                             conflict->why, "field_path", conflict->field_path, "theirs",
                             conflict->theirs, "ours", conflict->ours, "words", buf_text(&words));
    char *path = conflict->path ? path_format(conflict->path) : NULL;
    if (path)
        json_object_set_new(made, "path", json_string(path));
    free(path);
    buf_release(&words);
    return made;
}

/* conflict_read(json of the answer, json of the live object or nil, json of ours, json of the
 * profile's rules or nil, force, has_autoscaler) -> json array, or nothing when there is none */
static int native_conflict_read(lua_State *L)
{
    json_t *status = check_json(L, 1), *live = opt_json(L, 2), *desired = check_json(L, 3);
    json_t *rules = opt_json(L, 4), *made = NULL;
    struct conflict_policy policy = { rules, lua_toboolean(L, 5), lua_toboolean(L, 6) };
    struct conflict *list;
    size_t count;
    if (conflict_read(status, live, desired, &policy, &list, &count) == 0) {
        made = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(made, conflict_json(&list[i]));
        conflict_free(list, count);
    }
    json_decref(status);
    json_decref(live);
    json_decref(desired);
    json_decref(rules);
    return push_json(L, made);
}

/* ownership_of(json of an object or nil, set's id) -> kind, words */
static int native_ownership_of(lua_State *L)
{
    static const char *const kinds[] = { "nobody", "us", "release", "helm", "kubectl", "other" };
    json_t *live = opt_json(L, 1);
    char *words;
    lua_pushstring(L, kinds[ownership_of(live, luaL_checkstring(L, 2), &words)]);
    lua_pushstring(L, words);
    free(words);
    json_decref(live);
    return 2;
}

/* ownership_adopting(json of an object) -> json of managedFields, json of the fields that are ours
 * then; nothing when there is nothing to move */
static int native_ownership_adopting(lua_State *L)
{
    json_t *live = check_json(L, 1);
    json_t *entries = ownership_adopting(live), *fields = ownership_adopted_fields(live);
    json_decref(live);
    return push_json(L, entries) + push_json(L, fields);
}

/* profile(json of what lua/bk hands out) -> json of what is read of its policies, or nil and the
 * message */
static int native_profile(lua_State *L)
{
    static const char *const words[] = { "unsaid", "never", "allowed" };
    struct err err = ERR_INIT;
    struct profile profile;
    json_t *source = check_json(L, 1);
    if (profile_init(&profile, source, &err) != 0) {
        json_decref(source);
        return push_result(L, NULL, &err);
    }
    json_t *components = json_object();
    for (size_t i = 0; i < profile.count; i++)
        json_object_set_new(components, profile.components[i].name,
                            json_pack("{s:b, s:s}", "keep", profile.components[i].keep, "replace",
                                      words[profile.components[i].replace]));
    json_t *made = json_pack("{s:o, s:O?}", "components", components, "conflicts",
                             (json_t *)profile.conflicts);
    profile_release(&profile);
    json_decref(source);
    return push_json(L, made);
}

/* graph("mermaid" or "dot", json of a topology) -> its text */
static int native_graph(lua_State *L)
{
    struct buf out = BUF_INIT;
    json_t *topology = check_json(L, 2);
    (strcmp(luaL_checkstring(L, 1), "dot") == 0 ? graph_dot : graph_mermaid)(topology, &out);
    json_decref(topology);
    return push_result(L, buf_detach(&out), NULL);
}

/* page(json) -> html */
static int native_page(lua_State *L)
{
    struct buf out = BUF_INIT;
    json_t *page = check_json(L, 1);
    page_write(page, &out);
    json_decref(page);
    return push_result(L, buf_detach(&out), NULL);
}

/* html(text) -> it escaped, in an element and in an attribute */
static int native_html(lua_State *L)
{
    struct buf out = BUF_INIT;
    const char *text = luaL_checkstring(L, 1);
    html_addf(&out, "<p title=\"%s\">%s %d%% %ld %zu %.2f</p>", text, text, -1, 1L << 40, (size_t)7,
              1.005);
    return push_result(L, buf_detach(&out), NULL);
}

/* setenv(name, value or nil): of this process. */
/* board(rows, columns, height) with rows = [{ name, state (its number), words, elapsed, ready,
 * wanted, finished }]: the lines that are shown, those that leave, and the rows as plain lines,
 * each joined. */
static int native_board(lua_State *L)
{
    json_t *rows = check_json(L, 1), *row;
    struct board board = { .count = json_array_size(rows),
                           .columns = (size_t)luaL_checkinteger(L, 2),
                           .height = (size_t)luaL_checkinteger(L, 3),
                           .colour = lua_toboolean(L, 4) };
    size_t i;
    board.rows = xcalloc(board.count + 1, sizeof *board.rows);
    json_array_foreach(rows, i, row)
        board.rows[i] = (struct board_row){
            .name = json_string_value(json_object_get(row, "name")),
            .words = json_string_value(json_object_get(row, "words")),
            .state = (enum progress_state)json_integer_value(json_object_get(row, "state")),
            .elapsed_ms = (long)json_integer_value(json_object_get(row, "elapsed")),
            .ready = (int)json_integer_value(json_object_get(row, "ready")),
            .wanted = (int)json_integer_value(json_object_get(row, "wanted")),
            .finished = (size_t)json_integer_value(json_object_get(row, "finished")),
        };
    struct board_lines lines[2];
    struct buf plain = BUF_INIT;
    board_measure(&board);
    board_draw(&board, &lines[1], &lines[0]);
    for (int k = 0; k < 2; k++) {
        luaL_Buffer text;
        luaL_buffinit(L, &text);
        for (i = 0; i < lines[k].count; i++) {
            luaL_addstring(&text, lines[k].list[i]);
            luaL_addchar(&text, '\n');
        }
        luaL_pushresult(&text);
        board_lines_release(&lines[k]);
    }
    for (i = 0; i < board.count; i++) {
        board_plain(&board, &board.rows[i], &plain);
        buf_adds(&plain, "\n");
    }
    lua_pushstring(L, buf_text(&plain));
    buf_release(&plain);
    free(board.rows);
    json_decref(rows);
    return 3;
}

static int native_setenv(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *value = luaL_optstring(L, 2, NULL);
    int result = value ? setenv(name, value, 1) : unsetenv(name);
    return luaL_fileresult(L, result == 0, name);
}

/* doctor(json of { wanted, live, needs, applied }) -> json of the sections */
static int native_doctor(lua_State *L)
{
    json_t *input = check_json(L, 1), *sections = json_array();
    static const char *const names[] = { "Configuration", "Resources", "Network" };
    struct doctor_world world = {
        .wanted = json_object_get(input, "wanted"),
        .live = json_object_get(input, "live"),
        .needs = json_object_get(input, "needs"),
        .applied = json_is_true(json_object_get(input, "applied")),
    };
    for (size_t i = 0; i < 3; i++)
        json_array_append_new(sections, section_new(names[i]));
    json_t *configuration = json_array_get(sections, 0), *resources = json_array_get(sections, 1);
    json_t *network = json_array_get(sections, 2);
    world_init(&world);
    configuration_look(&world, sections, configuration);
    resources_look(&world, resources);
    workloads_look(&world, sections, configuration, resources, network);
    restarts_look(&world, sections, resources);
    network_look(&world, sections, network);
    sections_finish(sections);
    world_release(&world);
    char *text = dump(sections);
    json_decref(input);
    json_decref(sections);
    return push_result(L, text, NULL);
}

/* likeness(line) -> whether it tells of an error, and what it has in common with others */
static int native_likeness(lua_State *L)
{
    const char *line = luaL_checkstring(L, 1);
    char *likeness = likeness_of(line);
    lua_pushboolean(L, likeness_is_error(line));
    lua_pushstring(L, likeness);
    free(likeness);
    return 2;
}

/* likeness_groups(json of [[line, time, component, pod]]) -> json of the groups */
static int native_likeness_groups(lua_State *L)
{
    json_t *rows = check_json(L, 1), *groups = json_object(), *row;
    size_t i;
    json_array_foreach(rows, i, row)
        likeness_add(groups, json_string_value(json_array_get(row, 0)),
                     json_string_value(json_array_get(row, 1)),
                     json_string_value(json_array_get(row, 2)),
                     json_string_value(json_array_get(row, 3)));
    char *text = dump(groups);
    json_decref(rows);
    json_decref(groups);
    return push_result(L, text, NULL);
}

/* permissions_allow(json of a review's status, json of a permission) -> allowed, incomplete */
static int native_permissions_allow(lua_State *L)
{
    json_t *status = check_json(L, 1), *permission = check_json(L, 2);
    bool incomplete;
    lua_pushboolean(L, permissions_allow(status, permission, &incomplete));
    lua_pushboolean(L, incomplete);
    json_decref(status);
    json_decref(permission);
    return 2;
}

/* access(version, milliseconds) -> json of the section */
static int native_access(lua_State *L)
{
    json_t *section = section_new("Access");
    access_version(luaL_checkstring(L, 1), section);
    access_clock(luaL_checkinteger(L, 2), section);
    char *text = dump(section);
    json_decref(section);
    return push_result(L, text, NULL);
}

/* drift_manager(json of the live object, json of it afterwards, json of a path) -> the manager or
 * nil */
static int native_drift_manager(lua_State *L)
{
    json_t *live = check_json(L, 1), *after = check_json(L, 2), *path = check_json(L, 3);
    const json_t *manager = drift_manager(live, after, path);
    const char *name = json_string_value(json_object_get(manager, "manager"));
    lua_pushstring(L, name);
    json_decref(live);
    json_decref(after);
    json_decref(path);
    return 1;
}

static const luaL_Reg functions[] = {
    { "doctor", native_doctor },
    { "likeness", native_likeness },
    { "likeness_groups", native_likeness_groups },
    { "permissions_allow", native_permissions_allow },
    { "access", native_access },
    { "drift_manager", native_drift_manager },
    { "yaml_emit", native_yaml_emit },
    { "yaml_parse", native_yaml_parse },
    { "yaml_parse_stream", native_yaml_parse_stream },
    { "keys_ordered", native_keys_ordered },
    { "verdict", native_verdict },
    { "diagnosis", native_diagnosis },
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
    { "seal_encrypt", native_seal_encrypt },
    { "seal_decrypt", native_seal_decrypt },
    { "seal_passphrase", native_seal_passphrase },
    { "sha256", native_sha256 },
    { "deflate_pack", native_deflate_pack },
    { "deflate_unpack", native_deflate_unpack },
    { "git_commit", native_git_commit },
    { "moment_ago", native_moment_ago },
    { "moment_parse", native_moment_parse },
    { "who_am_i", native_who_am_i },
    { "identity", native_identity },
    { "payload_pack", native_payload_pack },
    { "payload_unpack", native_payload_unpack },
    { "payload_secrets", native_payload_secrets },
    { "payload_unseal", native_payload_unseal },
    { "align", native_align },
    { "diff_cleaned", native_diff_cleaned },
    { "diff_objects", native_diff_objects },
    { "changes_print", native_changes_print },
    { "fields_union", native_fields_union },
    { "fields_contain", native_fields_contain },
    { "fields_parse_path", native_fields_parse_path },
    { "fields_path_in", native_fields_path_in },
    { "fields_remove_from", native_fields_remove_from },
    { "fields_left_over", native_fields_left_over },
    { "conflict_read", native_conflict_read },
    { "ownership_of", native_ownership_of },
    { "ownership_adopting", native_ownership_adopting },
    { "profile", native_profile },
    { "graph", native_graph },
    { "page", native_page },
    { "html", native_html },
    { "board", native_board },
    { "setenv", native_setenv },
    { NULL, NULL },
};

int luaopen_native(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
