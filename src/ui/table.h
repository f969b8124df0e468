/* Rows of text in columns as wide as they have to be, for people. */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table;

/* A copy of a text from elsewhere that is safe on a line of a terminal: control characters are '?'
 * for each of their bytes, line ends and tabs blanks. The caller's to free. */
char *table_clean(const char *text);

/* A table whose first row is the headings; cells are as table_clean() gives them. */
struct table *table_new(const char *const *headings, size_t columns);
void table_free(struct table *table);

/* Adds a row of as many cells as there are columns; they are copied. */
void table_add(struct table *table, const char *const *cells);

void table_print(const struct table *table, FILE *out);

#endif
