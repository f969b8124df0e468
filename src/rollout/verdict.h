/*
 * Whether one live object has come up, told from the object alone. Pure, one table row a kind; the
 * rules are those of kstatus (sigs.k8s.io/cli-utils/pkg/kstatus) and of `kubectl rollout status`
 * (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). docs/status.md lists where the two
 * differ, and which one is taken.
 */
#ifndef ROLLOUT_VERDICT_H
#define ROLLOUT_VERDICT_H

#include <jansson.h>
#include <stdbool.h>

enum verdict_state {
    VERDICT_CURRENT,     /* done */
    VERDICT_IN_PROGRESS, /* not yet */
    VERDICT_FAILED,      /* will not come up by itself */
    VERDICT_TERMINATING, /* is being deleted */
    VERDICT_GONE,        /* was deleted, or never there; only who looks for it sees that */
    VERDICT_UNKNOWN,     /* its own rule could not tell */
};

struct verdict {
    enum verdict_state state;
    int ready, wanted; /* replicas or completions; wanted 0 where the kind has none */
    char reason[64];   /* one word for programs, "LessUpdated"; may be "" */
    /* One line for people, "1 of 3 updated"; with the reason where that is the controller's own:
     * "BackoffLimitExceeded: no more tries". "" when there is nothing to say. */
    char message[512];
    int detail; /* how much of the message is the reason; verdict_detail() */
};

/* What a verdict may need beside the object. All may be NULL. */
struct verdict_extra {
    /* A rule of somebody's own, which goes before that of the kind; not asked for what is being
     * deleted or has a status of another generation. Fills a verdict that is all zero
     * (verdict_say() does) and returns true, or returns false when it has nothing on the object. */
    bool (*own)(const json_t *object, struct verdict *verdict, void *arg);
    /* Another object of the cluster, borrowed; NULL when it is not known. `group` is "" for core.
     */
    const json_t *(*find)(const char *group, const char *kind, const char *name, void *arg);
    void *arg;
};

/* `object` is the live object as the API server returned it. */
void verdict_of(const json_t *object, struct verdict *verdict);
void verdict_with(const json_t *object, const struct verdict_extra *extra, struct verdict *verdict);

/* Whether a built-in kind is current by being there, so that metadata tells all of it. */
bool verdict_is_plain(const char *api_version, const char *kind);

/* Whether waiting has an end with this state: CURRENT, FAILED, GONE. */
bool verdict_is_final(enum verdict_state state);

/* The state in kstatus' words: "Current", "InProgress", "NotFound" ... */
const char *verdict_word(enum verdict_state state);

/* The message without the reason that it begins with. */
const char *verdict_detail(const struct verdict *verdict);

/* Sets all but the numbers. What doesn't fit is cut off; control characters become blanks. */
void verdict_say(struct verdict *verdict, enum verdict_state state, const char *reason,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
