#include "base/align.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DIFFERENCES_MAX = 1000 };

/* The sequences behind what they begin with in common. */
struct middle {
    const size_t *before, *after;
    long before_count, after_count;
    bool *before_kept, *after_kept;
};

/* Whether the furthest point of diagonal `k` comes from the one above it, by an insertion. */
static bool inserts(const int *reach, int k, int differences)
{
    return k == -differences || (k != differences && reach[k - 1] < reach[k + 1]);
}

/* Back through the rows: `rows[d]` holds the furthest points by d differences, at -d..d. */
static void mark(const struct middle *middle, int *const *rows, int differences)
{
    long x = middle->before_count, y = middle->after_count;
    for (int d = differences; d >= 0; d--) {
        long from_x = 0, from_y = 0;
        if (d > 0) {
            const int *reach = rows[d - 1] + d - 1;
            int k = (int)(x - y);
            k += inserts(reach, k, d) ? 1 : -1;
            from_x = reach[k];
            from_y = from_x - k;
        }
        while (x > from_x && y > from_y) {
            middle->before_kept[--x] = true;
            middle->after_kept[--y] = true;
        }
        x = from_x;
        y = from_y;
    }
}

/*
 * E. W. Myers, An O(ND) Difference Algorithm and Its Variations (1986): for one difference more at
 * a time, how far one gets along each diagonal x - y.
 */
static void align_middle(const struct middle *middle)
{
    int *rows[DIFFERENCES_MAX + 1] = { NULL };
    bool found = false;
    int d = 0;
    for (; !found && d <= DIFFERENCES_MAX; d++) {
        const int *last = d > 0 ? rows[d - 1] + d - 1 : NULL;
        rows[d] = xcalloc(2 * (size_t)d + 1, sizeof **rows);
        int *reach = rows[d] + d;
        for (int k = -d; k <= d && !found; k += 2) {
            long x = 0;
            if (d > 0)
                x = inserts(last, k, d) ? last[k + 1] : last[k - 1] + 1L;
            while (x < middle->before_count && x - k < middle->after_count &&
                   middle->before[x] == middle->after[x - k])
                x++;
            reach[k] = (int)x;
            found = x >= middle->before_count && x - k >= middle->after_count;
        }
    }
    if (found)
        mark(middle, rows, d - 1);
    for (size_t i = 0; i <= DIFFERENCES_MAX; i++)
        free(rows[i]);
}

void align(const size_t *before, size_t before_count, const size_t *after, size_t after_count,
           bool *before_kept, bool *after_kept)
{
    size_t head = 0, least = before_count < after_count ? before_count : after_count;
    memset(before_kept, 0, before_count * sizeof *before_kept);
    memset(after_kept, 0, after_count * sizeof *after_kept);
    for (; head < least && before[head] == after[head]; head++)
        before_kept[head] = after_kept[head] = true;
    while (before_count > head && after_count > head &&
           before[before_count - 1] == after[after_count - 1])
        before_kept[--before_count] = after_kept[--after_count] = true;
    if (before_count == head || after_count == head)
        return;
    struct middle middle = { before + head,
                             after + head,
                             (long)(before_count - head),
                             (long)(after_count - head),
                             before_kept + head,
                             after_kept + head };
    align_middle(&middle);
}
