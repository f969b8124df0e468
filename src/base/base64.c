#include "base/base64.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_decode(const char *text, size_t *len)
{
    char *out = xcalloc(1, strlen(text) / 4 * 3 + 4); /* a string at every point */
    size_t used = 0, digits = 0, padding = 0;
    unsigned bits = 0;
    for (const char *c = text; *c; c++) {
        if (strchr(" \t\r\n", *c))
            continue;
        const char *found = strchr(alphabet, *c);
        if (*c == '=' ? ++padding > 2 : !found || padding) {
            xfree_secret(out);
            return NULL;
        }
        if (*c == '=')
            continue;
        bits = bits << 6 | (unsigned)(found - alphabet);
        if (++digits % 4 != 1)
            out[used++] = (char)(bits >> (6 - 2 * ((digits + 3) % 4)));
    }
    out[used] = '\0';
    if (digits % 4 == 1 || (padding && (digits + padding) % 4 != 0)) {
        xfree_secret(out);
        return NULL;
    }
    if (len)
        *len = used;
    return out;
}

char *base64_encode(const char *bytes, size_t length)
{
    const unsigned char *in = (const unsigned char *)bytes;
    char *text = xmalloc((length + 2) / 3 * 4 + 1), *out = text;
    for (size_t i = 0; i < length; i += 3) {
        unsigned bits = (unsigned)in[i] << 16;
        bits |= i + 1 < length ? (unsigned)in[i + 1] << 8 : 0;
        bits |= i + 2 < length ? in[i + 2] : 0;
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = alphabet[bits >> 6 & 63];
        *out++ = alphabet[bits & 63];
    }
    for (size_t i = length; i % 3 != 0; i++) /* what the last group lacks */
        out[-1 - (ptrdiff_t)(i - length)] = '=';
    *out = '\0';
    return text;
}
