#include "command/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ui/board.h"
#include "ui/feed.h"
#include "ui/terminal.h"

static long on_tick(void *arg)
{
    return progress_tick(arg);
}

static void on_change(size_t index, enum progress_state state, const char *words, long ms,
                      void *arg)
{
    const struct live *live = arg;
    int ready, wanted;
    progress_counted(live->progress, index, &ready, &wanted);
    json_t *fields =
        json_pack("{s:s, s:s, s:o, s:f}", live->what, live->names[index], "state",
                  board_word(state), "message", feed_string(words), "elapsed", (double)ms / 1000);
    if (wanted > 0) {
        json_object_set_new(fields, "ready", json_integer(ready));
        json_object_set_new(fields, "wanted", json_integer(wanted));
    }
    feed_event(live->feed, live->what, fields);
}

void live_open(struct live *live, const struct options *options, struct kube_client *client,
               const char *what, const char *const *names, size_t count)
{
    bool shared = options->feed && isatty(STDOUT_FILENO); /* with lines of events between */
    *live = (struct live){ .client = client, .feed = options->feed, .what = what };
    live->names = xcalloc(count, sizeof *live->names);
    for (size_t i = 0; i < count; i++)
        live->names[i] = names[i];
    live->progress = progress_new(stderr, terminal_in_place(stderr) && !shared, names, count);
    if (live->feed)
        progress_listen(live->progress, on_change, live);
    kube_on_tick(client, on_tick, live->progress);
}

/* Adds a component to the order after all that go before it. */
static void place(const struct profile *profile, size_t index, bool *placed, size_t *order,
                  size_t *count)
{
    const struct component *component = &profile->components[index];
    if (placed[index])
        return;
    placed[index] = true;
    for (size_t i = 0; i < component->before_count; i++)
        place(profile, component->before[i], placed, order, count);
    order[(*count)++] = index;
}

void live_open_profile(struct live *live, const struct options *options, struct kube_client *client,
                       const struct profile *profile)
{
    const char **names = xcalloc(profile->count, sizeof *names);
    size_t *order = xcalloc(profile->count, sizeof *order), count = 0;
    bool *placed = xcalloc(profile->count, sizeof *placed);
    for (size_t i = 0; i < profile->count; i++)
        names[i] = profile->components[i].name;
    for (size_t i = 0; i < profile->count; i++)
        place(profile, i, placed, order, &count);
    live_open(live, options, client, "component", names, profile->count);
    progress_order(live->progress, order);
    free(placed);
    free(order);
    free(names);
}

void live_close(struct live *live)
{
    kube_on_tick(live->client, NULL, NULL);
    progress_free(live->progress);
    free(live->names);
}

void live_note(const struct options *options, struct progress *progress, const char *line)
{
    progress_say(progress, stderr, line);
    feed_event(options->feed, "note", json_pack("{s:o}", "message", feed_string(line)));
}
