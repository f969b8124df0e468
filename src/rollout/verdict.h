/*
 * Whether one live object has come up, told from the object alone. Pure, one table row a kind; the
 * rules are those of kstatus (sigs.k8s.io/cli-utils/pkg/kstatus) and of `kubectl rollout status`
 * (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go).
 */
#ifndef ROLLOUT_VERDICT_H
#define ROLLOUT_VERDICT_H

#include <jansson.h>

enum verdict_state {
    VERDICT_CURRENT,     /* done */
    VERDICT_IN_PROGRESS, /* not yet */
    VERDICT_FAILED,      /* will not come up by itself */
    VERDICT_GONE,        /* was deleted; only a tracker sees that */
};

struct verdict {
    enum verdict_state state;
    int ready, wanted; /* replicas or completions; wanted 0 where the kind has none */
    char message[256]; /* "1 of 3 updated", "" when current */
};

/* `object` is the live object as the API server returned it. */
void verdict_of(const json_t *object, struct verdict *verdict);

#endif
