/*
 * Health scripts as Argo CD has them, run unchanged: <group>/<Kind>/health.lua below a folder,
 * where
 * "_" in a name stands for any text; of the core group Kind/health.lua. A script finds the object
 * as the global `obj` and returns { status = "Healthy", message = "..." }.
 * argo-cd.readthedocs.io/en/stable/operator-manual/health/
 */
#ifndef SCRIPT_HEALTH_H
#define SCRIPT_HEALTH_H

#include <jansson.h>

#include "base/err.h"
#include "script/script.h"

struct health;

enum health_status {
    HEALTH_NONE, /* no script for the object, or it returned nil */
    HEALTH_HEALTHY,
    HEALTH_PROGRESSING,
    HEALTH_DEGRADED,
    HEALTH_SUSPENDED,
    HEALTH_MISSING,
    HEALTH_UNKNOWN, /* so it said, or it raised, went on too long, or returned something else */
};

struct health_answer {
    enum health_status status;
    char message[1024]; /* of an error: with the script's file and line */
};

/* A script may hold this much and do so much, unless the limits say otherwise. */
#define HEALTH_MEMORY_DEFAULT       (32u << 20)
#define HEALTH_INSTRUCTIONS_DEFAULT 10000000ull

/* Finds the scripts; runs none. ERR_USAGE when the folder can't be read or has none. */
struct health *health_open(const char *folder, const struct script_limits *limits, struct err *err);
void health_close(struct health *health);

/* Runs the script for the object, in a state of its own. */
void health_ask(const struct health *health, const json_t *object, struct health_answer *answer);

/* The word that scripts use for it; "" for HEALTH_NONE. */
const char *health_word(enum health_status status);

#endif
