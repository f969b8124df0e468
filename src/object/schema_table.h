/*
 * How schemas are laid out: arrays without pointers, so that what is built in is neither relocated
 * nor copied at the start. Known to schema.c and to the file that `make schema` writes.
 */
#ifndef OBJECT_SCHEMA_TABLE_H
#define OBJECT_SCHEMA_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "object/schema.h"

enum {
    SCHEMA_INT32 = 1,
    SCHEMA_NULLABLE = 2,
    SCHEMA_OPEN = 4,         /* fields beside those listed are allowed */
    SCHEMA_HAS_REQUIRED = 8, /* at least one of the fields */
    SCHEMA_OBJECT_META = 16, /* stands for ObjectMeta of the built-in table */
};

enum {
    SCHEMA_NAMESPACED = 1,
    SCHEMA_DEPRECATED = 2,
    SCHEMA_CUSTOM = 4,
};

struct schema_node {
    uint32_t first; /* OBJECT: in entries; else in words (enumeration, or keys of a list) */
    uint16_t child; /* ARRAY, MAP: in nodes */
    uint16_t count; /* of entries or words */
    uint8_t type;   /* enum schema_type */
    uint8_t flags;
};

struct schema_entry {
    uint32_t name; /* in pool, as every uint32_t below; the entries of a node ascend by it */
    uint16_t node;
    uint8_t required;
    uint8_t check; /* enum schema_check */
};

struct schema_kind_entry {
    uint32_t group, version, kind;
    uint16_t node;
    uint8_t flags;
};

struct schema_table {
    const char *pool;
    const struct schema_node *nodes;
    const struct schema_entry *entries;
    const uint32_t *words;
    const struct schema_kind_entry *kinds; /* ascending by kind, group, version */
    uint16_t kind_count;
    uint16_t object_meta; /* in nodes; the built-in table's alone */
};

extern const struct schema_table schema_builtin;

#endif
