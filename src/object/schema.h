/*
 * What the kinds of Kubernetes look like: fields, types, what is required. The kinds of one release
 * are in the program (see `make schema`); a set adds those of CustomResourceDefinitions. Nothing
 * here asks a cluster.
 *
 * Handles are small and passed by value; those of custom kinds live as long as their set, and so do
 * the strings. NULL for a set means the built-in kinds alone.
 */
#ifndef OBJECT_SCHEMA_H
#define OBJECT_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct schema_set;
struct schema_table;

/* A place in a schema. With table NULL nothing is known of it: anything goes. */
struct schema {
    const struct schema_table *table;
    unsigned node;
};

enum schema_type {
    SCHEMA_ANY, /* no type, or no fields listed */
    SCHEMA_STRING,
    SCHEMA_INTEGER,
    SCHEMA_NUMBER,
    SCHEMA_BOOLEAN,
    SCHEMA_OBJECT, /* fields by name */
    SCHEMA_MAP,    /* any keys, values of one schema */
    SCHEMA_ARRAY,
    SCHEMA_QUANTITY,
    SCHEMA_INT_OR_STRING,
    SCHEMA_TIME,  /* RFC 3339, as a string */
    SCHEMA_BYTES, /* base64, as a string */
};

/* Rules of a field that its type does not tell; assigned in schema_reduce.lua. */
enum schema_check {
    SCHEMA_CHECK_NONE,
    SCHEMA_CHECK_LABELS,      /* a map of labels */
    SCHEMA_CHECK_ANNOTATIONS, /* a map of annotations */
    SCHEMA_CHECK_LABEL_KEY,
    SCHEMA_CHECK_DATA_KEYS, /* a map by file names, as of ConfigMap and Secret */
    SCHEMA_CHECK_DNS_LABEL,
    SCHEMA_CHECK_ENV_NAME,
    SCHEMA_CHECK_PORT,         /* 1 to 65535 */
    SCHEMA_CHECK_PORT_OR_ZERO, /* 0 stands for none */
    SCHEMA_CHECK_PORT_NAME,    /* IANA_SVC_NAME */
    SCHEMA_CHECK_PORT_REF,     /* number or name */
};

struct schema_kind {
    const char *group; /* "" of the core */
    const char *version;
    const char *kind;
    bool namespaced;
    bool deprecated; /* as its CustomResourceDefinition says */
    bool custom;     /* of a CustomResourceDefinition */
    struct schema root;
};

struct schema_field {
    const char *name;
    struct schema schema;
    bool required;
    enum schema_check check;
};

struct schema_set *schema_set_new(void);
void schema_set_free(struct schema_set *set);

/*
 * Adds the served versions of a CustomResourceDefinition (apiextensions.k8s.io/v1), in the place of
 * those that an earlier one of its group and kind added. Returns 0, or -1 with ERR_PROFILE naming
 * the place inside it that is no structural schema, is nested deeper than 64 or too large; the set
 * is then as before.
 */
int schema_set_add_crd(struct schema_set *set, const json_t *crd, struct err *err);

/* The kind of an object; `api_version` is "v1" or "group/version". False when unknown. */
bool schema_find(const struct schema_set *set, const char *api_version, const char *kind,
                 struct schema_kind *found);

/* One kind after the other, `*cursor` being 0 at first: those named `kind`, or all when that is
 * NULL. The built-in ones come first; each part ascends by kind, group, version. False at the end.
 */
bool schema_next(const struct schema_set *set, const char *kind, size_t *cursor,
                 struct schema_kind *found);

/* What `metadata` is, of every kind. */
struct schema schema_object_meta(void);

/* The release of Kubernetes that the built-in kinds are of, "v1.36.3". */
extern const char schema_release[];

/* Whether the built-in kinds have one in this group. */
bool schema_group_builtin(const char *group);

/* More than 0 when version `a` is to be preferred to `b`, by Kubernetes' rule: v2, v1, v1beta2,
 * v1beta1, v1alpha1, then other names by the alphabet. */
int schema_version_compare(const char *a, const char *b);

/* Whether a version is named as a beta or alpha one. */
bool schema_version_unstable(const char *version);

enum schema_type schema_type(struct schema schema);
bool schema_nullable(struct schema schema);
bool schema_int32(struct schema schema); /* an INTEGER or INT_OR_STRING of 32 bits */

/* OBJECT: fields beside the known ones are allowed. */
bool schema_open(struct schema schema);

/* OBJECT: the number of fields, the field at an index (ascending by name), and the one of a name.
 */
size_t schema_field_count(struct schema schema);
void schema_field_at(struct schema schema, size_t index, struct schema_field *field);
bool schema_field_find(struct schema schema, const char *name, struct schema_field *field);

/* OBJECT: whether one of the fields is required; saves looking at all. */
bool schema_has_required(struct schema schema);

/* ARRAY: what its items are; MAP: what its values are. */
struct schema schema_items(struct schema schema);

/* STRING: the values that are allowed, none listed meaning all; ARRAY: the fields by which its
 * items are told from each other. */
size_t schema_word_count(struct schema schema);
const char *schema_word_at(struct schema schema, size_t index);

#endif
