/*
 * Allocation that can't fail: out of memory ends the program with one line. Everything returned is
 * the caller's, freed with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Copies a text with its NUL to `*end`, behind which that points then; there must be room. For many
 * texts in one piece of memory. Returns the copy. */
char *pack_text(char **end, const char *text);

/* Overwrites a secret before it is freed, in a way that the compiler keeps, then frees it. */
void xfree_secret(char *text);

#endif
