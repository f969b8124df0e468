/* Texts in an API object, foremost in its metadata; "" where there is none. All are the object's.
 */
#ifndef OBJECT_META_H
#define OBJECT_META_H

#include <jansson.h>

/* Of the object itself, or of any map in it (NULL: none). */
const char *object_text(const json_t *object, const char *key);

/* Of metadata ("name", "uid"), its labels, its annotations. */
const char *meta_text(const json_t *object, const char *key);
const char *meta_label(const json_t *object, const char *key);
const char *meta_annotation(const json_t *object, const char *key);

#endif
