/*
 * The place of a value inside an object: a JSON array of keys (strings) and indexes (integers from
 * 0), and its text, such as spec.template.spec.containers[0].image or
 * metadata.labels["app.kubernetes.io/name"].
 */
#ifndef OBJECT_PATH_H
#define OBJECT_PATH_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

/* The text of a path, on one line; "" of the object itself. The caller's to free. */
char *path_format(const json_t *path);

/*
 * Reads such a text. Keys in brackets stand between " (with JSON's escapes) or ' (with none), or
 * alone as in containers[web], which names an element of a list for path_resolve(). A new
 * reference, or NULL with ERR_PROFILE.
 */
json_t *path_parse(const char *text, struct err *err);

/*
 * The same path with the names of list elements turned to indexes: the element is the one whose
 * `name`, or else another field by which Kubernetes tells the elements of its lists apart
 * (containerPort, mountPath, key, ...), has that value. A new reference, or NULL with ERR_PROFILE
 * that tells which part is not there and what is.
 */
json_t *path_resolve(const json_t *object, const json_t *path, struct err *err);

/* Those fields, the most usual first; NULL behind the last. */
const char *path_identity(size_t index);

#endif
