#include "ui/timeline.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/shown.h"

enum { CHANGES_MAX = 60 }; /* of one component */

struct timeline {
    json_t *rows;
    long begin_ms;
};

static const char *const words_of[] = {
    [PROGRESS_WAITING] = "waiting", [PROGRESS_APPLYING] = "applying",
    [PROGRESS_ROLLING] = "rolling", [PROGRESS_MISSING] = "missing",
    [PROGRESS_DONE] = "ready",      [PROGRESS_FAILED] = "failed",
    [PROGRESS_BLOCKED] = "blocked",
};

struct timeline *timeline_new(size_t components)
{
    struct timeline *timeline = xcalloc(1, sizeof *timeline);
    timeline->rows = json_array();
    for (size_t i = 0; i < components; i++)
        json_array_append_new(timeline->rows, json_array());
    return timeline;
}

void timeline_free(struct timeline *timeline)
{
    if (!timeline)
        return;
    json_decref(timeline->rows);
    free(timeline);
}

static void on_change(size_t index, enum progress_state state, const char *words, long ms,
                      void *arg)
{
    struct timeline *timeline = arg;
    json_t *row = json_array_get(timeline->rows, index);
    json_t *change = json_object();
    json_object_set_new(change, "ms", json_integer(timeline->begin_ms + ms));
    json_object_set_new(change, "state", json_string(words_of[state]));
    json_object_set_new(change, "words", shown_string(words));
    size_t count = json_array_size(row);
    const char *last =
        json_string_value(json_object_get(json_array_get(row, count ? count - 1 : 0), "state"));
    bool same = last && strcmp(last, words_of[state]) == 0;
    if (count >= CHANGES_MAX && same) /* its words alone are newer */
        json_array_set_new(row, count - 1, change);
    else
        json_array_append_new(row, change);
}

void timeline_follow(struct timeline *timeline, struct progress *progress, long begin_ms)
{
    timeline->begin_ms = begin_ms;
    progress_listen(progress, on_change, timeline);
}

json_t *timeline_json(const struct timeline *timeline)
{
    return json_incref(timeline->rows);
}
