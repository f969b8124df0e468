#include "ui/table.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

struct table {
    size_t columns, rows;
    char **cells; /* row by row */
};

/* U+0080 to U+009F, among them one that some terminals take for ESC [. */
static bool is_c1(const char *c)
{
    return c[0] == '\xC2' && (unsigned char)c[1] >= 0x80 && (unsigned char)c[1] < 0xA0;
}

char *table_clean(const char *text)
{
    char *copy = xstrdup(text);
    for (char *c = copy; *c; c++) {
        if (*c == '\n' || *c == '\t' || *c == '\r')
            *c = ' ';
        else if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
        else if (is_c1(c))
            c[0] = c[1] = '?';
    }
    return copy;
}

struct table *table_new(const char *const *headings, size_t columns)
{
    struct table *table = xcalloc(1, sizeof *table);
    table->columns = columns;
    table_add(table, headings);
    return table;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

void table_add(struct table *table, const char *const *cells)
{
    size_t first = table->rows++ * table->columns;
    table->cells = xrealloc(table->cells, table->rows * table->columns * sizeof *table->cells);
    for (size_t i = 0; i < table->columns; i++)
        table->cells[first + i] = table_clean(cells[i]);
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static size_t width_of_column(const struct table *table, size_t column)
{
    size_t most = 0;
    for (size_t row = 0; row < table->rows; row++) {
        size_t width = width_of(table->cells[row * table->columns + column]);
        most = width > most ? width : most;
    }
    return most;
}

void table_print(const struct table *table, FILE *out)
{
    size_t *widths = xcalloc(table->columns, sizeof *widths);
    for (size_t column = 0; column < table->columns; column++)
        widths[column] = width_of_column(table, column);
    for (size_t row = 0; row < table->rows; row++) {
        size_t blanks = 0; /* that are printed when something follows */
        for (size_t column = 0; column < table->columns; column++) {
            const char *cell = table->cells[row * table->columns + column];
            if (*cell) {
                fprintf(out, "%*s%s", (int)blanks, "", cell);
                blanks = 0;
            }
            blanks += widths[column] - width_of(cell) + 2;
        }
        putc('\n', out);
    }
    free(widths);
}
