/*
 * What a check found, as people read it, as JSON, and as SARIF 2.1.0 for editors and CI
 * (docs.oasis-open.org/sarif/sarif/v2.1.0).
 */
#ifndef UI_FINDINGS_H
#define UI_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

/*
 * Prints findings ([{ severity, rule, where, message, object, path, field, environments }]) to
 * standard output in a format, "text", "json" or "sarif", and in text how many there are to
 * standard error; nothing when there are none. `environments` is how many were looked at: where a
 * finding is not of all it says of which. Returns 0 or -1.
 */
int findings_print(const json_t *findings, size_t environments, const char *format,
                   struct err *err);

/* Prints the findings alone, a line each. */
void findings_list(FILE *out, const json_t *findings);

/* Whether one has this severity. */
bool findings_have(const json_t *findings, const char *severity);

#endif
