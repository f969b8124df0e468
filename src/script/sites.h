/*
 * The sites (script/trace.h) of one evaluation, by their numbers. The language's own modules come
 * first: they were rewritten when the program was built, so that their numbers are the same always,
 * and what their sites say is read from their text only when somebody asks for one. After them
 * come the profile's files, in the order that they are loaded in.
 */
#ifndef SCRIPT_SITES_H
#define SCRIPT_SITES_H

#include <stddef.h>

#include "script/embedded.h"
#include "script/trace.h"

struct sites {
    struct trace profile;
    struct trace *modules; /* as many as embedded_modules, once one is needed */
};

/* As trace_rewrite(), for a file of the profile. */
char *sites_rewrite(struct sites *sites, const char *file, const char *text, size_t length,
                    size_t *out_length);

/* As trace_rewrite(), for a module of the language that is traced. */
char *sites_rewrite_module(struct sites *sites, const struct embedded_module *module,
                           size_t *out_length);

/* NULL: there is none of that number. */
const struct trace_site *sites_at(struct sites *sites, size_t number);

/* Frees what the sites hold; they are as new. */
void sites_release(struct sites *sites);

#endif
