/* Lines of logs that tell of errors, put together by what they have in common. */
#ifndef DOCTOR_LIKENESS_H
#define DOCTOR_LIKENESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { LIKENESS_LINE = 400 }; /* bytes of a line that are looked at, and shown */

/* Whether a line tells of an error: it has a level or a word that says so (ERROR, FATAL, panic,
 * Traceback, ConnectionError:, klog's E0102), and no milder level before that. */
bool likeness_is_error(const char *line);

/* The line with # in the place of what differs from time to time: numbers, times, addresses, hex,
 * UUIDs. The caller's. */
char *likeness_of(const char *line);

/*
 * Adds a line to groups, { likeness: { line, count, first, last, components: {}, pods: {} } }:
 * its first line, and between which times (RFC 3339) how many there were. At most some hundred
 * groups are made; what is beyond is counted in "" alone.
 */
void likeness_add(json_t *groups, const char *line, const char *time, const char *component,
                  const char *pod);

#endif
