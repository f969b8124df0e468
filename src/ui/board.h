/*
 * The lines of components on a terminal, as text: which rows a window of a size shows and how.
 * Pure, so that it can be tested at every width; ui/progress.h brings it to the screen.
 */
#ifndef UI_BOARD_H
#define UI_BOARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "ui/progress.h"

struct board_row {
    const char *name; /* borrowed, as `words` */
    enum progress_state state;
    const char *words;
    long elapsed_ms;   /* -1: has not begun */
    int ready, wanted; /* wanted 0: nothing to count */
    size_t finished;   /* the how manieth that became ready, from 1 on; 0: it is not */
    bool gone;         /* it has scrolled up for good */
};

struct board {
    struct board_row *rows; /* in the order to show them */
    size_t count;
    size_t columns, height; /* of the window; the last line is left to the cursor */
    bool colour;
    size_t name_width; /* columns of the widest name, of board_measure() */
};

/* Measures the names, once they are there. */
void board_measure(struct board *board);

/* Lines without their ends. */
struct board_lines {
    char **list;
    size_t count;
};
void board_lines_release(struct board_lines *lines);

/*
 * What the window shows now: rows that don't fit any more leave when they are ready, the first to
 * finish first, and come in `leaving` to be printed once (they are `gone` then). If those that are
 * left don't fit either, those that move are shown, then those that wait, and how many more there
 * are.
 */
void board_draw(struct board *board, struct board_lines *leaving, struct board_lines *shown);

/* All that has not left, however high. */
void board_rest(const struct board *board, struct board_lines *lines);

/* One row for a file or a log: no columns but the name's, and the words up to some hundred. */
void board_plain(const struct board *board, const struct board_row *row, struct buf *out);

/* "waiting", "rolling", "ready" ... */
const char *board_word(enum progress_state state);

#endif
