/* Values of Secrets are not for screens and logs. */
#ifndef OBJECT_MASK_H
#define OBJECT_MASK_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Makes a Secret fit to be printed: the same stars in the place of every value, or the values
 * themselves with `show`, where only those that the cluster is to make are words. Other kinds are
 * left as they are.
 */
void mask_secret(json_t *object, bool show);

/* Puts *** in the place of each of the values (an array of strings) that the text has. Those of
 * less than three bytes are left: they tell nothing, and would eat the sentence. */
void mask_text(char *text, const json_t *values);

#endif
