/*
 * What changes between two objects of one kind, field by field. Items of lists are told apart as
 * Kubernetes does it (containers by name, ports by number and protocol); lists without such keys,
 * and those of kinds that no schema describes, by a field that names them, else by content.
 *
 * A change is { "path": [..], "before": v, "after": v }: without "before" something is added,
 * without "after" it is removed. Paths are those of object/path.h, in the object after the change;
 * of what is removed, in the one before. A list whose items stand in another order has, beside
 * changes inside of them, one { "path", "before": [key..], "after": [key..], "order": [index..] }
 * of the items that both have: what tells them apart in each order, and where each of "after" is in
 * the list before. It matters: another order of env is another pod template.
 */
#ifndef OBJECT_DIFF_H
#define OBJECT_DIFF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "object/schema.h"

/*
 * A copy of a live or would-be object without what the server and bookkeeping own: metadata's
 * managedFields, uid, resourceVersion, generation, creationTimestamp and selfLink; status;
 * kubectl's last-applied annotation and the revision that a Deployment's controller counts. A new
 * reference.
 */
json_t *diff_cleaned(const json_t *object);

/*
 * The changes from `before` to `after`, in the order of `after`; either may be NULL, which gives
 * one change at path [], or none when both are. A new reference: an array.
 */
json_t *diff_objects(const struct schema_set *set, const json_t *before, const json_t *after);

/*
 * Puts "***" in the place of every value of a Secret (`kind` says whether it is one) in a list of
 * changes; paths stay. Nothing is done to other kinds.
 */
void diff_mask_secret(const char *kind, json_t *changes);

/*
 * Both objects of a Secret made fit to be printed, in place: DIFF_HIDDEN stands for every value,
 * and DIFF_HIDDEN_CHANGED in `after` for one that is another than before. Either may be NULL;
 * nothing is done to other kinds.
 */
#define DIFF_HIDDEN         "***"
#define DIFF_HIDDEN_CHANGED "*** (changed)"
void diff_hide_secret(json_t *before, json_t *after);

/* The root's schema; of an unknown kind metadata alone is known. */
struct schema diff_root(const struct schema_set *set, const json_t *object);

/* The schema of a map's value; `root`: the map is the object itself. */
struct schema diff_field(struct schema parent, bool root, const char *key);

/*
 * The keys of both maps, in the order of `after`, what only `before` has behind the key that it
 * follows there. The array is the caller's to free, the strings are the maps'.
 */
const char **diff_keys(const json_t *before, const json_t *after, size_t *count);

enum { DIFF_KEYS_MAX = 8 };

/* Where an item is in both lists; -1: not there. */
struct diff_pair {
    long before, after;
};

/* How the items of two lists belong together. */
struct diff_match {
    struct diff_pair *pairs; /* in the order of `after`, what is removed behind what it follows */
    size_t count;
    /* The fields that tell the items apart; none when they were matched by content. */
    const char *keys[DIFF_KEYS_MAX];
    size_t key_count;
    bool moved; /* the items of both lists stand in another order */
};

void diff_match(struct diff_match *match, struct schema list, const json_t *before,
                const json_t *after);
void diff_match_release(struct diff_match *match);

/*
 * Of a list whose items moved: what tells those that both lists have from each other, the value of
 * the key or an object of several, as they stand before and after; and where each of `after` is in
 * the list before (`order`, may be NULL). New references.
 */
void diff_order(const struct diff_match *match, const json_t *list_before, json_t **before,
                json_t **after, json_t **order);

#endif
