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

#endif
