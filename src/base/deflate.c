#include "base/deflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"

enum { STEP = 64 << 10 };

int deflate_pack(const char *bytes, size_t length, struct buf *out, struct err *err)
{
    uLongf size = compressBound(length);
    Bytef *packed = xmalloc(size);
    int result = compress2(packed, &size, (const Bytef *)bytes, length, Z_BEST_COMPRESSION);
    if (result == Z_OK)
        buf_add(out, packed, size);
    free(packed);
    return result == Z_OK ? 0 : err_set(err, ERR_FAILED, "zlib can't compress: %s", zError(result));
}

/* Until the end of the data, of the bound, or of what can be read. */
static int unpack(z_stream *stream, struct buf *out)
{
    static Bytef step[STEP];
    int result = Z_OK;
    while (result == Z_OK && !out->overflow) {
        stream->next_out = step;
        stream->avail_out = sizeof step;
        result = inflate(stream, Z_NO_FLUSH);
        buf_add(out, step, sizeof step - stream->avail_out);
    }
    return result;
}

int deflate_unpack(const char *bytes, size_t length, struct buf *out, struct err *err)
{
    z_stream stream = { .next_in = (Bytef *)bytes, .avail_in = (uInt)length };
    if (length > UINT_MAX || inflateInit(&stream) != Z_OK)
        return err_set(err, ERR_FAILED, "zlib can't read %zu bytes", length);
    int result = unpack(&stream, out);
    size_t left = stream.avail_in;
    inflateEnd(&stream);
    if (out->overflow)
        return err_set(err, ERR_FAILED, "uncompressed it is more than %zu MiB", out->max >> 20);
    if (result == Z_BUF_ERROR)
        return err_set(err, ERR_FAILED, "the compressed data ends too early");
    if (result != Z_STREAM_END)
        return err_set(err, ERR_FAILED, "it is no zlib data, or damaged");
    if (left)
        return err_set(err, ERR_FAILED, "%zu bytes follow the compressed data", left);
    return 0;
}
