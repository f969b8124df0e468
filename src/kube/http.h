/*
 * One transfer to a server that is not the API server, waited for while the API client's loop goes
 * on (a lock's renewal). Within bounds of time and size, never repeated.
 */
#ifndef KUBE_HTTP_H
#define KUBE_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/client.h"

enum { HTTP_BODY_MAX = 1 << 20 }; /* bytes of an answer */

struct http_request {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;
    const json_t *headers; /* { name = text }, checked; NULL: none */
    const char *body;      /* NULL: none */
    size_t body_length;
    const char *ca_pem; /* authorities instead of the system's; NULL: those */
    long timeout_ms;
    bool allow_plain; /* http:// as well as https:// */
};

struct http_answer {
    long status;
    json_t *headers; /* { name = text }, the names in lower case */
    struct buf body;
};

/*
 * Sends a request with GET or HEAD again to where it is redirected to, five times at most, under
 * the same rules and, when that is another server, without its headers. Returns 0 with whatever
 * status, or -1 with ERR_INTERRUPTED, or with ERR_FAILED: a message that names no more of the URL
 * than the server, for the rest may be a secret. Release in both cases.
 */
int http_fetch(struct kube_client *client, const struct http_request *request,
               struct http_answer *answer, struct err *err);
void http_answer_release(struct http_answer *answer);

#endif
