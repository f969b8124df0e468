/* What is told of a request that failed: one line for each way in which it can. */
#ifndef KUBE_ANSWER_H
#define KUBE_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/curl.h"
#include "kube/kubeconfig.h"

enum { ANSWER_MAX = 64 << 20 }; /* bytes of an answer */

/* How a request fared that was sent again, before it was given up. */
struct answer_trouble {
    unsigned tries; /* 0: none of that kind */
    long long ms;   /* from the first failure to the last */
    long asked_s;   /* by the last answer's Retry-After, or 0 */
    bool spent;     /* given up because too many requests were sent again altogether */
};

/* No whole answer: `code` is not CURLE_OK, `what` libcurl's own words for it. */
void answer_transport_error(const struct kube_access *access, const char *path, CURLcode code,
                            const char *what, const struct answer_trouble *trouble,
                            struct err *err);

/* 429 or 503, as often as the request was sent. */
void answer_busy_error(const struct kube_access *access, long status, const json_t *body,
                       const struct answer_trouble *trouble, struct err *err);

/* An HTTP status outside 200 to 299: the message of the API server's Status object, where it sent
 * one (`body`, may be NULL), else the beginning of what it sent (`received`). */
void answer_status_error(const struct kube_access *access, const char *path, long status,
                         const json_t *body, const struct buf *received, struct err *err);

#endif
