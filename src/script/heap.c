#include "script/heap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PIECE_SIZE = 256 << 10 };

struct heap_piece {
    struct heap_piece *next;
    _Alignas(HEAP_GRAIN) char bytes[];
};

/* Before each large block. */
struct heap_block {
    struct heap_block *next, *previous;
    _Alignas(HEAP_GRAIN) char bytes[];
};

static bool is_small(size_t size)
{
    return size <= HEAP_SMALL_MAX;
}

static size_t grains(size_t size)
{
    return (size + HEAP_GRAIN - 1) / HEAP_GRAIN;
}

/* Its pages are there at once: an evaluation uses them all, and a fault for each costs more. */
static struct heap_piece *new_piece(void)
{
    void *piece = mmap(NULL, PIECE_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return piece == MAP_FAILED ? NULL : piece;
}

static void *take_small(struct heap *heap, size_t size)
{
    size_t class = grains(size), bytes = class * HEAP_GRAIN;
    void *block = heap->free_lists[class];
    if (block) {
        memcpy(&heap->free_lists[class], block, sizeof(void *));
        return block;
    }
    if ((size_t)(heap->end - heap->next) < bytes) {
        struct heap_piece *piece = new_piece();
        if (!piece)
            return NULL;
        piece->next = heap->pieces;
        heap->pieces = piece;
        heap->next = piece->bytes; /* what was left of the one before is less than a small block */
        heap->end = (char *)piece + PIECE_SIZE;
    }
    block = heap->next;
    heap->next += bytes;
    return block;
}

static void give_small(struct heap *heap, void *block, size_t size)
{
    void **list = &heap->free_lists[grains(size)];
    memcpy(block, list, sizeof *list);
    *list = block;
}

static struct heap_block *block_of(void *bytes)
{
    return (struct heap_block *)(void *)((char *)bytes - offsetof(struct heap_block, bytes));
}

/* Puts a block where its neighbours look for it. */
static void *link_large(struct heap *heap, struct heap_block *block)
{
    if (block->next)
        block->next->previous = block;
    if (block->previous)
        block->previous->next = block;
    else
        heap->large = block;
    return block->bytes;
}

static void *take_large(struct heap *heap, size_t size)
{
    struct heap_block *block = malloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->next = heap->large;
    block->previous = NULL;
    return link_large(heap, block);
}

static void give_large(struct heap *heap, void *bytes)
{
    struct heap_block *block = block_of(bytes);
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous)
        block->previous->next = block->next;
    else
        heap->large = block->next;
    free(block);
}

void *heap_resize(struct heap *heap, void *old, size_t old_size, size_t size)
{
    if (old && size && is_small(old_size) && is_small(size) && grains(old_size) == grains(size))
        return old;
    if (old && size && !is_small(old_size) && !is_small(size)) {
        struct heap_block *block = realloc(block_of(old), sizeof *block + size);
        return block ? link_large(heap, block) : NULL;
    }
    void *made = NULL;
    if (size) {
        made = is_small(size) ? take_small(heap, size) : take_large(heap, size);
        if (!made)
            return NULL;
    }
    if (old && made)
        memcpy(made, old, old_size < size ? old_size : size);
    if (old && is_small(old_size))
        give_small(heap, old, old_size);
    else if (old)
        give_large(heap, old);
    return made;
}

void heap_release(struct heap *heap)
{
    while (heap->pieces) {
        struct heap_piece *piece = heap->pieces;
        heap->pieces = piece->next;
        munmap(piece, PIECE_SIZE);
    }
    while (heap->large) {
        struct heap_block *block = heap->large;
        heap->large = block->next;
        free(block);
    }
    memset(heap, 0, sizeof *heap);
}
