#include "ui/progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "ui/board.h"
#include "ui/columns.h"
#include "ui/shown.h"
#include "ui/terminal.h"

enum {
    FRAME_MS = 80,  /* at least between two frames */
    TICK_MS = 1000, /* where nothing is redrawn */
    REMINDER_MS = 15000,
};

struct line {
    char *words;
    long long since;    /* clock_ms() of leaving PROGRESS_WAITING, 0 before */
    long long until;    /* of being done or failed */
    long long reminded; /* when the plain form last printed it */
};

struct listener {
    progress_event_fn *call;
    void *arg;
};

struct progress {
    FILE *out;
    bool in_place;
    long long start, drawn_at;
    struct listener *listeners;
    size_t listeners_count;
    struct line *lines; /* by index */
    size_t *places;     /* of their rows on the board */
    struct board board;
    size_t finished;
    struct board_lines shown; /* on the screen, the cursor at their beginning */
};

struct progress *progress_new(FILE *out, bool in_place, const char *const *names, size_t count)
{
    struct progress *progress = xcalloc(1, sizeof *progress);
    progress->out = out;
    progress->in_place = in_place;
    progress->start = clock_ms();
    progress->lines = xcalloc(count, sizeof *progress->lines);
    progress->places = xcalloc(count, sizeof *progress->places);
    progress->board.rows = xcalloc(count, sizeof *progress->board.rows);
    progress->board.count = count;
    progress->board.colour = terminal_colour(out);
    for (size_t i = 0; i < count; i++) {
        progress->lines[i].words = xstrdup("");
        progress->places[i] = i;
        progress->board.rows[i] = (struct board_row){ .name = names[i], .words = "" };
    }
    board_measure(&progress->board);
    if (in_place)
        terminal_await_return();
    return progress;
}

void progress_order(struct progress *progress, const size_t *order)
{
    size_t count = progress->board.count;
    struct board_row *rows = xcalloc(count, sizeof *rows);
    for (size_t place = 0; place < count; place++) {
        rows[place] = progress->board.rows[progress->places[order[place]]];
        progress->places[order[place]] = place;
    }
    free(progress->board.rows);
    progress->board.rows = rows;
}

void progress_listen(struct progress *progress, progress_event_fn *listener, void *arg)
{
    size_t count = progress->listeners_count++;
    progress->listeners = xrealloc(progress->listeners, (count + 1) * sizeof *progress->listeners);
    progress->listeners[count] = (struct listener){ listener, arg };
}

static struct board_row *row_of(const struct progress *progress, size_t index)
{
    return &progress->board.rows[progress->places[index]];
}

/* Brings the times on the board up to date. */
static void set_times(struct progress *progress)
{
    long long now = clock_ms();
    for (size_t i = 0; i < progress->board.count; i++) {
        const struct line *line = &progress->lines[i];
        long long end = line->until ? line->until : now;
        row_of(progress, i)->elapsed_ms = line->since ? (long)(end - line->since) : -1;
    }
}

/* ---- in place ---- */

static bool is_same(const struct board_lines *one, const struct board_lines *other)
{
    bool same = one->count == other->count;
    for (size_t i = 0; same && i < one->count; i++)
        same = strcmp(one->list[i], other->list[i]) == 0;
    return same;
}

/* Each line is emptied first: of one that is only cleared behind its new end, tmux breaks the old
 * length anew when the window gets narrower. */
static void add_lines(struct buf *out, const struct board_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        buf_addf(out, "\x1b[2K%s\r\n", lines->list[i]);
}

/*
 * Puts a frame in the place of the one that the cursor stands at the beginning of, and goes back
 * there: so a terminal that breaks lines anew in a narrower window takes the cursor along to where
 * the next frame has to begin. All by a single write, and lines don't wrap meanwhile, whatever
 * width a terminal gives a character.
 */
static void put_frame(struct progress *progress, const struct board_lines *leaving,
                      const struct board_lines *shown, bool last)
{
    struct buf out = BUF_INIT;
    char farewell[32] = "";
    buf_adds(&out, "\x1b[?7l\r");
    add_lines(&out, leaving);
    add_lines(&out, shown);
    buf_adds(&out, "\x1b[J");
    if (shown->count && !last) {
        buf_addf(&out, "\x1b[%zuA", shown->count);
        snprintf(farewell, sizeof farewell, "\x1b[%zuB", shown->count);
    }
    buf_adds(&out, "\x1b[?7h");
    fwrite(out.data, 1, out.len, progress->out);
    fflush(progress->out);
    interrupt_set_farewell(fileno(progress->out), farewell);
    buf_release(&out);
}

/* `last`: all that has not left, and the cursor below. */
static void draw(struct progress *progress, bool last)
{
    struct board *board = &progress->board;
    struct board_lines leaving = { NULL, 0 }, shown;
    size_t columns, height;
    terminal_size(progress->out, &columns, &height);
    bool resized = columns != board->columns || height != board->height;
    bool returned = terminal_has_returned(); /* somebody else has written meanwhile */
    board->columns = columns;
    board->height = height;
    set_times(progress);
    if (last)
        board_rest(board, &shown);
    else
        board_draw(board, &leaving, &shown);
    if (last || resized || returned || leaving.count || !is_same(&shown, &progress->shown))
        put_frame(progress, &leaving, &shown, last);
    board_lines_release(&leaving);
    board_lines_release(&progress->shown);
    progress->shown = shown;
    progress->drawn_at = clock_ms();
}

/* The milliseconds until the next frame is due. */
static long draw_if_due(struct progress *progress)
{
    long long due = progress->drawn_at + FRAME_MS - clock_ms();
    if (due > 0)
        return (long)due;
    draw(progress, false);
    return FRAME_MS;
}

/* ---- elsewhere ---- */

static void print_plain(struct progress *progress, size_t index)
{
    struct buf text = BUF_INIT;
    progress->lines[index].reminded = clock_ms();
    set_times(progress);
    board_plain(&progress->board, row_of(progress, index), &text);
    fprintf(progress->out, "%s\n", buf_text(&text));
    fflush(progress->out);
    buf_release(&text);
}

static void remind(struct progress *progress)
{
    long long now = clock_ms();
    for (size_t i = 0; i < progress->board.count; i++) {
        enum progress_state state = row_of(progress, i)->state;
        bool open = state == PROGRESS_ROLLING || state == PROGRESS_MISSING;
        if (open && now - progress->lines[i].reminded >= REMINDER_MS)
            print_plain(progress, i);
    }
}

/* ---- both ---- */

void progress_count(struct progress *progress, size_t index, int ready, int wanted)
{
    struct board_row *row = row_of(progress, index);
    row->ready = ready;
    row->wanted = wanted;
}

void progress_counted(const struct progress *progress, size_t index, int *ready, int *wanted)
{
    const struct board_row *row = row_of(progress, index);
    *ready = row->ready;
    *wanted = row->wanted;
}

static void set_row(struct progress *progress, size_t index, enum progress_state state)
{
    struct board_row *row = row_of(progress, index);
    struct line *line = &progress->lines[index];
    if (!line->since && state != PROGRESS_WAITING && state != PROGRESS_BLOCKED)
        line->since = clock_ms();
    bool over = state == PROGRESS_DONE || state == PROGRESS_FAILED;
    line->until = over ? clock_ms() : 0;
    if (state != PROGRESS_DONE)
        row->finished = row->gone = 0;
    else if (!row->finished)
        row->finished = ++progress->finished;
    row->state = state;
    row->words = line->words;
}

void progress_set(struct progress *progress, size_t index, enum progress_state state,
                  const char *words)
{
    struct line *line = &progress->lines[index];
    bool new_state = state != row_of(progress, index)->state;
    if (!new_state && strcmp(words, line->words) == 0)
        return;
    free(line->words);
    line->words = xstrdup(words);
    set_row(progress, index, state);
    for (size_t i = 0; i < progress->listeners_count; i++)
        progress->listeners[i].call(index, state, words, (long)(clock_ms() - progress->start),
                                    progress->listeners[i].arg);
    if (progress->in_place)
        draw_if_due(progress);
    else if (new_state && state != PROGRESS_APPLYING) /* a log wants what happened, no flicker */
        print_plain(progress, index);
}

/* Takes the shown lines away, so that something else can be written in their place. The first goes
 * by itself: tmux keeps what is erased from the first line of its screen on. */
static void add_erasure(struct buf *out, struct progress *progress)
{
    if (progress->shown.count)
        buf_adds(out, "\r\x1b[2K\r\n\x1b[J\x1b[A");
    board_lines_release(&progress->shown);
}

void progress_say(struct progress *progress, FILE *out, const char *line)
{
    struct buf text = BUF_INIT;
    if (progress)
        add_erasure(&text, progress);
    shown_add(&text, line, strlen(line));
    buf_adds(&text, "\n");
    fwrite(text.data, 1, text.len, out);
    fflush(out);
    buf_release(&text);
    if (progress && progress->in_place)
        draw(progress, false);
}

long progress_tick(struct progress *progress)
{
    if (progress->in_place)
        return draw_if_due(progress);
    remind(progress);
    return TICK_MS;
}

void progress_clear(struct progress *progress)
{
    struct buf text = BUF_INIT;
    add_erasure(&text, progress);
    fwrite(buf_text(&text), 1, text.len, progress->out);
    fflush(progress->out);
    buf_release(&text);
    interrupt_set_farewell(fileno(progress->out), "");
    for (size_t i = 0; i < progress->board.count; i++)
        progress->board.rows[i].gone = true;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    if (progress->in_place)
        draw(progress, true);
    board_lines_release(&progress->shown);
    for (size_t i = 0; i < progress->board.count; i++)
        free(progress->lines[i].words);
    free(progress->board.rows);
    free(progress->places);
    free(progress->lines);
    free(progress->listeners);
    free(progress);
}
