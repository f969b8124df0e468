/*
 * What a hook can reach: the API server with the rights of who applies, other hosts, programs, the
 * clock and the terminal; each within what is left of the hook's time, while the client's loop goes
 * on beside it. lua/bk/context.lua has the requests, docs/hooks.md what they mean.
 */
#ifndef COMMAND_REACH_H
#define COMMAND_REACH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "kube/discovery.h"

struct reach {
    struct kube_client *client;
    struct kube_discovery *discovery;
    const char *namespace; /* where what names none is */
    bool allow_http, allow_exec;
    json_t *secrets; /* array of Secrets whose values are never told; those that are read join it */
    void (*tell)(const char *line, void *arg); /* a line of ctx.log, fit for a terminal */
    void *tell_arg;
    /* Of the hook that runs now: */
    const char *hook;
    long timeout_ms;
    long long deadline; /* clock_ms() */
    size_t lines;       /* that it has told */
};

/* As `ask` of struct hook_ways, with a struct reach. */
int reach_ask(const char *what, const json_t *request, json_t **answer, void *reach,
              struct err *err);

/* Takes the values of those Secrets out of a message. */
void reach_redact(const struct reach *reach, char *message);

#endif
