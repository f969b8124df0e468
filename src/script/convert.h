/* Lua values to API values and back. */
#ifndef SCRIPT_CONVERT_H
#define SCRIPT_CONVERT_H

#include <jansson.h>
#include <lua.h>

struct schema_set;

/*
 * Puts the value at stack index `index` under `key` of `*owner`, a JSON object that the C caller
 * above the pcall holds, so that an error on the way leaks nothing. Raises a Lua error that names
 * the path ("components[1].objects[2].spec") for what has no JSON: functions, NaN, tables that are
 * neither a list nor a map, cycles.
 */
void convert_into(lua_State *L, int index, json_t *owner, const char *key);

/* What the objects of a profile have in common; all zero at first. All that it points to is its
 * own. */
struct convert_common {
    struct schema_set *set; /* the kinds that it brings CustomResourceDefinitions for; NULL until
                               one is asked for */
    json_t *holder;         /* of the definition that is read */
    struct share *share;    /* what is equal in them */
};

/*
 * The same for a profile ({ components = { { objects = { ... } } } }), with keys in order, and what
 * is equal in its objects there once (object/share.h): what an empty table is of a kind that it has
 * a CustomResourceDefinition for, that says. `common` is the caller's above the pcall.
 */
void convert_profile_into(lua_State *L, int index, json_t *owner, const char *key,
                          struct convert_common *common);

/*
 * One component of it, its `number`th (from 1), as the only item of an array; `profile` is the
 * place of the whole on the stack, 0 if that is not made yet.
 */
void convert_component_into(lua_State *L, int index, int profile, size_t number, json_t *owner,
                            const char *key, struct convert_common *common);

void convert_common_release(struct convert_common *common);

/*
 * Pushes a value of JSON: null as cjson.null, lists and maps that are empty with the marks of
 * bk.array and bk.object. MAY_RAISE; the caller holds `value`.
 */
void convert_push(lua_State *L, const json_t *value);

/* The same for scripts of others: nulls are left out, and nothing is marked. MAY_RAISE. */
void convert_push_plain(lua_State *L, const json_t *value);

#endif
