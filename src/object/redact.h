/* Takes values of Secrets out of what others wrote: a webhook may tell the whole object that it
 * refuses. */
#ifndef OBJECT_REDACT_H
#define OBJECT_REDACT_H

#include <jansson.h>

/* Puts "***" in the place of a value within a message: as it is, within JSON, in Base64, its longer
 * words by themselves, and what is left of it where the message was cut ("..."). Line breaks of the
 * message may have become spaces. The message does not grow; values of less than three bytes tell
 * nothing and stay. */
void redact_value(char *message, const char *value);

/* redact_value() for all values of a Secret; other kinds, and NULL, hide nothing. */
void redact_secret(char *message, const json_t *object);

#endif
