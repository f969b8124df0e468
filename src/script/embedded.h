/* The modules of lua/, put into the program by the build (see embed.lua). */
#ifndef SCRIPT_EMBEDDED_H
#define SCRIPT_EMBEDDED_H

#include <stddef.h>

/* Bytecode is of the Lua that built the program. */
struct embedded_module {
    const char *name; /* "bk.container" */
    const unsigned char *source;
    size_t source_length;
    const unsigned char *compiled;
    size_t compiled_length;
    const unsigned char *traced; /* bytecode of the rewritten text (script/trace.h), or NULL */
    size_t traced_length;
    size_t first_site, sites_count; /* of that text */
};

/* Sorted by name. */
extern const struct embedded_module embedded_modules[];
extern const size_t embedded_modules_count;
extern const size_t embedded_sites_count; /* of all, whose numbers begin at 0 */

#endif
