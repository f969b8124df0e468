#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

char *base64_decode(const char *text, size_t *len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
