/* Texts in the metadata of an API object, as the server sent it. */
#ifndef OBJECT_META_H
#define OBJECT_META_H

#include <jansson.h>

/* A text of metadata ("name", "uid"), "" when there is none; the object's. */
const char *meta_text(const json_t *object, const char *key);
const char *meta_label(const json_t *object, const char *key);
const char *meta_annotation(const json_t *object, const char *key);

#endif
