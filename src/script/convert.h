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

/* The kinds that a profile brings CustomResourceDefinitions for. All that it points to is its own.
 */
struct convert_kinds {
    struct schema_set *set; /* NULL until one is asked for */
    json_t *holder;         /* of the definition that is read */
};

/*
 * The same for a profile ({ components = { { objects = { ... } } } }): what an empty table is of a
 * kind that it has a CustomResourceDefinition for, that says. `kinds`, zero at first, is the
 * caller's above the pcall.
 */
void convert_profile_into(lua_State *L, int index, json_t *owner, const char *key,
                          struct convert_kinds *kinds);

void convert_kinds_release(struct convert_kinds *kinds);

/*
 * Pushes a value of JSON: null as cjson.null, lists and maps that are empty with the marks of
 * bk.array and bk.object. MAY_RAISE; the caller holds `value`.
 */
void convert_push(lua_State *L, const json_t *value);

/* The same for scripts of others: nulls are left out, and nothing is marked. MAY_RAISE. */
void convert_push_plain(lua_State *L, const json_t *value);

#endif
