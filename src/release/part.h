/*
 * The components of an apply: how far each one is, which may go further, and that in words: for the
 * lines of progress, for the sentence that an apply ends with, and for programs.
 */
#ifndef RELEASE_PART_H
#define RELEASE_PART_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "release/item.h"
#include "release/reasons.h"
#include "ui/progress.h"

/* Where a component is with a hook. */
enum hook_state { HOOK_AHEAD, HOOK_DUE, HOOK_DONE };

/* One component on its way. */
struct part {
    enum progress_state state;
    enum hook_state before, after;
    enum rank rank;             /* being applied */
    size_t first, end;          /* its items: they stand together */
    enum err_kind kind;         /* that it has failed by, and in words: */
    char *why;                  /* NULL: it has not */
    const struct item *culprit; /* the item, or NULL: a hook */
    size_t blocker;             /* of PROGRESS_BLOCKED: the component that failed */
    size_t users, users_end;    /* in parts.users: the components that come after it */
    bool due;                   /* may go further: is in parts.queue */
    bool closed;                /* over, and nothing of it is under way any more */
};

struct parts {
    const struct profile *profile;
    const struct items *items;
    const struct reasons *reasons; /* NULL: nothing is known of why */
    struct part *list;             /* as many as profile->components */
    size_t *users;
    size_t *queue, queue_first, queue_count; /* a ring with room for all */
};

/* The first three are the caller's to fill in before. All parts are due. */
void parts_init(struct parts *parts);
void parts_release(struct parts *parts);

/* Whether nothing will become of the component any more: ready, failed or blocked. */
bool part_is_over(const struct part *part);

bool part_has(const struct parts *parts, size_t component, enum item_state state);

/* Something has happened to the component: what follows is for who asks parts_next(). */
void parts_touch(struct parts *parts, size_t component);

/* The same of those that come after it. */
void parts_touch_users(struct parts *parts, size_t component);

/* Takes the component that has been due for longest; false: none is. An apply of 10,000 objects has
 * as many answers, each of which concerns one or a few of them. */
bool parts_next(struct parts *parts, size_t *component);

/* Whether the plan has something to send of the component. */
bool part_is_to_send(const struct parts *parts, size_t component);

/* The line of progress: "Deployment web: 1 of 3 available (and 2 more)". */
void part_describe(const struct parts *parts, size_t component, struct buf *words);

/* The same for what takes too long, without what keeps it; nothing when it has not begun. */
void part_describe_late(const struct parts *parts, size_t component, struct buf *words);

/* Adds what an operator has to know after a stop: "(7 of 9 objects applied; applied: a, b; not
 * applied: c)", or when components have failed how many did and what became of the others. */
void parts_account(const struct parts *parts, struct err *err);

/* [{ name, state, reason }], state being ready, failed, blocked, rolling, applying or waiting. A
 * new reference. */
json_t *parts_states(const struct parts *parts);

#endif
