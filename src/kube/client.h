/*
 * Requests to one API server over one TLS connection: HTTP/2, many streams, one loop. Requests are
 * queued with kube_send() and their callbacks run inside kube_run(); a callback may send more.
 * Nothing here blocks but kube_run(), kube_fetch() and kube_drain(). libcurl is loaded (dlopen) by
 * kube_client_new(), so that commands that need no cluster don't pay for it.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "kube/kubeconfig.h"

struct kube_client;
struct kube_call; /* a request that is under way */

struct kube_response {
    long status;           /* HTTP status, 0 when there was no (whole) answer */
    json_t *body;          /* parsed JSON or NULL; borrowed: json_incref() to keep it */
    const struct err *err; /* NULL for status 200 to 299, else a complete message */
};

/* Called once, from kube_run(), when the answer is there or will never be. */
typedef void kube_done_fn(const struct kube_response *response, void *arg);
/* A watch: called for every event line; `event` = {"type", "object"} is borrowed. */
typedef void kube_event_fn(const json_t *event, void *arg);

struct kube_request {
    const char *method;       /* "GET", "PATCH", "POST", "DELETE" */
    const char *path;         /* "/api/v1/namespaces?limit=500", below the server's own path */
    const char *content_type; /* of the body, or NULL */
    char *body;               /* taken over by kube_send(), may be NULL */
    long timeout_ms;          /* 0: the client's default of 30 s */
    long delay_ms;            /* not to be sent before */
    kube_event_fn *event;     /* set: the answer is a stream of JSON lines */
    kube_done_fn *done;
    void *arg;
};

/* Takes a copy of what it needs of `access`. Returns NULL and err on a missing libcurl or a bad
 * certificate. No traffic yet. */
struct kube_client *kube_client_new(const struct kube_access *access, struct err *err);
void kube_client_free(struct kube_client *client);

/* Queues a request; at most a bounded number is under way at once. 429 and 503, and dropped
 * connections once there was one, are retried within a budget (not for event streams): every
 * request that the program makes may be sent twice. */
struct kube_call *kube_send(struct kube_client *client, const struct kube_request *request);

/* Ends a call without its callback; also from within a callback. The pointer is gone. */
void kube_cancel(struct kube_client *client, struct kube_call *call);

/* After an interrupt: drops what was not sent yet and the event streams, without their callbacks
 * (who watches has ended that before: kube_watch_free()), waits at most `timeout_ms` for the
 * answers to what was sent, then drops the rest too. */
void kube_drain(struct kube_client *client, long timeout_ms);

/*
 * Runs the loop until `*stop` is true, nothing is under way (returns 0), `timeout_ms` has passed
 * (returns 1; -1: no limit), or the program was interrupted (base/interrupt.h; returns -1 with
 * ERR_INTERRUPTED).
 */
int kube_run(struct kube_client *client, const bool *stop, long timeout_ms, struct err *err);

/* Sends one request and runs the loop until it is answered. Returns the HTTP status with
 * `*answer` (the caller's reference, may be NULL), or -1 with err; a status outside 200 to 299 is
 * an error. `body` is taken over. */
long kube_fetch(struct kube_client *client, const char *method, const char *path,
                const char *content_type, char *body, json_t **answer, struct err *err);

#endif
