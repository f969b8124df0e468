/* Words of the command line that several commands understand. */
#ifndef COMMAND_WORDS_H
#define COMMAND_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Whether "deployment", "Deployment" or "deployments" is this kind. */
bool words_name_kind(const char *word, size_t length, const char *kind);

/* The number of a revision. Returns 0, or -1 with ERR_USAGE. */
int words_revision(const char *word, int *number, struct err *err);

#endif
