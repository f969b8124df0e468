/* Who runs the program, for those who read of it later. */
#ifndef BASE_WHO_H
#define BASE_WHO_H

/* "user@host", and in a CI job its address after that: "runner@node-7 https://git.example.com/..".
 * One line. The caller's to free. */
char *who_am_i(void);

#endif
