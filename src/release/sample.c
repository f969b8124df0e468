#include "release/sample.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { TRIED_ALIKE = 8 };

struct sample {
    json_t *tried; /* how many, by shape */
};

struct sample *sample_new(void)
{
    struct sample *sample = xcalloc(1, sizeof *sample);
    sample->tried = json_object();
    return sample;
}

void sample_free(struct sample *sample)
{
    if (sample)
        json_decref(sample->tried);
    free(sample);
}

/* FNV-1a (RFC draft-eastlake-fnv): goes on from `hash`. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211U;
    return hash * 1099511628211U; /* the end of the text */
}

/* Maps whose keys are the profile's own. */
static bool is_free_map(const char *key)
{
    static const char *const keys[] = {
        "data",        "stringData",  "binaryData", "labels",
        "annotations", "matchLabels", "selector",   "nodeSelector"
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* The sum over all fields, so that their order does not count. */
static uint64_t shape_of(const json_t *value, uint64_t path)
{
    uint64_t sum = path + (uint64_t)json_typeof(value);
    const char *key;
    json_t *child;
    size_t i;
    json_object_foreach((json_t *)value, key, child) {
        uint64_t place = add_text(path, key);
        sum += is_free_map(key) ? place : shape_of(child, place);
    }
    json_array_foreach((json_t *)value, i, child)
        sum += shape_of(child, path * 31);
    return sum;
}

bool sample_wants(struct sample *sample, const struct work_item *item)
{
    char key[17];
    uint64_t start = add_text(add_text(14695981039346656037U, item->kind), item->namespace);
    snprintf(key, sizeof key, "%016llx",
             (unsigned long long)shape_of(item->object, add_text(start, item->api_version)));
    json_int_t tried = json_integer_value(json_object_get(sample->tried, key));
    json_object_set_new(sample->tried, key, json_integer(tried + 1));
    return tried < TRIED_ALIKE;
}
