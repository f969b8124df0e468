#include "base/deflate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

enum { STEP = 64 << 10 };

struct deflate {
    z_stream stream;
    struct buf *out;
    Bytef given[STEP], made[STEP];
    int result;
};

struct deflate *deflate_begin(struct buf *out, struct err *err)
{
    struct deflate *packer = xcalloc(1, sizeof *packer);
    packer->out = out;
    packer->result = deflateInit(&packer->stream, Z_BEST_COMPRESSION);
    packer->stream.next_in = packer->given;
    if (packer->result == Z_OK)
        return packer;
    err_set(err, ERR_FAILED, "zlib can't compress: %s", zError(packer->result));
    free(packer);
    return NULL;
}

/* Compresses what was given. */
static void pack(struct deflate *packer, int flush)
{
    z_stream *stream = &packer->stream;
    stream->next_in = packer->given;
    do {
        stream->next_out = packer->made;
        stream->avail_out = sizeof packer->made;
        packer->result = deflate(stream, flush);
        buf_add(packer->out, packer->made, sizeof packer->made - stream->avail_out);
    } while (packer->result == Z_OK && stream->avail_out == 0);
}

void deflate_add(struct deflate *packer, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t used = packer->stream.avail_in, room = sizeof packer->given - used;
        size_t part = length < room ? length : room;
        memcpy(packer->given + used, bytes, part);
        packer->stream.avail_in += (uInt)part;
        bytes += part;
        length -= part;
        if (packer->stream.avail_in == sizeof packer->given)
            pack(packer, Z_NO_FLUSH);
    }
}

int deflate_end(struct deflate *packer, struct err *err)
{
    pack(packer, Z_FINISH);
    int result = packer->result == Z_STREAM_END
                     ? 0
                     : err_set(err, ERR_FAILED, "zlib can't compress: %s", zError(packer->result));
    deflateEnd(&packer->stream);
    free(packer);
    return result;
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
