/* The report on an apply that has not come up (release/report.h), for people. */
#ifndef UI_REPORT_H
#define UI_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints it: the root cause first, then each component. What a terminal would obey is shown as
 * an escape. */
void report_print(FILE *out, const json_t *report, bool colour);

#endif
