/* Bytes made smaller and back, in the form of zlib (RFC 1950), which has a checksum of its own. */
#ifndef BASE_DEFLATE_H
#define BASE_DEFLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Adds the compressed form of bytes to a buffer. Returns 0, or -1 with ERR_FAILED. */
int deflate_pack(const char *bytes, size_t length, struct buf *out, struct err *err);

/* Adds what was compressed to a buffer, as far as its bound goes. Returns 0, or -1 with ERR_FAILED:
 * no such data, damaged, cut, followed by something else, or larger than the buffer may be. */
int deflate_unpack(const char *bytes, size_t length, struct buf *out, struct err *err);

#endif
