/*
 * Work of a command as somebody follows it: the lines of progress on standard error, kept moving
 * while requests are waited for, and the same changes as events on standard output (-o json).
 */
#ifndef COMMAND_LIVE_H
#define COMMAND_LIVE_H

#include <stddef.h>

#include "command/command.h"
#include "kube/client.h"
#include "object/profile.h"
#include "ui/progress.h"

struct live {
    struct progress *progress;
    struct kube_client *client;
    struct feed *feed; /* NULL: no events */
    const char *what;  /* the event's field that has the name */
    const char **names;
};

/* A line for each of `names`, which are borrowed; in an event the name is the field `what`. */
void live_open(struct live *live, const struct options *options, struct kube_client *client,
               const char *what, const char *const *names, size_t count);

/* The same with a line for each component, those first that others need. */
void live_open_profile(struct live *live, const struct options *options, struct kube_client *client,
                       const struct profile *profile);

void live_close(struct live *live);

/* A line of text on standard error, above the lines of progress where there are some (`progress`
 * may be NULL), and as an event "note". */
void live_note(const struct options *options, struct progress *progress, const char *line);

#endif
