/* The sections of the page (ui/page.h); each adds nothing when there is nothing to show. */
#ifndef UI_PAGE_PARTS_H
#define UI_PAGE_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

extern const char page_style[];

void page_failures(const json_t *page, struct buf *out);
void page_timeline(const json_t *page, struct buf *out);
void page_topology(const json_t *page, struct buf *out);
void page_changes(const json_t *page, struct buf *out);
void page_doctor(const json_t *page, struct buf *out);

/* "35 ms", "0.3 s", "1 min 20 s", "2 h 3 min". */
void page_duration(struct buf *out, double ms);

/* How a component stands at the end: the state of its last change, "" when it has none. */
const char *page_state(const json_t *page, size_t component);

/* As much of a text as fits into so many columns, with an ellipsis. The caller's to free. */
char *page_fit(const char *text, size_t columns);

#endif
