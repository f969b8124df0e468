#include "ui/columns.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ui/shown.h"

enum { VARIATION_EMOJI = 0xFE0F, HANGUL_JAMO = 0x1100 };

/* By the C library's table, whatever the user's locale. Without that table everything from the
 * first wide character on counts as wide. */
static size_t width_of(uint32_t code)
{
    static locale_t utf8;
    static int asked;
    if (code < 0x300)
        return 1;
    if (!asked) {
        asked = 1;
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    }
    if (utf8 == (locale_t)0)
        return code < HANGUL_JAMO ? 1 : 2;
    locale_t before = uselocale(utf8);
    int width = wcwidth((wchar_t)code);
    uselocale(before);
    return width < 0 ? 1 : (size_t)width;
}

/* The bytes of the character at `*text` with all that combines with it; its columns. */
static size_t next_cluster(const char **text, size_t *length)
{
    const char *at = *text;
    size_t left = strlen(at), columns = 0;
    uint32_t code = 0;
    size_t step = shown_decode(at, left, &code);
    columns = step ? width_of(code) : 1;
    at += step ? step : 1;
    while (*at) {
        left = strlen(at);
        step = shown_decode(at, left, &code);
        if (!step || width_of(code) > 0)
            break;
        if (code == VARIATION_EMOJI && columns == 1)
            columns = 2;
        at += step;
    }
    *length = (size_t)(at - *text);
    *text = at;
    return columns;
}

size_t columns_of(const char *text)
{
    size_t columns = 0, length;
    while (*text)
        columns += next_cluster(&text, &length);
    return columns;
}

/* The text on one line. The caller's to free. */
static char *clean(const char *text)
{
    struct buf safe = BUF_INIT;
    shown_add(&safe, text, strlen(text));
    buf_adds(&safe, "");
    char *line = buf_detach(&safe);
    for (char *c = line; *c; c++)
        if (*c == '\t')
            *c = ' ';
    return line;
}

size_t columns_add(struct buf *out, const char *text, size_t room)
{
    char *line = clean(text);
    bool fits = columns_of(line) <= room;
    size_t columns = 0, length, limit = fits ? room : room - (room > 0);
    const char *at = line;
    while (*at) {
        const char *start = at;
        size_t width = next_cluster(&at, &length);
        if (columns + width > limit)
            break;
        buf_add(out, start, length);
        columns += width;
    }
    if (!fits && room > 0) {
        buf_adds(out, "…");
        columns++;
    }
    free(line);
    return columns;
}

void columns_pad(struct buf *out, const char *text, size_t room)
{
    for (size_t columns = columns_add(out, text, room); columns < room; columns++)
        buf_adds(out, " ");
}
