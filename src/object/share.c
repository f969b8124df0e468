#include "object/share.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A hash table with open addressing, never more than half full. */
struct share {
    json_t **slots;
    size_t size, count; /* size: a power of two */
};

enum { SIZE_FIRST = 256 };

struct share *share_new(void)
{
    struct share *share = xmalloc(sizeof *share);
    *share = (struct share){ xcalloc(SIZE_FIRST, sizeof(json_t *)), SIZE_FIRST, 0 };
    return share;
}

void share_free(struct share *share)
{
    if (!share)
        return;
    for (size_t i = 0; i < share->size; i++)
        json_decref(share->slots[i]);
    free(share->slots);
    free(share);
}

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *next = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ next[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t mix_pointer(uint64_t hash, const void *pointer)
{
    uint64_t bits = (uintptr_t)pointer;
    return (hash ^ bits ^ (bits >> 17)) * 0x9e3779b97f4a7c15u;
}

/* Children by their addresses: equal ones are one. */
static uint64_t hash_of(const json_t *value)
{
    uint64_t hash = 0xcbf29ce484222325u + (uint64_t)json_typeof(value);
    const char *key;
    json_t *child;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        json_object_foreach((json_t *)value, key, child)
            hash = mix_pointer(mix(hash, key, strlen(key) + 1), child);
        break;
    case JSON_ARRAY:
        json_array_foreach((json_t *)value, i, child)
            hash = mix_pointer(hash, child);
        break;
    case JSON_STRING: hash = mix(hash, json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER: {
        json_int_t integer = json_integer_value(value);
        hash = mix(hash, &integer, sizeof integer);
        break;
    }
    default: break;
    }
    return hash ^ (hash >> 29);
}

static bool same_object(json_t *a, json_t *b)
{
    void *x = json_object_iter(a), *y = json_object_iter(b);
    while (x && y && json_object_iter_value(x) == json_object_iter_value(y) &&
           strcmp(json_object_iter_key(x), json_object_iter_key(y)) == 0) {
        x = json_object_iter_next(a, x);
        y = json_object_iter_next(b, y);
    }
    return !x && !y;
}

static bool same_array(const json_t *a, const json_t *b)
{
    size_t count = json_array_size(a);
    if (count != json_array_size(b))
        return false;
    for (size_t i = 0; i < count; i++)
        if (json_array_get(a, i) != json_array_get(b, i))
            return false;
    return true;
}

static bool same(json_t *a, json_t *b)
{
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return same_object(a, b);
    return json_is_array(a) ? same_array(a, b) : json_equal(a, b) == 1;
}

static size_t place_of(const struct share *share, json_t *value)
{
    size_t at = (size_t)hash_of(value) & (share->size - 1);
    while (share->slots[at] && !same(share->slots[at], value))
        at = (at + 1) & (share->size - 1);
    return at;
}

static void grow(struct share *share)
{
    struct share larger = { xcalloc(share->size * 2, sizeof(json_t *)), share->size * 2,
                            share->count };
    for (size_t i = 0; i < share->size; i++)
        if (share->slots[i])
            larger.slots[place_of(&larger, share->slots[i])] = share->slots[i];
    free(share->slots);
    *share = larger;
}

json_t *share_value(struct share *share, json_t *value)
{
    size_t at = place_of(share, value);
    if (share->slots[at]) {
        json_decref(value);
        return json_incref(share->slots[at]);
    }
    share->slots[at] = json_incref(value);
    if (2 * ++share->count > share->size)
        grow(share);
    return value;
}
