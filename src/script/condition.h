/*
 * A condition on an object that the user has written on the command line: an expression, or the
 * body of a function with a return, in which the object is the global `obj`, as health scripts have
 * it, in the same sandbox.
 */
#ifndef SCRIPT_CONDITION_H
#define SCRIPT_CONDITION_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "script/script.h"

struct condition_answer {
    bool holds;
    char problem[512]; /* why it could not tell: it raised, or did not end; else "" */
};

/* Whether it is Lua: 0, or -1 with ERR_USAGE. `option` is what messages call it, "--when". */
int condition_check(const char *option, const char *text, struct err *err);

/* Asks it of the object, in a state of its own, within the limits of health scripts unless `limits`
 * says otherwise. */
void condition_ask(const char *option, const char *text, const struct script_limits *limits,
                   const json_t *object, struct condition_answer *answer);

#endif
