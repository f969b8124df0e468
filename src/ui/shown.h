/* Text from elsewhere on a terminal: what a terminal would obey, what turns the direction of
 * writing, and what isn't seen, is shown as an escape (unicode.org/reports/tr36). */
#ifndef UI_SHOWN_H
#define UI_SHOWN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

bool shown_is_unsafe(uint32_t code);

/* The length of the UTF-8 character at the start of `left` bytes, 0 when it is none. */
size_t shown_decode(const char *bytes, size_t left, uint32_t *code);

/* Adds "\r", "\x1B", "\u202E". */
void shown_add_escape(struct buf *out, uint32_t code);

/* Adds bytes that may be no UTF-8 at all, each that isn't as "\xFF". */
void shown_add(struct buf *out, const char *bytes, size_t length);

/* Adds bytes as UTF-8, what is none as U+FFFD; control characters stay. */
void shown_add_utf8(struct buf *out, const char *bytes, size_t length);

/* A text as a JSON string, whatever its bytes are: as of shown_add_utf8(). A new reference. */
json_t *shown_string(const char *text);

#endif
