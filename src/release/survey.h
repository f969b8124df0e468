/*
 * What an apply would do to each object of a profile, found out without a write: the live object is
 * read, whose it is is told, and a dry run shows what it would become. Conflicts with other field
 * managers are decided here, and what can't be changed in place is found here, so that whatever the
 * API server would refuse is known while nothing has been changed.
 */
#ifndef RELEASE_SURVEY_H
#define RELEASE_SURVEY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "release/census.h"
#include "release/memory.h"
#include "release/work.h"

enum survey_action {
    SURVEY_SAME,    /* stays as it is */
    SURVEY_CREATE,  /* is not there */
    SURVEY_CHANGE,  /* changes in place */
    SURVEY_REPLACE, /* is deleted and made anew: a field that changes is immutable */
    SURVEY_GROW,    /* a StatefulSet whose claims grow: its pods are kept */
};

struct survey_item {
    enum survey_action action;
    json_t *body;  /* what is to be sent, where it is not survey_body()'s plain one */
    json_t *live;  /* what is there; NULL: nothing, or nothing more than the census tells */
    json_t *after; /* what it would be; NULL when that can't be tried beforehand */
    json_t
        *managers;  /* managedFields to be set before, so that an adopted object is ours; or NULL */
    json_t *claims; /* of SURVEY_GROW, as of grow.h */
    json_t *notes;  /* sentences: what was decided and why; never NULL */
    bool force;     /* fields of other managers are to be taken over */
    bool shared;    /* a Namespace that was there before us: used, but never deleted */
    bool settled;   /* of SURVEY_SAME: it has come up, so there is nothing to wait for either */
    bool reclaim;   /* of SURVEY_SAME: it is sent all the same, for others own fields of it */
    char *uid, *version; /* of the live object, where `live` is NULL; NULL: there is none */
    struct err *refusal; /* NULL: it can be done */
};

struct survey_options {
    const char *set_id;   /* of the release's ApplySet */
    const json_t *policy; /* the profile's `conflicts`, or NULL */
    bool force;           /* --force-conflicts */
    bool adopt;           /* --adopt: take objects that are another's */
    bool sample;          /* of many new objects that are alike a few are tried */
    /* "profile.lua:42" of a field, the caller's until the next call; may be NULL. */
    const char *(*origin)(const struct work_item *item, const json_t *path, void *arg);
    void *origin_arg;
};

/*
 * Fills `found[work->count]`, which the caller has zeroed; survey_release() frees what it holds.
 * What the census knows is not asked for; the memory takes the marks of what is found to be the
 * same.
 * Objects of a namespace that the profile itself brings are tried in "default", those of a kind
 * that its own CRD brings are not tried, and not refused when that CRD changes. Returns 0, or -1
 * with err when the cluster could not be asked, or the first refusal; all are in `found`.
 */
int survey_run(struct kube_client *client, const struct work *work, struct census_item *census,
               struct memory *memory, const struct survey_options *options,
               struct survey_item *found, struct err *err);

/* What is to be sent for an item. A new reference. */
json_t *survey_body(const struct survey_item *found, const struct work_item *item,
                    const char *set_id);

/* Of the live object; "" when there is none. */
const char *survey_uid(const struct survey_item *found);
const char *survey_version(const struct survey_item *found);

void survey_release(struct survey_item *found, size_t count);

#endif
