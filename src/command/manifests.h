/* Manifests as kubectl takes them: a file, the files right in a folder, or standard input. */
#ifndef COMMAND_MANIFESTS_H
#define COMMAND_MANIFESTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct manifest {
    json_t *object;   /* with apiVersion and kind; the reader's, json_incref() to keep it */
    const char *file; /* as it is called in messages */
    size_t document;  /* from 1, of those that are not empty */
    size_t line;      /* that it begins at, from 1 */
    size_t item;      /* of the List that the document is, from 1; 0: none */
};

struct manifest_reader {
    /* Returns 0 for the next one, or -1 with err. */
    int (*each)(void *data, const struct manifest *manifest, struct err *err);
    void *data;
    bool items; /* Lists are taken apart */
};

/* How `path` is called in messages: "standard input" for "-". */
const char *manifests_name(const char *path);

/* Hands on all objects of `path` in order, those of a folder in the order of its files' names.
 * ERR_PROFILE for what can't be read as YAML or JSON, or is no object, with file and line;
 * ERR_USAGE for what is not there. Returns how many documents there were, or -1. */
int manifests_read(const char *path, const struct manifest_reader *reader, struct err *err);

#endif
