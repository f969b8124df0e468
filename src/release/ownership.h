/*
 * Whose an object is that is there already, and how it becomes ours: what helm or kubectl own of it
 * has to be ours before the first server-side apply, else what the profile no longer has would stay
 * with an owner that is gone. The same is done by client-go's csaupgrade for kubectl's own objects.
 */
#ifndef RELEASE_OWNERSHIP_H
#define RELEASE_OWNERSHIP_H

#include <jansson.h>
#include <stdbool.h>

enum owner_kind {
    OWNER_NOBODY,  /* it is not there */
    OWNER_US,      /* of the set, or of no set and applied by us: an apply that did not come to an
                      end, or one of an older version */
    OWNER_RELEASE, /* of another ApplySet, which a bkdeploy release is, too */
    OWNER_HELM,
    OWNER_KUBECTL, /* kubectl apply, of either side */
    OWNER_OTHER,
};

/* Whose `live` (NULL: not there) is; `set_id` is the release's ApplySet. `*words` (NULL: not
 * wanted) tells it as "helm release 'x' in namespace 'y'", "" of nobody; the caller's to free. */
enum owner_kind ownership_of(const json_t *live, const char *set_id, char **words);

/*
 * The managedFields that an object is to have before we apply it: the fields of helm, of kubectl
 * apply and of before-first-apply are with ours, and those managers are gone. To be written in
 * place of the old ones, at the resourceVersion that `live` has. A new reference; NULL when there
 * is nothing to move.
 */
json_t *ownership_adopting(const json_t *live);

/* The fields (object/fields.h) that ownership_adopting() makes ours, with those that were ours
 * before. A new reference; NULL as above. */
json_t *ownership_adopted_fields(const json_t *live);

/* Whether the same fields are ours in `live` and in `after`, which an apply would make of it. They
 * are not when others set one to another value and back: it is theirs then, and would stay when the
 * profile no longer has it. */
bool ownership_is_same(const json_t *live, const json_t *after);

#endif
