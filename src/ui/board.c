#include "ui/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/columns.h"

enum {
    STATE_WIDTH = 8,   /* of "applying" */
    ELAPSED_WIDTH = 7, /* of "1234.5s" and "59m59s" */
    WORDS_MIN = 8,     /* fewer columns of words say nothing */
    NARROW = 20,       /* below, a sign stands for the state */
    WORDS_PLAIN = 300,
    WIDTH_MAX = 1000,
};

/* The columns of a window; 0: the field has no room. */
struct layout {
    size_t state, name, elapsed, count, words;
};

const char *board_word(enum progress_state state)
{
    switch (state) {
    case PROGRESS_WAITING: return "waiting";
    case PROGRESS_APPLYING: return "applying";
    case PROGRESS_ROLLING: return "rolling";
    case PROGRESS_MISSING: return "missing";
    case PROGRESS_DONE: return "ready";
    case PROGRESS_FAILED: return "failed";
    case PROGRESS_BLOCKED: return "blocked";
    }
    return "";
}

static const char *sign_of(enum progress_state state)
{
    switch (state) {
    case PROGRESS_DONE: return "+";
    case PROGRESS_FAILED:
    case PROGRESS_BLOCKED: return "!";
    case PROGRESS_WAITING: return ".";
    default: return "~";
    }
}

static const char *colour_of(enum progress_state state)
{
    switch (state) {
    case PROGRESS_DONE: return "\x1b[32m";
    case PROGRESS_FAILED:
    case PROGRESS_BLOCKED: return "\x1b[31m";
    case PROGRESS_ROLLING:
    case PROGRESS_MISSING:
    case PROGRESS_APPLYING: return "\x1b[33m";
    default: return "\x1b[2m";
    }
}

static bool is_moving(enum progress_state state)
{
    return state == PROGRESS_APPLYING || state == PROGRESS_ROLLING || state == PROGRESS_MISSING;
}

/* ---- columns ---- */

void board_measure(struct board *board)
{
    board->name_width = 0;
    for (size_t i = 0; i < board->count; i++) {
        struct buf name = BUF_INIT;
        size_t own = columns_add(&name, board->rows[i].name, WIDTH_MAX);
        board->name_width = own > board->name_width ? own : board->name_width;
        buf_release(&name);
    }
}

/* "12/13" or "" */
static void format_count(const struct board_row *row, char text[32])
{
    text[0] = '\0';
    if (row->wanted > 0)
        snprintf(text, 32, "%d/%d", row->ready, row->wanted);
}

static size_t count_width(const struct board *board)
{
    size_t width = 0;
    for (size_t i = 0; i < board->count; i++) {
        char text[32];
        format_count(&board->rows[i], text);
        width = strlen(text) > width ? strlen(text) : width;
    }
    return width;
}

/* Takes a field and the two blanks before it from what is left, if that leaves enough. */
static size_t take(size_t *left, size_t width)
{
    if (width == 0 || *left < width + 2)
        return 0;
    *left -= width + 2;
    return width;
}

static struct layout lay_out(const struct board *board)
{
    struct layout layout = { 0 };
    size_t room = board->columns > 1 ? board->columns - 1 : 1; /* no line reaches the edge */
    layout.state = board->columns < NARROW ? 1 : STATE_WIDTH;
    size_t left = room > layout.state + 2 ? room - layout.state - 2 : 1;
    size_t wanted = board->name_width, most = room < 60 ? left : room * 2 / 5;
    layout.name = wanted < most ? wanted : most;
    left -= layout.name < left ? layout.name : left;
    layout.elapsed = take(&left, ELAPSED_WIDTH);
    if (layout.elapsed)
        layout.count = take(&left, count_width(board));
    layout.words = left >= WORDS_MIN + 2 ? left - 2 : 0;
    return layout;
}

/* ---- rows ---- */

/* "0.3s", "12.0s"; while it runs "12s"; "3m05s", "1h02m". */
static void format_elapsed(const struct board_row *row, char text[32])
{
    long ms = row->elapsed_ms, seconds = ms / 1000;
    bool over = row->state == PROGRESS_DONE || row->state == PROGRESS_FAILED;
    text[0] = '\0';
    if (ms < 0)
        return;
    if (seconds >= 3600)
        snprintf(text, 32, "%ldh%02ldm", seconds / 3600, seconds / 60 % 60);
    else if (seconds >= 60)
        snprintf(text, 32, "%ldm%02lds", seconds / 60, seconds % 60);
    else if (over)
        snprintf(text, 32, "%ld.%lds", seconds, ms / 100 % 10);
    else
        snprintf(text, 32, "%lds", seconds);
}

static void add_right(struct buf *out, const char *text, size_t width)
{
    buf_addf(out, "  %*s", (int)width, text);
}

/* A line of its own; the caller's. */
static char *row_line(const struct board *board, const struct layout *layout,
                      const struct board_row *row)
{
    struct buf line = BUF_INIT;
    char elapsed[32], count[32];
    const char *state = layout->state == 1 ? sign_of(row->state) : board_word(row->state);
    format_elapsed(row, elapsed);
    format_count(row, count);
    if (board->colour)
        buf_adds(&line, colour_of(row->state));
    columns_pad(&line, state, layout->state);
    if (board->colour)
        buf_adds(&line, "\x1b[0m");
    buf_adds(&line, layout->state == 1 ? " " : "  ");
    columns_pad(&line, row->name, layout->name);
    if (layout->elapsed)
        add_right(&line, elapsed, layout->elapsed);
    if (layout->count)
        add_right(&line, count, layout->count);
    if (layout->words && *row->words) {
        buf_adds(&line, "  ");
        columns_add(&line, row->words, layout->words);
    }
    while (line.len && line.data[line.len - 1] == ' ')
        line.data[--line.len] = '\0';
    return buf_detach(&line);
}

void board_plain(const struct board *board, const struct board_row *row, struct buf *out)
{
    char elapsed[32] = "";
    if (row->elapsed_ms >= 0)
        snprintf(elapsed, sizeof elapsed, "%.1fs", (double)row->elapsed_ms / 1000);
    buf_addf(out, "%s%-*s%s  ", board->colour ? colour_of(row->state) : "", STATE_WIDTH,
             board_word(row->state), board->colour ? "\x1b[0m" : "");
    columns_pad(out, row->name, board->name_width);
    buf_addf(out, "  %*s  ", ELAPSED_WIDTH, elapsed);
    columns_add(out, row->words, WORDS_PLAIN);
}

/* ---- the window ---- */

void board_lines_release(struct board_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->list[i]);
    free(lines->list);
    *lines = (struct board_lines){ NULL, 0 };
}

static void add_line(struct board_lines *lines, char *line)
{
    lines->list = xrealloc(lines->list, (lines->count + 1) * sizeof *lines->list);
    lines->list[lines->count++] = line;
}

static size_t count_left(const struct board *board)
{
    size_t left = 0;
    for (size_t i = 0; i < board->count; i++)
        left += !board->rows[i].gone;
    return left;
}

/* The row that was ready before all others that are left, or NULL. */
static struct board_row *first_finished(const struct board *board)
{
    struct board_row *first = NULL;
    for (size_t i = 0; i < board->count; i++) {
        struct board_row *row = &board->rows[i];
        if (!row->gone && row->finished && (!first || row->finished < first->finished))
            first = row;
    }
    return first;
}

/* 0: to be shown before those of 1. */
static int rank_of(const struct board_row *row)
{
    return is_moving(row->state) || row->state == PROGRESS_FAILED ? 0 : 1;
}

/* "… and 12 more: 2 rolling, 10 waiting" */
static char *more_line(const struct board *board, const bool *chosen)
{
    size_t counts[PROGRESS_BLOCKED + 1] = { 0 }, more = 0;
    struct buf words = BUF_INIT, line = BUF_INIT;
    for (size_t i = 0; i < board->count; i++) {
        if (board->rows[i].gone || chosen[i])
            continue;
        counts[board->rows[i].state]++;
        more++;
    }
    buf_addf(&words, "… and %zu more:", more);
    for (size_t state = 0; state <= PROGRESS_BLOCKED; state++)
        if (counts[state])
            buf_addf(&words, " %zu %s", counts[state], board_word((enum progress_state)state));
    columns_add(&line, buf_text(&words), board->columns > 1 ? board->columns - 1 : 1);
    buf_release(&words);
    return buf_detach(&line);
}

/* Marks as many rows as there is room for. */
static void choose(const struct board *board, size_t room, bool *chosen)
{
    for (int rank = 0; rank <= 1; rank++) {
        for (size_t i = 0; i < board->count && room > 0; i++) {
            if (board->rows[i].gone || rank_of(&board->rows[i]) != rank)
                continue;
            chosen[i] = true;
            room--;
        }
    }
}

void board_draw(struct board *board, struct board_lines *leaving, struct board_lines *shown)
{
    struct layout layout = lay_out(board);
    size_t room = board->height > 2 ? board->height - 1 : 1;
    struct board_row *finished;
    *leaving = *shown = (struct board_lines){ NULL, 0 };
    while (count_left(board) > room && (finished = first_finished(board))) {
        add_line(leaving, row_line(board, &layout, finished));
        finished->gone = true;
    }
    bool all = count_left(board) <= room;
    bool *chosen = xcalloc(board->count + 1, sizeof *chosen);
    choose(board, all ? room : room - 1, chosen);
    for (size_t i = 0; i < board->count; i++)
        if (chosen[i])
            add_line(shown, row_line(board, &layout, &board->rows[i]));
    if (!all)
        add_line(shown, more_line(board, chosen));
    free(chosen);
}

void board_rest(const struct board *board, struct board_lines *lines)
{
    struct layout layout = lay_out(board);
    *lines = (struct board_lines){ NULL, 0 };
    for (size_t i = 0; i < board->count; i++)
        if (!board->rows[i].gone)
            add_line(lines, row_line(board, &layout, &board->rows[i]));
}
