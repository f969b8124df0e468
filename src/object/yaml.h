/*
 * YAML for people: objects to deterministic YAML text, and YAML files (kubeconfig) to values.
 */
#ifndef OBJECT_YAML_H
#define OBJECT_YAML_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Adds one document, starting with "---\n". The order of keys is that of object_ordered(). Strings
 * that a YAML 1.1 or 1.2 reader could take for something else are quoted, multi-line ones are
 * literal blocks. Returns 0, or -1 with err when libyaml fails. */
int yaml_emit(struct buf *out, const json_t *value, struct err *err);

/* Reads the first document of `text` by the JSON schema of YAML 1.2 plus 1.1's true/false words of
 * kubectl's reader (yes/no stay strings). Duplicate keys, unknown tags, deep nesting and aliases
 * that explode are errors; messages start with "<name>:<line>: ". Returns a new reference (JSON
 * null for an empty document) or NULL with err of kind `kind`. */
json_t *yaml_parse(const char *text, size_t len, const char *name, enum err_kind kind,
                   struct err *err);

#endif
