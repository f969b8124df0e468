/*
 * Sets of fields as managedFields have them (fieldsV1, the serialisation of structured-merge-diff):
 *   {"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{}}}}}
 * An empty node, or one with ".", is a field of the set; others lead to fields only. A path to one
 * is a JSON array of the keys on the way: "f:name" of a field, "k:{..}" of the list element with
 * these values, "v:.." of a list's own value, "i:0" of an index.
 */
#ifndef OBJECT_FIELDS_H
#define OBJECT_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* The fields of either set, NULL being an empty one. A new reference. */
json_t *fields_union(const json_t *a, const json_t *b);

/* Whether a field is in the set, by itself or as part of a field that is. */
bool fields_contain(const json_t *fields, const json_t *path);

/*
 * Reads a path as the API server writes it in a conflict's cause:
 *   .spec.template.spec.containers[name="web"].image
 * Keys stand there as they are, also those with dots, so they are looked for in `object`; what it
 * (or NULL) does not have ends at the next dot. A new reference, or NULL with ERR_FAILED.
 */
json_t *fields_parse_path(const char *text, const json_t *object, struct err *err);

/* The text of a path for people: spec.template.spec.containers[web].image. The caller's to free. */
char *fields_format_path(const json_t *path);

/* The same place as a path of object/path.h; NULL when the object does not have it. New reference.
 */
json_t *fields_path_in(const json_t *object, const json_t *path);

/* The value of a field in an object, NULL when the object does not have it. A new reference. */
json_t *fields_value_in(const json_t *object, const json_t *path);

/* Puts another value in the place of a field that the object has. False when it has none. */
bool fields_set_in(json_t *object, const json_t *path, json_t *value);

/* Takes a field out of an object, and the parents that are empty then. False when there was none.
 */
bool fields_remove_from(json_t *object, const json_t *path);

/*
 * The fields of a set that an object does not have: those without fields of their own, or the whole
 * list element where the set has it and the object has none like it. An array of paths, a new
 * reference. Server-side apply by the set's only owner removes them; what the API server fills in
 * by itself comes back then.
 */
json_t *fields_left_over(const json_t *fields, const json_t *object);

#endif
