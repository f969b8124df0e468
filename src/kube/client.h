/*
 * Requests to one API server over one TLS connection: HTTP/2, many streams, one loop. Requests are
 * queued with kube_send() and their callbacks run inside kube_run(); a callback may send more.
 * Nothing here blocks but kube_run(), kube_idle(), kube_fetch(), kube_ask(), kube_finish() and
 * kube_drain(). libcurl is loaded (dlopen) by kube_client_new(), so that commands that need no
 * cluster don't pay for it.
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
    bool again; /* sent before with no answer: what it asks for may have been done then */
};

/* Called once, from one of the functions that block, when the answer is there or will never be. */
typedef void kube_done_fn(const struct kube_response *response, void *arg);
/* A watch: called for every event line; `event` = {"type", "object"} is borrowed. */
typedef void kube_event_fn(const json_t *event, void *arg);
/* A text: called for every line, without its end. Of one that is longer than KUBE_LINE_MAX pieces
 * come, each but the last not `whole`. */
typedef void kube_line_fn(const char *bytes, size_t length, bool whole, void *arg);
enum { KUBE_LINE_MAX = 64 << 10 };

struct kube_request {
    const char *method;            /* "GET", "PATCH", "POST", "DELETE" */
    const char *path;              /* "/api/v1/namespaces?limit=500", below the server's own path */
    const char *content_type;      /* of the body, or NULL */
    const char *accept;            /* the form of the answer; NULL: "application/json" */
    char *body;                    /* taken over by kube_send(), may be NULL */
    char *(*make_body)(void *arg); /* makes it whenever the request is sent, of many; or NULL */
    long timeout_ms;               /* 0: the client's default of 30 s */
    long delay_ms;                 /* not to be sent before */
    bool parting;                  /* kube_ask(): also after an interrupt */
    bool background;               /* goes on beside the work: see kube_run() */
    kube_event_fn *event;          /* set: the answer is a stream of JSON lines */
    kube_line_fn *line;            /* set: the answer is a stream of lines of text */
    kube_done_fn *done;
    void *arg;
};

/* Takes a copy of what it needs of `access`. Returns NULL and err on a missing libcurl or a bad
 * certificate. No traffic yet. */
struct kube_client *kube_client_new(const struct kube_access *access, struct err *err);
void kube_client_free(struct kube_client *client);

/* Queues a request. At most 50 are under way at once, fewer when the server has no place for them
 * (kube/pace.h). What is refused by 429 or 503 is sent again for a minute, after the time that the
 * server asks for, in which nothing else is sent either; what was under way on a connection that
 * was lost, reset or silent, for half a minute. Not so event streams and background calls. So every
 * request that the program makes must bear to be done twice (`again`). */
struct kube_call *kube_send(struct kube_client *client, const struct kube_request *request);

/* Ends a call without its callback; also from within a callback. The pointer is gone. */
void kube_cancel(struct kube_client *client, struct kube_call *call);

/* After an interrupt: drops what was not sent yet and the event streams, without their callbacks
 * (who watches has ended that before: kube_watch_free()), waits at most `timeout_ms` for the
 * answers to what was sent, then drops the rest too. Background calls go on. */
void kube_drain(struct kube_client *client, long timeout_ms);

/*
 * Runs the loop until `*stop` is true, nothing is under way (returns 0), `timeout_ms` has passed
 * (returns 1; -1: no limit), or the program was interrupted (base/interrupt.h; returns -1 with
 * ERR_INTERRUPTED).
 *
 * Background calls (a lock's renewal) are served as well, but don't count as under way: nobody
 * waits for them. They are outside the bound on what is under way at once, are not retried by the
 * client, and end only by their answer or kube_cancel().
 */
int kube_run(struct kube_client *client, const bool *stop, long timeout_ms, struct err *err);

/* Serves the loop while the program waits for something else, so that background calls go on: until
 * `fd` (-1: none) is readable (returns 0), or as kube_run(). */
int kube_idle(struct kube_client *client, int fd, const bool *stop, long timeout_ms,
              struct err *err);

/* Runs the loop until `*done`, at most `timeout_ms`, also after an interrupt: for the last word to
 * the server. The caller ends its call when it is still not done. */
void kube_finish(struct kube_client *client, const bool *done, long timeout_ms);

/* Has `tick` called while the functions above but the last are waiting, each time it is due: it
 * returns the milliseconds until then. NULL ends that. It must not send or cancel anything. */
void kube_on_tick(struct kube_client *client, long (*tick)(void *arg), void *arg);

/* The server's time in milliseconds since 1970, never that of this machine's clock: by the Date of
 * its answers, so up to a second late. Until there was one, this machine's. */
long long kube_time_ms(const struct kube_client *client);

/* Sends one request and runs the loop until it is answered. Returns the HTTP status with
 * `*answer` (the caller's reference, may be NULL), or -1 with err; a status outside 200 to 299 is
 * an error. `body` is taken over. */
long kube_fetch(struct kube_client *client, const char *method, const char *path,
                const char *content_type, char *body, json_t **answer, struct err *err);

/* The form of answers without contents: metadata alone, of one object or of a list. */
#define KUBE_METADATA      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define KUBE_METADATA_LIST "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

/*
 * As kube_fetch(), for whom a refusal is an answer, too: returns the HTTP status whenever there is
 * one, outside of 200 to 299 with err, and -1 when there is none. Of the request `done` and `arg`
 * are not used; with `parting` it is sent even after an interrupt, and waited for up to 3 s then.
 */
long kube_ask(struct kube_client *client, const struct kube_request *request, json_t **answer,
              struct err *err);

#endif
