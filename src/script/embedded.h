/* The modules of lua/, put into the program by the build (see embed.lua). */
#ifndef SCRIPT_EMBEDDED_H
#define SCRIPT_EMBEDDED_H

#include <stddef.h>

struct embedded_module {
    const char *name; /* "bk.container" */
    const unsigned char *source;
    size_t source_length;
    const unsigned char *compiled; /* bytecode of the Lua that built the program */
    size_t compiled_length;
};

/* Sorted by name. */
extern const struct embedded_module embedded_modules[];
extern const size_t embedded_modules_count;

#endif
