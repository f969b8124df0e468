#include "ui/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 24 };

static enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } choice;

bool terminal_choose_colour(const char *word)
{
    static const char *const words[] = { "auto", "always", "never" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            choice = i;
            return true;
        }
    }
    return false;
}

bool terminal_in_place(FILE *out)
{
    const char *term = getenv("TERM");
    return term && *term && strcmp(term, "dumb") != 0 && isatty(fileno(out));
}

bool terminal_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    if (choice != COLOUR_AUTO)
        return choice == COLOUR_ALWAYS;
    return !(no_color && *no_color) && terminal_in_place(out);
}

void terminal_size(FILE *out, size_t *columns, size_t *rows)
{
    struct winsize size;
    *columns = COLUMNS_DEFAULT;
    *rows = ROWS_DEFAULT;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
        return;
    if (size.ws_col > 0)
        *columns = size.ws_col;
    if (size.ws_row > 0)
        *rows = size.ws_row;
}

static volatile sig_atomic_t returned;

static void on_continued(int number)
{
    (void)number;
    returned = 1;
}

void terminal_await_return(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_continued;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGCONT, &action, NULL);
}

bool terminal_has_returned(void)
{
    bool was = returned != 0;
    returned = 0;
    return was;
}
