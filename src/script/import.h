/* From API objects to the text of a profile that makes them: lua/import in a state of its own. */
#ifndef SCRIPT_IMPORT_H
#define SCRIPT_IMPORT_H

#include <jansson.h>

#include "base/err.h"

/*
 * Writes the profile `name` of `objects`, a list; `places` has { document, line, file } of each,
 * and `source` is what the head comment calls them. What stands in the objects is never run.
 * Returns { "text": the profile as one file, "files": { "profile.lua": the same as a folder, ... }
 * }, a new reference, or NULL with ERR_PROFILE.
 */
json_t *import_write(const json_t *objects, const json_t *places, const char *name,
                     const char *source, struct err *err);

#endif
