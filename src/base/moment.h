/* Points in time as text of RFC 3339, as Kubernetes writes them. */
#ifndef BASE_MOMENT_H
#define BASE_MOMENT_H

#include <stddef.h>

/* Now, in UTC: "2026-11-24T08:15:30Z". The caller's to free. */
char *moment_now(void);

/* Nanoseconds since 1970 of a time with any offset, "2026-11-24T08:15:30.5+08:00"; -1 when the text
 * doesn't begin with one. `*length` (may be NULL) is how much of it that is. */
long long moment_parse(const char *text, size_t *length);

/* How long ago that was: "now", "40 s ago", "3 min ago", "5 h ago", "12 days ago"; the text itself
 * when it is no time in UTC. The caller's to free. */
char *moment_ago(const char *text);

#endif
