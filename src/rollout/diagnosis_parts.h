/* What the parts of diagnosis.c share: reading objects, saying what was found, looking into pods.
 */
#ifndef ROLLOUT_DIAGNOSIS_PARTS_H
#define ROLLOUT_DIAGNOSIS_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "rollout/diagnosis.h"

/* ---- reading objects; what is not there is NULL, or "" ---- */

static inline const json_t *at(const json_t *object, const char *first, const char *second)
{
    return json_object_get(json_object_get(object, first), second);
}

static inline const char *text(const json_t *value)
{
    const char *found = json_string_value(value);
    return found ? found : "";
}

static inline const char *text_at(const json_t *object, const char *key)
{
    return text(json_object_get(object, key));
}

static inline bool is(const json_t *value, const char *word)
{
    return strcmp(text(value), word) == 0;
}

static inline const char *kind_of(const json_t *object)
{
    return text_at(object, "kind");
}

const json_t *diagnosis_condition(const json_t *object, const char *type, const char *status);
bool diagnosis_is_owned(const json_t *object, const json_t *owner);

/* The element of a list by its name. */
const json_t *diagnosis_named(const json_t *list, const char *name);

/* What stands between two texts; false when they are not there. "" as `after`: up to the end. */
bool diagnosis_between(const char *line, const char *before, const char *after, char *out,
                       size_t size);

/* When a pod stopped being ready, or began not to be. */
const char *diagnosis_since(const json_t *pod);

/* ---- events ---- */

const char *diagnosis_event_time(const json_t *event);
const char *diagnosis_event_begin(const json_t *event);

/* Whether an event is of this very object, not of an earlier one by the name. */
bool diagnosis_is_about(const json_t *event, const json_t *object);

/* The newest event of the object with that reason, and with `part` in its message (NULL: any). */
const json_t *diagnosis_event(const struct diagnosis_world *world, const json_t *object,
                              const char *reason, const char *part);

/* ---- saying; the first returns true, for `return diagnosis_say(...)` ---- */

bool diagnosis_say(struct diagnosis *diagnosis, enum diagnosis_kind kind, bool certain,
                   const char *since, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void diagnosis_advise(struct diagnosis *diagnosis, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void diagnosis_place(struct diagnosis *diagnosis, const char *kind, const json_t *object);

/* Names what is missing; it is nothing certain while that is on its way. */
void diagnosis_lack(struct diagnosis *diagnosis, const struct diagnosis_world *world,
                    const char *kind, const char *name, const char *key);

/* Makes one line of a text, which ends at a whole character. */
void diagnosis_tidy(char *line, size_t size);

/* ---- looking; each returns whether there is something to tell ---- */

bool diagnosis_look_claim(const json_t *claim, const struct diagnosis_world *world,
                          struct diagnosis *diagnosis);
bool diagnosis_look_claims(const json_t *pod, const struct diagnosis_world *world,
                           struct diagnosis *diagnosis);
bool diagnosis_look_nodes(const json_t *pod, const struct diagnosis_world *world,
                          struct diagnosis *diagnosis);
bool diagnosis_look_containers(const json_t *pod, const struct diagnosis_world *world,
                               struct diagnosis *diagnosis);
bool diagnosis_look_volumes(const json_t *pod, const struct diagnosis_world *world,
                            struct diagnosis *diagnosis);

/* What may belong to an owner, of `all` (the pods or ReplicaSets of `world`): to be asked by
 * diagnosis_is_owned(). */
const json_t *diagnosis_below(const struct diagnosis_world *world, const json_t *all,
                              const json_t *owner);

/* Whose pods count: of a Deployment its newest ReplicaSet, which may be NULL. */
const json_t *diagnosis_owner_of_pods(const json_t *workload, const struct diagnosis_world *world);

#endif
