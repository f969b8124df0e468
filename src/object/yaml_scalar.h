/*
 * What a scalar of a manifest means to kubectl (sigs.k8s.io/yaml over go-yaml v2, YAML 1.1 with
 * Go's numbers), without a parser around it.
 */
#ifndef OBJECT_YAML_SCALAR_H
#define OBJECT_YAML_SCALAR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

enum yaml_scalar_type {
    YAML_SCALAR_NULL,
    YAML_SCALAR_BOOL,
    YAML_SCALAR_INTEGER,
    YAML_SCALAR_UNSIGNED, /* beyond an int64, within an uint64: no key can be one */
    YAML_SCALAR_REAL,
    YAML_SCALAR_STRING,
};

struct yaml_scalar {
    enum yaml_scalar_type type;
    bool truth;
    long long integer;
    unsigned long long magnitude; /* of YAML_SCALAR_UNSIGNED */
    double real;                  /* may be infinite or no number */
};

/* Reads a scalar without a tag, as if it stands without quotes. */
void yaml_scalar_resolve(const char *text, struct yaml_scalar *scalar);

/* Reads a scalar with its tag in full ("tag:yaml.org,2002:int") or NULL; `plain` without quotes.
 * !!binary is none of them: see yaml_scalar_binary(). Returns NULL, or what is wrong with it. */
const char *yaml_scalar_read(const char *text, const char *tag, bool plain,
                             struct yaml_scalar *scalar);

/* The JSON that kubectl sends for it: a real without a fraction is an integer there. A new
 * reference; NULL with `problem` when JSON can't hold it. */
json_t *yaml_scalar_value(const struct yaml_scalar *scalar, const char *text, const char **problem);

/* The text of a !!binary value: a new reference, or NULL with `problem`. */
json_t *yaml_scalar_binary(const char *text, const char **problem);

/* Adds the key of a JSON object that kubectl makes of it. Returns NULL, or what is wrong. */
const char *yaml_scalar_key(const struct yaml_scalar *scalar, const char *text, struct buf *key);

/* What kubectl makes of a real on its way through JSON. A new reference. */
json_t *yaml_scalar_real(double real);

#endif
