#include "ui/html.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/shown.h"

/* Shown text has no control characters; what is left are those that mean something in HTML. */
static void escape(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '&': buf_adds(out, "&amp;"); break;
        case '<': buf_adds(out, "&lt;"); break;
        case '>': buf_adds(out, "&gt;"); break;
        case '"': buf_adds(out, "&quot;"); break;
        case '\'': buf_adds(out, "&#39;"); break;
        default: buf_add(out, c, 1);
        }
    }
}

void html_text(struct buf *out, const char *text, size_t max)
{
    struct buf shown = BUF_INIT;
    size_t length = strlen(text), cut = length;
    if (length > max) {
        cut = max;
        while (cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80)
            cut--;
    }
    shown_add(&shown, text, cut);
    escape(out, buf_text(&shown));
    if (cut < length)
        buf_addf(out, "… (%zu more bytes)", length - cut);
    buf_release(&shown);
}

static void add_text(struct buf *out, const char *text)
{
    if (text)
        html_text(out, text, HTML_TEXT_MAX);
}

/* Adds what one conversion other than %s says, "%" to its letter. */
static void add_number(struct buf *out, const char *spec, va_list *args)
{
    char letter = spec[strlen(spec) - 1];
    char text[64];
    if (letter == 'f')
        snprintf(text, sizeof text, "%.*f", spec[2] - '0', va_arg(*args, double));
    else if (letter == 'u')
        snprintf(text, sizeof text, "%zu", va_arg(*args, size_t));
    else
        snprintf(text, sizeof text, "%ld",
                 strchr(spec, 'l') ? va_arg(*args, long) : (long)va_arg(*args, int));
    buf_adds(out, text);
}

void html_addf(struct buf *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    while (*fmt) {
        size_t plain = strcspn(fmt, "%");
        buf_add(out, fmt, plain);
        fmt += plain;
        if (!*fmt)
            break;
        size_t length = strcspn(fmt + 1, "sdufg%") + 2;
        char spec[16] = "";
        memcpy(spec, fmt, length < sizeof spec ? length : sizeof spec - 1);
        if (strcmp(spec, "%%") == 0)
            buf_adds(out, "%");
        else if (strcmp(spec, "%s") == 0)
            add_text(out, va_arg(args, const char *));
        else
            add_number(out, spec, &args);
        fmt += length;
    }
    va_end(args);
}
