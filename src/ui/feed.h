/*
 * What a command does as events for programs: one JSON object a line, each with the schema's
 * version, a type and the time; the last is the result or the error. docs/events.md has the types.
 */
#ifndef UI_FEED_H
#define UI_FEED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

#define FEED_SCHEMA "bkdeploy/v1"

struct feed;

/* `out` is borrowed, usually stdout. */
struct feed *feed_new(FILE *out);
void feed_free(struct feed *feed);

/* Writes an event. `fields` is taken over; a "time" among them goes before now. A NULL feed is
 * nothing, so that who tells something need not know whether somebody listens. */
void feed_event(struct feed *feed, const char *type, json_t *fields);

/* The same as a line of text without its end, for who prints it later. The caller's to free. */
char *feed_text(const char *type, json_t *fields);

/* Adds fields, taken over, to the event that the feed will end with. */
void feed_add_to_end(struct feed *feed, json_t *fields);

/* The last event: "result", or with an error "error". */
void feed_end(struct feed *feed, int exit_code, const struct err *err);

/* Text from elsewhere, which may be no UTF-8. */
json_t *feed_string(const char *text);

/* An error as the object that stands in the place of an answer. */
void feed_print_error(FILE *out, const struct err *err);

#endif
