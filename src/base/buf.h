/*
 * A growing byte buffer with its own upper bound, always NUL-terminated, so that what comes from
 * outside (a response, a file) can't take all memory. Once an addition would pass `max` it is
 * dropped, `overflow` stays set, and the caller checks once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* never NULL after the first addition; use buf_text() before */
    size_t len; /* bytes, without the NUL */
    size_t size;
    size_t max; /* 0: no bound */
    bool overflow;
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0, 0, false                                                                       \
    }

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_adds(struct buf *buf, const char *text);
void buf_addf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The content as a string, "" when empty; the buffer keeps it. */
const char *buf_text(const struct buf *buf);

/* Empties the buffer, keeping its memory for the next use. */
void buf_clear(struct buf *buf);

/* Frees the memory; the buffer is as new, with its bound. */
void buf_release(struct buf *buf);

/* Hands the content to the caller, who frees it; the buffer is as new. */
char *buf_detach(struct buf *buf);

#endif
