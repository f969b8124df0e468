/*
 * Which of many new objects are tried before the apply. Objects of one kind and namespace with the
 * same fields are alike: what rights, policies, webhooks and validation say to a few of them they
 * say to all; values that are wrong by themselves were found offline.
 */
#ifndef RELEASE_SAMPLE_H
#define RELEASE_SAMPLE_H

#include <stdbool.h>

#include "release/work.h"

struct sample;

struct sample *sample_new(void);
void sample_free(struct sample *sample);

/* Whether this one is to be tried; counts it. */
bool sample_wants(struct sample *sample, const struct work_item *item);

#endif
