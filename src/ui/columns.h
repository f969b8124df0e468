/* How many columns of a terminal a text takes: none for a combining character, two for a wide one
 * (East Asian, emoji). Where terminals differ it is the greater number, so that what fits here fits
 * there. */
#ifndef UI_COLUMNS_H
#define UI_COLUMNS_H

#include <stddef.h>

#include "base/buf.h"

/* Of a text as shown_add() leaves it. */
size_t columns_of(const char *text);

/* Adds a text from elsewhere as shown_add() does, on one line, and no more than `room` columns of
 * it: what is cut ends with "…". Returns the columns that it takes. */
size_t columns_add(struct buf *out, const char *text, size_t room);

/* The same, with blanks up to `room`. */
void columns_pad(struct buf *out, const char *text, size_t room);

#endif
