/* What a doctor found (doctor/finding.h), for people. */
#ifndef UI_DOCTOR_H
#define UI_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints the sections, one line of each that is clean. What a terminal would obey is shown as an
 * escape. */
void doctor_print(FILE *out, const json_t *sections, bool colour);

#endif
