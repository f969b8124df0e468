/*
 * SIGINT and SIGTERM as a flag and a readable file descriptor, so that loops stop at a point of
 * their own choosing. A second one ends the program at once.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <stdbool.h>

/* Installs the handlers; once, from main. */
void interrupt_init(void);

/* Whether a signal has come. */
bool interrupt_pending(void);

/* Readable from the first signal on, for poll(); -1 before interrupt_init(). */
int interrupt_fd(void);

/* Bytes (at most 31) that are written when a second signal ends the program, to bring a terminal in
 * order; "" for none. */
void interrupt_set_farewell(int fd, const char *bytes);

#endif
