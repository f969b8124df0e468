/*
 * An object held against its schema and the naming rules of Kubernetes, without a cluster: what the
 * API server would refuse, or would silently drop, is told beforehand. What only a cluster knows
 * (admission, quotas, CEL rules) is not looked at.
 */
#ifndef OBJECT_VALIDATE_H
#define OBJECT_VALIDATE_H

#include <jansson.h>

#include "object/schema.h"

#define VALIDATE_UNKNOWN_KIND       "unknown-kind"
#define VALIDATE_REMOVED_VERSION    "removed-version"
#define VALIDATE_DEPRECATED_VERSION "deprecated-version"
#define VALIDATE_UNKNOWN_FIELD      "unknown-field"
#define VALIDATE_MISSING_FIELD      "missing-field"
#define VALIDATE_WRONG_TYPE         "wrong-type"
#define VALIDATE_NOT_IN_ENUM        "not-in-enum"
#define VALIDATE_BAD_NUMBER         "bad-number"
#define VALIDATE_BAD_QUANTITY       "bad-quantity"
#define VALIDATE_BAD_NAME           "bad-name"
#define VALIDATE_BAD_LABEL          "bad-label"
#define VALIDATE_BAD_PORT           "bad-port"
#define VALIDATE_BAD_KEY            "bad-key"
#define VALIDATE_BAD_BASE64         "bad-base64"
#define VALIDATE_DUPLICATE_ITEM     "duplicate-item"
#define VALIDATE_NULL_VALUE         "null-value"

enum validate_severity {
    VALIDATE_ERROR,
    VALIDATE_WARNING,
};

struct validate_problem {
    const char *rule; /* one of the above */
    enum validate_severity severity;
    const json_t *path;  /* as of path.h; of a missing field: of the object that lacks it */
    const json_t *other; /* NULL, or the path of another value that the message tells of */
    const char *message; /* one line; what is wrong and what would be right; no values of Secrets */
};

/* Hears of one problem, which lives until it returns. */
typedef void validate_report(const struct validate_problem *problem, void *data);

/*
 * Reports every problem of an object, in the order of its keys; what is missing in an object comes
 * before what is in it. A kind that neither the program nor the set knows is reported only when
 * its group is Kubernetes' own; of others the metadata is looked at. In the place of a value of a
 * Secret's data may stand a description of one to be made, { "generate": "..." }.
 */
void validate_object(const struct schema_set *set, const json_t *object, validate_report *report,
                     void *data);

#endif
