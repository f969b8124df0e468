#include "ui/shown.h"

#include <string.h>

bool shown_is_unsafe(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } unsafe[] = {
        { 0x00, 0x08 },     { 0x0A, 0x1F },     { 0x7F, 0x9F },     { 0x061C, 0x061C },
        { 0x200B, 0x200B }, { 0x200E, 0x200F }, { 0x2028, 0x202E }, { 0x2060, 0x206F },
        { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xFFFE, 0xFFFF }, { 0xE0000, 0x10FFFF },
    };
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        if (code >= unsafe[i].first && code <= unsafe[i].last)
            return true;
    return false;
}

void shown_add_escape(struct buf *out, uint32_t code)
{
    if (code == '\r')
        buf_adds(out, "\\r");
    else if (code == '\n')
        buf_adds(out, "\\n");
    else if (code <= 0xFF)
        buf_addf(out, "\\x%02X", (unsigned)code);
    else
        buf_addf(out, code <= 0xFFFF ? "\\u%04X" : "\\U%08X", (unsigned)code);
}

size_t shown_decode(const char *bytes, size_t left, uint32_t *code)
{
    const unsigned char *c = (const unsigned char *)bytes;
    size_t length = c[0] < 0x80                   ? 1
                    : c[0] >= 0xC2 && c[0] < 0xE0 ? 2
                    : c[0] >= 0xE0 && c[0] < 0xF0 ? 3
                    : c[0] >= 0xF0 && c[0] < 0xF5 ? 4
                                                  : 0;
    if (length == 0 || length > left)
        return 0;
    *code = length == 1 ? c[0] : c[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (c[i] & 0x3F);
    }
    bool overlong = (length == 3 && *code < 0x800) || (length == 4 && *code < 0x10000);
    bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return overlong || surrogate || *code > 0x10FFFF ? 0 : length;
}

void shown_add(struct buf *out, const char *bytes, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        uint32_t code = 0;
        step = shown_decode(bytes + i, length - i, &code);
        if (step && !shown_is_unsafe(code)) {
            buf_add(out, bytes + i, step);
            continue;
        }
        shown_add_escape(out, step ? code : (unsigned char)bytes[i]);
        step += step == 0;
    }
}

void shown_add_utf8(struct buf *out, const char *bytes, size_t length)
{
    for (size_t i = 0, step; i < length; i += step) {
        uint32_t code;
        step = shown_decode(bytes + i, length - i, &code);
        if (step)
            buf_add(out, bytes + i, step);
        else
            buf_adds(out, "\xEF\xBF\xBD");
        step += step == 0;
    }
}

json_t *shown_string(const char *text)
{
    struct buf clean = BUF_INIT;
    shown_add_utf8(&clean, text, strlen(text));
    json_t *made = json_stringn(buf_text(&clean), clean.len);
    buf_release(&clean);
    return made;
}
