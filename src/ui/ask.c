#include "ui/ask.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/interrupt.h"

bool ask_possible(FILE *in, FILE *out)
{
    return isatty(fileno(in)) && isatty(fileno(out));
}

/* Waits for a line; false when the program was interrupted before or meanwhile. */
static bool wait_for_line(FILE *in)
{
    struct pollfd fds[] = { { .fd = fileno(in), .events = POLLIN },
                            { .fd = interrupt_fd(), .events = POLLIN } };
    int ready;
    do
        ready = poll(fds, sizeof fds / sizeof *fds, -1);
    while (ready < 0 && !interrupt_pending());
    return !interrupt_pending();
}

bool ask_yes(FILE *in, FILE *out, const char *question)
{
    char *line = NULL;
    size_t size = 0;
    fprintf(out, "%s [y/N] ", question);
    fflush(out);
    ssize_t length = wait_for_line(in) ? getline(&line, &size, in) : -1;
    if (length < 0)
        fputc('\n', out); /* the cursor is still behind the question */
    const char *word = length < 0 ? "" : line + strspn(line, " \t");
    size_t end = strcspn(word, " \t\r\n");
    bool yes = (end == 1 && strncasecmp(word, "y", 1) == 0) ||
               (end == 3 && strncasecmp(word, "yes", 3) == 0);
    yes = yes && word[end + strspn(word + end, " \t\r\n")] == '\0';
    free(line);
    return yes;
}
