/* A question to the person at the terminal, whose answer is no unless it is a clear yes. */
#ifndef UI_ASK_H
#define UI_ASK_H

#include <stdbool.h>
#include <stdio.h>

/* Whether there is somebody to ask: both are a terminal. */
bool ask_possible(FILE *in, FILE *out);

/* Prints "<question> [y/N] " and reads one line. True for "y" and "yes", in any case; false for
 * all else, also the end of input and an interrupt (base/interrupt.h tells it apart). */
bool ask_yes(FILE *in, FILE *out, const char *question);

#endif
