#include "object/meta.h"

const char *object_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

const char *meta_text(const json_t *object, const char *key)
{
    return object_text(json_object_get(object, "metadata"), key);
}

const char *meta_label(const json_t *object, const char *key)
{
    return object_text(json_object_get(json_object_get(object, "metadata"), "labels"), key);
}

const char *meta_annotation(const json_t *object, const char *key)
{
    return object_text(json_object_get(json_object_get(object, "metadata"), "annotations"), key);
}
