/* Whole files, read within a bound and written where nothing is yet. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Adds the bytes of a file, "-" being standard input, to a buffer; ERR_USAGE when it can't be read
 * or is larger than the buffer's bound. Returns 0 or -1. */
int file_read(const char *path, struct buf *out, struct err *err);

/* Writes a new file, making the folders that it lies in; what is there is never changed: that is
 * ERR_USAGE. Returns 0 or -1. */
int file_create(const char *path, const char *bytes, size_t length, struct err *err);

/* Whether file_replace() could write there, as far as can be told before: ERR_USAGE where not.
 * Changes nothing. Returns 0 or -1. */
int file_can_replace(const char *path, struct err *err);

/* Writes a file, in the place of one that is there: whole, or not at all. Returns 0 or -1. */
int file_replace(const char *path, const char *bytes, size_t length, struct err *err);

#endif
