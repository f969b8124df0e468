/* The modules of lua/, put into the program by the build (see embed.lua). */
#ifndef SCRIPT_EMBEDDED_H
#define SCRIPT_EMBEDDED_H

#include <stddef.h>

struct embedded_module {
    const char *name; /* "bk.container" */
    const char *source;
    size_t length;
};

/* Sorted by name. */
extern const struct embedded_module embedded_modules[];
extern const size_t embedded_modules_count;

#endif
