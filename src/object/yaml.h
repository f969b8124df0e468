/*
 * YAML for people: objects to deterministic YAML text, and YAML files (kubeconfig, manifests) to
 * values.
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

/* Adds a string, number, boolean or null as yaml_emit() writes it, but on one line whatever is in
 * it. */
void yaml_emit_inline(struct buf *out, const json_t *scalar);

/* Reads the first document of `text` by the JSON schema of YAML 1.2 plus 1.1's true/false words of
 * kubectl's reader (yes/no stay strings). Duplicate keys, unknown tags, deep nesting and aliases
 * that explode are errors; messages start with "<name>:<line>: ". Returns a new reference (JSON
 * null for an empty document) or NULL with err of kind `kind`. */
json_t *yaml_parse(const char *text, size_t len, const char *name, enum err_kind kind,
                   struct err *err);

/* One document of a stream. */
struct yaml_document {
    json_t *value; /* never JSON null; the reader's, json_incref() to keep it */
    size_t number; /* from 1, of those that are not empty */
    size_t line;   /* the first of its value in the file, from 1 */
};

/* Who gets the documents. `each` returns 0 for the next one; anything else ends the reading, -1
 * with `err` set. */
struct yaml_reader {
    int (*each)(void *data, const struct yaml_document *document, struct err *err);
    void *data;
};

/*
 * Reads all documents of manifests with the meaning that kubectl gives them: YAML 1.1 as go-yaml v2
 * knows it (yes and off are booleans, 0644 is 420, 1_000 a number, << merges, a key 1 or true is
 * text), split at lines that begin with "---", or JSON objects one after the other. Documents that
 * are empty or null are left out. A UTF-8 BOM and Windows line ends are accepted.
 *
 * Errors, beside those of yaml_parse(): what kubectl refuses (.inf, a null key, directives, text
 * after "---"), and what it takes but not as written: unknown tags, keys that stand twice, text
 * after "...", a << that changes a key written before it, NUL; and more than 16 MiB, of the text or
 * of what aliases repeat. Messages start with "<name>:<line>: document <number>: ". The documents
 * before the one in error have been handed on then.
 *
 * Returns 0, what `each` returned when that is not 0, or -1 with err of kind `kind`.
 */
int yaml_parse_stream(const char *text, size_t len, const char *name, enum err_kind kind,
                      const struct yaml_reader *reader, struct err *err);

#endif
