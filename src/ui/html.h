/*
 * HTML and SVG with every text escaped: what the formats of this writer's calls say is markup, what
 * they are given is text. Control characters, and what turns the direction of writing, are shown as
 * escapes (ui/shown.h); bytes that are no UTF-8 too.
 */
#ifndef UI_HTML_H
#define UI_HTML_H

#include "base/buf.h"

/* Bytes of one text that are shown; behind them stands how many more there are. */
enum { HTML_TEXT_MAX = 4000 };

/* As buf_addf(), but %s is text, in an element or in an attribute between double quotes. Also known
 * are %d, %ld, %zu and %.Nf. */
void html_addf(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text alone, of which at most `max` bytes are shown. */
void html_text(struct buf *out, const char *text, size_t max);

#endif
