#include "release/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/board.h"

/* Who comes after whom: component.before the other way round. */
static void gather_users(struct parts *parts)
{
    const struct profile *profile = parts->profile;
    size_t total = 0;
    for (size_t i = 0; i < profile->count; i++)
        for (size_t k = 0; k < profile->components[i].before_count; k++)
            parts->list[profile->components[i].before[k]].users_end++;
    for (size_t i = 0; i < profile->count; i++) {
        struct part *part = &parts->list[i];
        size_t count = part->users_end;
        part->users = part->users_end = total;
        total += count;
    }
    parts->users = xcalloc(total, sizeof *parts->users);
    for (size_t i = 0; i < profile->count; i++)
        for (size_t k = 0; k < profile->components[i].before_count; k++)
            parts->users[parts->list[profile->components[i].before[k]].users_end++] = i;
}

void parts_init(struct parts *parts)
{
    parts->list = xcalloc(parts->profile->count, sizeof *parts->list);
    parts->queue = xcalloc(parts->profile->count, sizeof *parts->queue);
    gather_users(parts);
    for (size_t i = 0; i < parts->profile->count; i++)
        parts_touch(parts, i);
    for (size_t i = 0; i < parts->items->count; i++) {
        struct part *part = &parts->list[parts->items->list[i].work->component];
        part->first = part->end ? part->first : i;
        part->end = i + 1;
    }
}

void parts_release(struct parts *parts)
{
    for (size_t i = 0; i < parts->profile->count; i++)
        free(parts->list[i].why);
    free(parts->list);
    free(parts->users);
    free(parts->queue);
}

bool part_is_over(const struct part *part)
{
    return part->state == PROGRESS_DONE || part->state == PROGRESS_FAILED ||
           part->state == PROGRESS_BLOCKED;
}

bool part_has(const struct parts *parts, size_t component, enum item_state state)
{
    const struct part *part = &parts->list[component];
    for (size_t i = part->first; i < part->end; i++)
        if (parts->items->list[i].state == state)
            return true;
    return false;
}

bool part_is_to_send(const struct parts *parts, size_t component)
{
    const struct part *part = &parts->list[component];
    for (size_t i = part->first; i < part->end; i++)
        if (item_is_to_send(&parts->items->list[i]))
            return true;
    return false;
}

/* ---- who may go further ---- */

void parts_touch(struct parts *parts, size_t component)
{
    struct part *part = &parts->list[component];
    if (part->due)
        return;
    part->due = true;
    parts->queue[(parts->queue_first + parts->queue_count++) % parts->profile->count] = component;
}

void parts_touch_users(struct parts *parts, size_t component)
{
    const struct part *part = &parts->list[component];
    for (size_t i = part->users; i < part->users_end; i++)
        parts_touch(parts, parts->users[i]);
}

bool parts_next(struct parts *parts, size_t *component)
{
    if (parts->queue_count == 0)
        return false;
    *component = parts->queue[parts->queue_first];
    parts->queue_first = (parts->queue_first + 1) % parts->profile->count;
    parts->queue_count--;
    parts->list[*component].due = false;
    return true;
}

/* ---- lines of progress ---- */

/* `why`: with what keeps it. */
static void describe_rolling(const struct parts *parts, size_t component, bool why,
                             struct buf *words)
{
    const struct part *part = &parts->list[component];
    size_t more = 0;
    for (size_t i = part->first; i < part->end; i++) {
        const struct item *item = &parts->items->list[i];
        if (item->state == ITEM_READY)
            continue;
        if (words->len) {
            more++;
            continue;
        }
        buf_addf(words, "%s %s: %s", item->work->kind, item->work->name,
                 item->state == ITEM_APPLIED ? item_verdict(item)->message : "not applied yet");
        const struct diagnosis *diagnosis = why && parts->reasons && item->state == ITEM_APPLIED
                                                ? reasons_of(parts->reasons, i)
                                                : NULL;
        if (diagnosis)
            buf_addf(words, "; %s", diagnosis->message);
    }
    if (more)
        buf_addf(words, " (and %zu more)", more);
}

/* "needs db, api; comes after web" */
static void describe_waiting(const struct parts *parts, size_t index, struct buf *words)
{
    const struct component *component = &parts->profile->components[index];
    bool told_needs = false, told_after = false;
    for (size_t i = 0; i < component->before_count; i++) {
        size_t other = component->before[i];
        bool *told = i < component->needs_count ? &told_needs : &told_after;
        if (parts->list[other].state == PROGRESS_DONE)
            continue;
        buf_adds(words, *told ? ", " : words->len ? "; " : "");
        if (!*told)
            buf_adds(words, told == &told_needs ? "needs " : "comes after ");
        buf_adds(words, parts->profile->components[other].name);
        *told = true;
    }
}

static void describe_blocked(const struct parts *parts, size_t index, struct buf *words)
{
    buf_addf(words, "by %s, which failed",
             parts->profile->components[parts->list[index].blocker].name);
}

void part_describe(const struct parts *parts, size_t component, struct buf *words)
{
    const struct part *part = &parts->list[component];
    size_t count = part->end - part->first;
    if (!part_is_over(part) && (part->before == HOOK_DUE || part->after == HOOK_DUE)) {
        buf_adds(words, part->before == HOOK_DUE ? "the hook before it" : "the hook after it");
        return;
    }
    switch (part->state) {
    case PROGRESS_WAITING: describe_waiting(parts, component, words); break;
    case PROGRESS_APPLYING:
    case PROGRESS_ROLLING:
    case PROGRESS_MISSING: describe_rolling(parts, component, true, words); break;
    case PROGRESS_DONE: buf_addf(words, "%zu object%s", count, count == 1 ? "" : "s"); break;
    case PROGRESS_FAILED: buf_adds(words, part->why); break;
    case PROGRESS_BLOCKED: describe_blocked(parts, component, words); break;
    }
}

void part_describe_late(const struct parts *parts, size_t component, struct buf *words)
{
    enum progress_state state = parts->list[component].state;
    if (state == PROGRESS_ROLLING || state == PROGRESS_APPLYING)
        describe_rolling(parts, component, false, words);
}

/* ---- the end ---- */

/* A list of names with its words: "2 failed: db, cache". */
struct list {
    size_t count;
    struct buf names;
};

static void list_add(struct list *list, const char *name)
{
    buf_addf(&list->names, "%s%s", list->count++ ? ", " : "", name);
}

/* The number is left out where `word` says nothing without it. */
static void list_end(struct list *list, bool counted, const char *word, struct buf *text)
{
    if (list->count) {
        buf_adds(text, "; ");
        if (counted)
            buf_addf(text, "%zu ", list->count);
        buf_addf(text, "%s: %s", word, list->names.data);
    }
    buf_release(&list->names);
}

/* Whether all, some or none of a component's objects are on the cluster. */
static void account_of_objects(const struct parts *parts, struct buf *text)
{
    struct list whole = { 0, BUF_INIT }, partly = { 0, BUF_INIT }, none = { 0, BUF_INIT };
    for (size_t i = 0; i < parts->profile->count; i++) {
        bool some = part_has(parts, i, ITEM_APPLIED) || part_has(parts, i, ITEM_READY);
        bool left = part_has(parts, i, ITEM_PENDING) || part_has(parts, i, ITEM_SENT);
        list_add(some && left ? &partly
                 : some       ? &whole
                              : &none,
                 parts->profile->components[i].name);
    }
    list_end(&whole, false, "applied", text);
    list_end(&partly, false, "applied in part", text);
    list_end(&none, false, "not applied", text);
}

static void account_of_failure(const struct parts *parts, struct buf *text)
{
    struct list failed = { 0, BUF_INIT }, blocked = { 0, BUF_INIT }, rolling = { 0, BUF_INIT },
                waiting = { 0, BUF_INIT };
    size_t ready = 0;
    for (size_t i = 0; i < parts->profile->count; i++) {
        const char *name = parts->profile->components[i].name;
        switch (parts->list[i].state) {
        case PROGRESS_DONE: ready++; break;
        case PROGRESS_FAILED: list_add(&failed, name); break;
        case PROGRESS_BLOCKED: list_add(&blocked, name); break;
        case PROGRESS_WAITING: list_add(&waiting, name); break;
        default: list_add(&rolling, name);
        }
    }
    buf_addf(text, "; components: %zu ready", ready);
    list_end(&failed, true, "failed", text);
    list_end(&blocked, true, "blocked", text);
    list_end(&rolling, true, "not ready", text);
    list_end(&waiting, true, "not begun", text);
}

void parts_account(const struct parts *parts, struct err *err)
{
    struct buf text = BUF_INIT;
    size_t applied = 0, failed = 0;
    for (size_t i = 0; i < parts->items->count; i++)
        applied += parts->items->list[i].state >= ITEM_APPLIED;
    for (size_t i = 0; i < parts->profile->count; i++)
        failed += parts->list[i].state == PROGRESS_FAILED;
    buf_addf(&text, "%zu of %zu objects applied", applied, parts->items->count);
    if (failed)
        account_of_failure(parts, &text);
    else
        account_of_objects(parts, &text);
    size_t length = strlen(err->message);
    snprintf(err->message + length, sizeof err->message - length, " (%s)", buf_text(&text));
    buf_release(&text);
}

json_t *parts_states(const struct parts *parts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < parts->profile->count; i++) {
        struct buf words = BUF_INIT;
        json_t *entry = json_pack("{s:s, s:s}", "name", parts->profile->components[i].name, "state",
                                  board_word(parts->list[i].state));
        if (parts->list[i].state != PROGRESS_DONE)
            part_describe(parts, i, &words);
        if (words.len)
            json_object_set_new(entry, "reason", json_string(words.data));
        json_array_append_new(list, entry);
        buf_release(&words);
    }
    return list;
}
