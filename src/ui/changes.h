/*
 * What changes in an object, for people: its YAML with `-` and `+` before the lines that go and
 * come, and the maps and lists that these stand in, nothing else. Texts of several lines are
 * compared line by line.
 */
#ifndef UI_CHANGES_H
#define UI_CHANGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "object/schema.h"

struct changes_style {
    bool colour;
    /* Where the value at a path of the object after the change comes from, "profile.lua:12", or
     * NULL; borrowed until the next call. May be NULL itself. */
    const char *(*origin)(const json_t *path, void *arg);
    void *arg;
};

/*
 * Prints the change from `before` to `after`, both cleaned (diff_cleaned()). Either may be NULL:
 * all of the other one is printed; nothing is when they are equal. A Secret's values are never
 * printed; for those that change to be told they have to come as they are, or from
 * diff_hide_secret(). What a terminal would obey is shown as an escape, and lines end after 2,000
 * characters.
 */
void changes_print(FILE *out, const struct schema_set *set, const json_t *before,
                   const json_t *after, const struct changes_style *style);

#endif
