/* What two sequences have in common, in order: of lines, or of a list's items. */
#ifndef BASE_ALIGN_H
#define BASE_ALIGN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Marks a longest common subsequence of two sequences of numbers, equal numbers standing for what
 * is equal: the n-th mark in `before_kept` belongs to the n-th in `after_kept`. Beyond 1,000
 * differences only what is common at both ends is marked.
 */
void align(const size_t *before, size_t before_count, const size_t *after, size_t after_count,
           bool *before_kept, bool *after_kept);

#endif
