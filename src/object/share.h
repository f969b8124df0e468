/*
 * Equal values once. The objects of a profile have much in common (labels, ports, probes,
 * resources), and a value of jansson's takes some hundred bytes: what is shared is a half of a
 * large profile. Who holds shared values may read them only; the maps `data` and `stringData` of an
 * object are not shared (script/convert.c).
 */
#ifndef OBJECT_SHARE_H
#define OBJECT_SHARE_H

#include <jansson.h>

struct share; /* the values that are known; holds a reference to each */

struct share *share_new(void);
void share_free(struct share *share);

/*
 * The known value that equals `value`, else `value` itself, which is known from now on. Its
 * children must have been shared before, and its keys be in order (object/keys.h): values with the
 * same children in another order differ. Takes over the reference to `value`; returns a new one.
 */
json_t *share_value(struct share *share, json_t *value);

#endif
