#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool reserve(struct buf *buf, size_t more)
{
    if (buf->max && (more > buf->max || buf->len > buf->max - more)) {
        buf->overflow = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need > buf->size) {
        size_t size = buf->size ? buf->size : 256;
        while (size < need)
            size *= 2;
        buf->data = xrealloc(buf->data, size);
        buf->size = size;
    }
    return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (buf->overflow || !reserve(buf, len))
        return;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_addf(struct buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len >= 0 && !buf->overflow && reserve(buf, (size_t)len)) {
        vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

const char *buf_text(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    size_t max = buf->max;
    *buf = (struct buf)BUF_INIT;
    buf->max = max;
}

char *buf_detach(struct buf *buf)
{
    buf_add(buf, "", 0);
    /* Many are kept, and most are shorter than what was reserved. */
    char *data = buf->data ? xrealloc(buf->data, buf->len + 1) : xstrdup("");
    buf->data = NULL;
    buf_release(buf);
    return data;
}
