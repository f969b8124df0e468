/* What a stream leads to: a terminal or not, of which size, and whether it gets colours. */
#ifndef UI_TERMINAL_H
#define UI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* "auto", "always" or "never", for all streams of the program; auto: on a terminal that is not
 * TERM=dumb, unless NO_COLOR is set (no-color.org). False for another word. */
bool terminal_choose_colour(const char *word);

/* Whether to colour what goes to `out`. */
bool terminal_colour(FILE *out);

/* Whether `out` is a terminal on which the cursor can be moved. */
bool terminal_in_place(FILE *out);

/* The window's size at this moment; 80 to 24 where the terminal doesn't say. */
void terminal_size(FILE *out, size_t *columns, size_t *rows);

/* From the first on it is told once, by the second, when the program was stopped (Ctrl-Z) and has
 * been continued: the cursor is elsewhere then. */
void terminal_await_return(void);
bool terminal_has_returned(void);

#endif
