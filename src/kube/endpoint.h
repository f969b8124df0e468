/*
 * One API server as libcurl has to reach it: its URL, the connection, who asks. Makes the transfers
 * of which the client (kube/client.h) runs many at once.
 */
#ifndef KUBE_ENDPOINT_H
#define KUBE_ENDPOINT_H

#include <stdbool.h>

#include "base/err.h"
#include "kube/client.h"
#include "kube/curl.h"
#include "kube/kubeconfig.h"

struct endpoint {
    const struct curl_library *curl;
    struct kube_access access;
    char *server;                  /* what URLs start with */
    struct curl_slist *connect_to; /* for tls-server-name: where that name really is, or NULL */
    char *host_header;
    char *authorization;    /* header line, or NULL */
    bool direct;            /* the server is this machine: no proxy, as client-go */
    curl_socket_t *sockets; /* connections that are open */
    size_t socket_count;
};

/* A request as a transfer: a handle and what it needs for as long as it is there. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers;
};

/* Takes a copy of `access`. -1 with err when there is no libcurl. */
int endpoint_init(struct endpoint *endpoint, const struct kube_access *access, struct err *err);
/* After the end of its last transfer and connection. */
void endpoint_release(struct endpoint *endpoint);

/* The transfer of a request, not yet started and with no callback. `request` must outlive it. */
void endpoint_begin(struct endpoint *endpoint, const struct kube_request *request,
                    struct transfer *transfer);
/* Frees it; it must not be under way. */
void endpoint_end(struct endpoint *endpoint, struct transfer *transfer);

/* Ends the connections that are open, as if the server had: what is under way on them fails. */
void endpoint_shut_down(struct endpoint *endpoint);

#endif
