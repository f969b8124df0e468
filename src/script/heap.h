/*
 * The memory of one Lua state: small blocks from large pieces, by free lists of their sizes, and
 * all of it given back at once, which is what an evaluation wants that makes a hundred thousand
 * tables and ends.
 */
#ifndef SCRIPT_HEAP_H
#define SCRIPT_HEAP_H

#include <stddef.h>

/* Blocks up to this size are small; AddressSanitizer is to see each block for itself. */
#ifdef __SANITIZE_ADDRESS__
enum { HEAP_SMALL_MAX = 0 };
#else
enum { HEAP_SMALL_MAX = 512 };
#endif

enum { HEAP_GRAIN = 16 };

struct heap_block;
struct heap_piece;

struct heap {
    void *free_lists[512 / HEAP_GRAIN + 1]; /* by size in grains */
    struct heap_piece *pieces;
    char *next, *end; /* what is left of the newest piece */
    struct heap_block *large;
};

/* As realloc(3), for who knows the old size; size 0 frees. NULL when there is no memory. */
void *heap_resize(struct heap *heap, void *old, size_t old_size, size_t size);

/* Frees everything; the heap is as new. */
void heap_release(struct heap *heap);

#endif
