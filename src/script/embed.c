/*
 * embed FIRST <MODULE: for embed.lua, a program of the build. Prints how many sites the module has,
 * and its text rewritten (script/trace.h) so that the number of its first site is FIRST.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "script/trace.h"

int main(int argc, char **argv)
{
    struct trace trace = TRACE_INIT;
    struct buf text = BUF_INIT;
    char part[4096];
    size_t got, length;
    if (argc != 2)
        return 2;
    trace.first = strtoul(argv[1], NULL, 10);
    while ((got = fread(part, 1, sizeof part, stdin)) > 0)
        buf_add(&text, part, got);
    char *made = trace_rewrite(&trace, "", buf_text(&text), text.len, &length);
    if (made)
        printf("%zu\n%s", trace.count, made);
    free(made);
    buf_release(&text);
    trace_release(&trace);
    return made && fflush(stdout) == 0 ? 0 : 1;
}
