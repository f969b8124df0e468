#include "script/convert.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "object/keys.h"
#include "object/schema.h"
#include "object/share.h"

enum {
    DEPTH_MAX = 64,
    DEPTH_OBJECT = 4, /* of an API object in a profile; each of those is like no other */
};

/* One step of the path to a value, kept on the C stack: a longjmp past it loses nothing. */
struct step {
    const struct step *parent;
    const char *key; /* NULL: an index */
    lua_Integer index;
    int depth;
    int at;                        /* of the stack */
    struct convert_common *common; /* NULL: not of a profile */
};

static void convert(lua_State *L, int index, json_t *owner, const struct step *step);

static void path_text(const struct step *step, char *text, size_t size)
{
    if (!step) {
        *text = '\0';
        return;
    }
    path_text(step->parent, text, size);
    size_t used = strlen(text);
    if (step->key)
        snprintf(text + used, size - used, "%s%s", used ? "." : "", step->key);
    else
        snprintf(text + used, size - used, "[%lld]", (long long)step->index);
}

static int fail(lua_State *L, const struct step *step, const char *what)
{
    char path[512];
    path_text(step, path, sizeof path);
    return luaL_error(L, "%s: %s", path, what);
}

/* Pushes a field of the table at a place of the stack, nil for what is no table. */
static int push_field(lua_State *L, int at, const char *name)
{
    if (!lua_istable(L, at)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    lua_pushstring(L, name);
    return lua_rawget(L, at);
}

/* Adds the object on top when it is a CustomResourceDefinition. One that is wrong is not added: who
 * checks the objects tells of it. */
static void add_if_crd(lua_State *L, struct convert_common *common)
{
    struct err ignored = ERR_INIT;
    int at = lua_gettop(L);
    const char *const crd = "CustomResourceDefinition";
    if (push_field(L, at, "kind") == LUA_TSTRING && strcmp(lua_tostring(L, -1), crd) == 0) {
        convert_into(L, at, common->holder, crd);
        schema_set_add_crd(common->set, json_object_get(common->holder, crd), &ignored);
    }
    lua_settop(L, at);
}

/* Calls `each` with the items of the list that the table on top has in a field, each on top. */
static void each_item(lua_State *L, const char *field, struct convert_common *common,
                      void (*each)(lua_State *L, struct convert_common *common))
{
    int top = lua_gettop(L);
    luaL_checkstack(L, 8, "looking for definitions");
    push_field(L, top, field);
    for (lua_Integer i = 1; lua_istable(L, top + 1) && lua_rawgeti(L, top + 1, i) != LUA_TNIL;
         i++) {
        each(L, common);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
}

static void add_crds(lua_State *L, struct convert_common *common)
{
    each_item(L, "objects", common, add_if_crd);
}

/* The kinds of the profile that a step lies in, read when they are asked for first. */
static const struct schema_set *profile_kinds(lua_State *L, const struct step *step)
{
    struct convert_common *common = step->common;
    while (step->parent)
        step = step->parent;
    if (common && !common->set) {
        common->set = schema_set_new();
        common->holder = json_object();
        lua_pushvalue(L, step->at);
        each_item(L, "components", common, add_crds);
        lua_pop(L, 1);
    }
    return common ? common->set : NULL;
}

/* Pushes nothing. The schema of the API object that the table at a step is, or one without a table.
 */
static struct schema kind_at(lua_State *L, const struct step *step)
{
    struct schema_kind kind = { .root = { NULL, 0 } };
    lua_pushstring(L, "apiVersion");
    lua_rawget(L, step->at);
    lua_pushstring(L, "kind");
    lua_rawget(L, step->at);
    if (lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING) {
        const char *version = lua_tostring(L, -2), *name = lua_tostring(L, -1);
        if (!schema_find(NULL, version, name, &kind))
            schema_find(profile_kinds(L, step), version, name, &kind);
    }
    lua_pop(L, 2);
    return kind.root;
}

/* What the schema says of the place of a step. Only an empty table asks. */
static struct schema schema_at(lua_State *L, const struct step *step)
{
    struct schema none = { NULL, 0 };
    struct schema_field field;
    if (!step || !lua_istable(L, step->at))
        return none;
    struct schema own = kind_at(L, step);
    if (own.table)
        return own;
    struct schema outer = schema_at(L, step->parent);
    if (!outer.table)
        return none;
    switch (schema_type(outer)) {
    case SCHEMA_OBJECT:
        return step->key && schema_field_find(outer, step->key, &field) ? field.schema : none;
    case SCHEMA_MAP:
    case SCHEMA_ARRAY: return schema_items(outer);
    default: return none;
    }
}

static bool is_empty_list(lua_State *L, const struct step *step)
{
    lua_pushnil(L);
    if (lua_next(L, step->at) != 0) {
        lua_pop(L, 2);
        return false;
    }
    struct schema schema = schema_at(L, step);
    return schema.table && schema_type(schema) == SCHEMA_ARRAY;
}

enum shape { SHAPE_OBJECT, SHAPE_ARRAY, SHAPE_NEITHER };

/* A table is an array or object by its bk.array or bk.object mark, else by its keys; an empty one
 * by what the schema says of its place, else it is an object. */
static enum shape shape_of(lua_State *L, int index, const struct step *step)
{
    enum shape marked = SHAPE_NEITHER;
    if (luaL_getmetafield(L, index, "__name") != LUA_TNIL) {
        const char *name = lua_tostring(L, -1);
        if (name && strcmp(name, "bk.array") == 0)
            marked = SHAPE_ARRAY;
        else if (name && strcmp(name, "bk.object") == 0)
            marked = SHAPE_OBJECT;
        lua_pop(L, 1);
    }
    lua_Unsigned length = lua_rawlen(L, index), integers = 0, strings = 0, others = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 &&
            (lua_Unsigned)lua_tointeger(L, -2) <= length)
            integers++;
        else if (lua_type(L, -2) == LUA_TSTRING)
            strings++;
        else
            others++;
        lua_pop(L, 1);
    }
    if (others || (integers && strings) || integers != (strings ? 0 : length))
        return SHAPE_NEITHER;
    if (marked == SHAPE_ARRAY)
        return strings ? SHAPE_NEITHER : SHAPE_ARRAY;
    if (marked == SHAPE_OBJECT)
        return integers ? SHAPE_NEITHER : SHAPE_OBJECT;
    return integers || is_empty_list(L, step) ? SHAPE_ARRAY : SHAPE_OBJECT;
}

/* Puts a value in its place, in that of what was put there first if `again`. Takes over the
 * reference. */
static void attach(json_t *owner, const struct step *step, json_t *value, bool again)
{
    if (step->key)
        json_object_set_new(owner, step->key, value);
    else if (again)
        json_array_set_new(owner, json_array_size(owner) - 1, value);
    else
        json_array_append_new(owner, value);
}

/* The content of a Secret: it is filled in, sealed and hidden in place. */
static bool is_content(const struct step *step)
{
    return step->depth == DEPTH_OBJECT + 1 && step->key &&
           (strcmp(step->key, "data") == 0 || strcmp(step->key, "stringData") == 0);
}

/* What is inside of the objects of a profile stands there once if it is equal. */
static json_t *shared(const struct step *step, json_t *value)
{
    bool is_inside = step->common && step->depth > DEPTH_OBJECT && !is_content(step);
    return is_inside ? share_value(step->common->share, value) : value;
}

static void put(json_t *owner, const struct step *step, json_t *value)
{
    attach(owner, step, shared(step, value), false);
}

/* In the place of a table whose values are all there: with its keys in order. */
static void settle(json_t *owner, const struct step *step, json_t *made)
{
    if (!step->common)
        return;
    json_t *ordered = json_is_object(made) ? keys_ordered_here(made) : json_incref(made);
    attach(owner, step, shared(step, ordered), true);
}

static json_t *number_value(lua_State *L, int index, const struct step *step)
{
    lua_Integer integer;
    int exact;
    integer = lua_tointegerx(L, index, &exact);
    if (exact)
        return json_integer(integer);
    lua_Number number = lua_tonumber(L, index);
    if (!isfinite(number))
        fail(L, step, "a number that is not finite");
    return json_real(number);
}

static void convert(lua_State *L, int index, json_t *owner, const struct step *step)
{
    size_t length;
    if (step->depth > DEPTH_MAX)
        fail(L, step, "nested too deeply, or a table that holds itself");
    luaL_checkstack(L, 8, "converting a value");
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: put(owner, step, json_boolean(lua_toboolean(L, index))); break;
    case LUA_TNUMBER: put(owner, step, number_value(L, index, step)); break;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &length);
        json_t *value = strlen(text) == length ? json_stringn(text, length) : NULL;
        if (!value)
            fail(L, step, "a string that is not UTF-8 text; encode it as base64 (bk.base64)");
        put(owner, step, value);
        break;
    }
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, index))
            fail(L, step, "a userdata has no place in an object");
        put(owner, step, json_null());
        break;
    case LUA_TTABLE: {
        enum shape shape = shape_of(L, index, step);
        if (shape == SHAPE_NEITHER)
            fail(L, step, "neither a list nor a map: keys are 1..n without holes, or all strings");
        json_t *made = shape == SHAPE_ARRAY ? json_array() : json_object();
        attach(owner, step, made, false);
        if (shape == SHAPE_ARRAY) {
            lua_Integer count = (lua_Integer)lua_rawlen(L, index);
            for (lua_Integer i = 1; i <= count; i++) {
                lua_rawgeti(L, index, i);
                struct step child = { step, NULL, i, step->depth + 1, lua_gettop(L), step->common };
                convert(L, child.at, made, &child);
                lua_pop(L, 1);
            }
            settle(owner, step, made);
            break;
        }
        lua_pushnil(L);
        while (lua_next(L, index) != 0) {
            struct step child = {
                step, lua_tolstring(L, -2, &length), 0, step->depth + 1, lua_gettop(L), step->common
            };
            if (strlen(child.key) != length)
                fail(L, step, "a key with a NUL character");
            convert(L, child.at, made, &child);
            lua_pop(L, 1);
        }
        settle(owner, step, made);
        break;
    }
    default: fail(L, step, "this value has no place in an object (a function?)");
    }
}

void convert_into(lua_State *L, int index, json_t *owner, const char *key)
{
    struct step root = { NULL, key, 0, 0, lua_absindex(L, index), NULL };
    convert(L, root.at, owner, &root);
}

static void begin(struct convert_common *common)
{
    if (!common->share)
        common->share = share_new();
}

void convert_profile_into(lua_State *L, int index, json_t *owner, const char *key,
                          struct convert_common *common)
{
    begin(common);
    struct step root = { NULL, key, 0, 0, lua_absindex(L, index), common };
    convert(L, root.at, owner, &root);
}

void convert_component_into(lua_State *L, int index, int profile, size_t number, json_t *owner,
                            const char *key, struct convert_common *common)
{
    begin(common);
    int at = lua_absindex(L, index);
    struct step root = { NULL, key, 0, 0, profile ? lua_absindex(L, profile) : at, common };
    struct step components = { &root, "components", 0, 1, at, common };
    struct step step = { &components, NULL, (lua_Integer)number, 2, at, common };
    json_t *holder = json_array();
    json_object_set_new(owner, key, holder);
    convert(L, at, holder, &step);
}

void convert_common_release(struct convert_common *common)
{
    schema_set_free(common->set);
    json_decref(common->holder);
    share_free(common->share);
    *common = (struct convert_common){ NULL, NULL, NULL };
}

static void mark(lua_State *L, const char *name)
{
    luaL_newmetatable(L, name); /* its __name is the mark */
    lua_setmetatable(L, -2);
}

static void push(lua_State *L, const json_t *value, bool plain)
{
    size_t i;
    const char *key;
    json_t *child;
    luaL_checkstack(L, 8, "a value");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        lua_createtable(L, 0, (int)json_object_size(value));
        json_object_foreach((json_t *)value, key, child) {
            lua_pushstring(L, key);
            push(L, child, plain);
            lua_rawset(L, -3);
        }
        if (json_object_size(value) == 0 && !plain)
            mark(L, "bk.object");
        break;
    case JSON_ARRAY:
        lua_createtable(L, (int)json_array_size(value), 0);
        json_array_foreach(value, i, child) {
            push(L, child, plain);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        if (json_array_size(value) == 0 && !plain)
            mark(L, "bk.array");
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
    case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
    case JSON_TRUE: lua_pushboolean(L, 1); break;
    case JSON_FALSE: lua_pushboolean(L, 0); break;
    case JSON_NULL:
        if (plain)
            lua_pushnil(L);
        else
            lua_pushlightuserdata(L, NULL);
        break;
    }
}

void convert_push(lua_State *L, const json_t *value)
{
    push(L, value, false);
}

void convert_push_plain(lua_State *L, const json_t *value)
{
    push(L, value, true);
}
