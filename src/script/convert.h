/* Lua values to API values and back. */
#ifndef SCRIPT_CONVERT_H
#define SCRIPT_CONVERT_H

#include <jansson.h>
#include <lua.h>

/*
 * Puts the value at stack index `index` under `key` of `*owner`, a JSON object that the C caller
 * above the pcall holds, so that an error on the way leaks nothing. Raises a Lua error that names
 * the path ("components[1].objects[2].spec") for what has no JSON: functions, NaN, tables that are
 * neither a list nor a map, cycles.
 */
void convert_into(lua_State *L, int index, json_t *owner, const char *key);

/*
 * Pushes a value of JSON: null as cjson.null, lists and maps that are empty with the marks of
 * bk.array and bk.object. MAY_RAISE; the caller holds `value`.
 */
void convert_push(lua_State *L, const json_t *value);

#endif
