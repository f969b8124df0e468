#include "ui/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { TICK_MS = 1000, REMINDER_MS = 15000, WIDTH_DEFAULT = 80 };

struct line {
    const char *name;
    enum progress_state state;
    char words[256];
    long long since;    /* clock_ms() of leaving PROGRESS_WAITING, 0 before */
    long long until;    /* of being done or failed */
    long long reminded; /* when the plain form last printed it */
};

struct progress {
    FILE *out;
    bool in_place;
    bool colour;
    bool drawn;
    int name_width;
    size_t count;
    struct line *lines;
};

bool progress_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(out)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

/* A terminal's size; 0 rows when `out` is none or can't move the cursor. */
static void terminal_size(FILE *out, int *rows, int *columns)
{
    struct winsize size;
    const char *term = getenv("TERM");
    *rows = 0;
    *columns = WIDTH_DEFAULT;
    if (!isatty(fileno(out)) || !term || strcmp(term, "dumb") == 0)
        return;
    *rows = 24;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        *rows = size.ws_row;
        *columns = size.ws_col;
    }
}

bool progress_in_place(FILE *out)
{
    int rows, columns;
    terminal_size(out, &rows, &columns);
    return rows > 0;
}

struct progress *progress_new(FILE *out, const char *const *names, size_t count)
{
    struct progress *progress = xcalloc(1, sizeof *progress);
    int rows, columns;
    terminal_size(out, &rows, &columns);
    progress->out = out;
    progress->in_place = rows > 0 && count < (size_t)rows;
    progress->colour = progress_colour(out);
    progress->count = count;
    progress->lines = xcalloc(count, sizeof *progress->lines);
    for (size_t i = 0; i < count; i++) {
        int width = (int)strlen(names[i]);
        progress->lines[i].name = names[i];
        progress->name_width = width > progress->name_width ? width : progress->name_width;
    }
    return progress;
}

static const char *state_word(enum progress_state state)
{
    switch (state) {
    case PROGRESS_WAITING: return "waiting";
    case PROGRESS_APPLYING: return "applying";
    case PROGRESS_ROLLING: return "rolling";
    case PROGRESS_MISSING: return "missing";
    case PROGRESS_DONE: return "ready";
    case PROGRESS_FAILED: return "failed";
    }
    return "";
}

static const char *state_colour(enum progress_state state)
{
    switch (state) {
    case PROGRESS_DONE: return "\x1b[32m";
    case PROGRESS_FAILED: return "\x1b[31m";
    case PROGRESS_ROLLING:
    case PROGRESS_MISSING:
    case PROGRESS_APPLYING: return "\x1b[33m";
    default: return "\x1b[2m";
    }
}

static void print_line(struct progress *progress, const struct line *line, int columns)
{
    char text[512], elapsed[32] = "";
    if (line->since) {
        long long end = line->until ? line->until : clock_ms();
        snprintf(elapsed, sizeof elapsed, "%6.1fs", (double)(end - line->since) / 1000);
    }
    snprintf(text, sizeof text, "%-*s  %7s  %s", progress->name_width, line->name, elapsed,
             line->words);
    int room = columns > 12 ? columns - 11 : 1;
    fprintf(progress->out, "%s%-8s%s  %.*s%s\n", progress->colour ? state_colour(line->state) : "",
            state_word(line->state), progress->colour ? "\x1b[0m" : "", room, text,
            progress->in_place ? "\x1b[K" : "");
}

static void redraw(struct progress *progress)
{
    int rows, columns;
    terminal_size(progress->out, &rows, &columns);
    if (progress->drawn)
        fprintf(progress->out, "\x1b[%zuA", progress->count);
    for (size_t i = 0; i < progress->count; i++)
        print_line(progress, &progress->lines[i], columns);
    progress->drawn = true;
    fflush(progress->out);
}

static void print_plain(struct progress *progress, struct line *line)
{
    line->reminded = clock_ms();
    print_line(progress, line, (int)sizeof line->words + 64);
    fflush(progress->out);
}

void progress_set(struct progress *progress, size_t index, enum progress_state state,
                  const char *words)
{
    struct line *line = &progress->lines[index];
    bool new_state = state != line->state;
    if (!new_state && strcmp(words, line->words) == 0)
        return;
    line->state = state;
    snprintf(line->words, sizeof line->words, "%s", words);
    if (!line->since && state != PROGRESS_WAITING)
        line->since = clock_ms();
    if (state == PROGRESS_DONE || state == PROGRESS_FAILED)
        line->until = clock_ms();
    if (progress->in_place)
        redraw(progress);
    else if (new_state && state != PROGRESS_APPLYING) /* a log wants what happened, no flicker */
        print_plain(progress, line);
}

long progress_tick(struct progress *progress)
{
    if (progress->in_place) {
        redraw(progress);
        return TICK_MS;
    }
    long long now = clock_ms();
    for (size_t i = 0; i < progress->count; i++) {
        struct line *line = &progress->lines[i];
        bool open = line->state == PROGRESS_ROLLING || line->state == PROGRESS_MISSING;
        if (open && now - line->reminded >= REMINDER_MS)
            print_plain(progress, line);
    }
    return TICK_MS;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    free(progress->lines);
    free(progress);
}
