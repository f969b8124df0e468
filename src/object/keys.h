/*
 * The order of keys that people expect in an API object: apiVersion, kind, metadata, name,
 * namespace first, then bytewise. It is made once, here; everything that prints keeps it.
 */
#ifndef OBJECT_KEYS_H
#define OBJECT_KEYS_H

#include <jansson.h>

/* A deep copy of `value` with every object's keys in order. A new reference. */
json_t *keys_ordered(const json_t *value);

/* A copy of an object with its own keys in order, its values the same ones. A new reference. */
json_t *keys_ordered_here(const json_t *object);

#endif
