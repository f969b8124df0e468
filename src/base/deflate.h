/* Bytes made smaller and back, in the form of zlib (RFC 1950), which has a checksum of its own. */
#ifndef BASE_DEFLATE_H
#define BASE_DEFLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct deflate;

/* Begins to compress into a buffer, which the caller keeps until deflate_end(). NULL with
 * ERR_FAILED. */
struct deflate *deflate_begin(struct buf *out, struct err *err);

/* Takes in more, of any length: so much at once that little of it has to be there. */
void deflate_add(struct deflate *packer, const char *bytes, size_t length);

/* The last of it; frees the packer. Returns 0, or -1 with ERR_FAILED. */
int deflate_end(struct deflate *packer, struct err *err);

/* Adds what was compressed to a buffer, as far as its bound goes. Returns 0, or -1 with ERR_FAILED:
 * no such data, damaged, cut, followed by something else, or larger than the buffer may be. */
int deflate_unpack(const char *bytes, size_t length, struct buf *out, struct err *err);

#endif
