#include "object/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int rank(const char *key)
{
    static const char *const first[] = { "apiVersion", "kind", "metadata", "name", "namespace" };
    int count = (int)(sizeof first / sizeof *first);
    for (int i = 0; i < count; i++)
        if (strcmp(key, first[i]) == 0)
            return i;
    return count;
}

static int compare(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;
    int difference = rank(a) - rank(b);
    return difference ? difference : strcmp(a, b);
}

static json_t *same_value(const json_t *value)
{
    return json_incref((json_t *)value);
}

/* A copy with its keys in order, its values as `of` makes them. */
static json_t *ordered_object(const json_t *value, json_t *(*of)(const json_t *))
{
    size_t count = json_object_size(value), i = 0;
    const char **keys = xcalloc(count, sizeof *keys);
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)value, key, child)
        keys[i++] = key;
    qsort(keys, count, sizeof *keys, compare);
    json_t *copy = json_object();
    for (i = 0; i < count; i++)
        json_object_set_new(copy, keys[i], of(json_object_get(value, keys[i])));
    free(keys);
    return copy;
}

json_t *keys_ordered_here(const json_t *object)
{
    return ordered_object(object, same_value);
}

json_t *keys_ordered(const json_t *value)
{
    if (json_is_object(value))
        return ordered_object(value, keys_ordered);
    if (!json_is_array(value))
        return json_deep_copy(value);
    json_t *copy = json_array();
    size_t i;
    json_t *child;
    json_array_foreach(value, i, child)
        json_array_append_new(copy, keys_ordered(child));
    return copy;
}
