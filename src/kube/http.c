#include "kube/http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/curl.h"

enum { REDIRECTS_MAX = 5, EVENTS_MAX = 16, IDLE_MS = 60000 };

struct transfer {
    const struct curl_library *curl;
    struct kube_client *client;
    const struct http_request *request;
    struct http_answer *answer;
    char *url;
    char *server;      /* "https://host:8443", for messages */
    bool with_headers; /* it goes to the server that they were written for */
    long long deadline;
    CURL *easy;
    struct curl_slist *lines;
    char problem[CURL_ERROR_SIZE];
    CURLM *multi;
    int poll_fd;        /* an epoll of libcurl's sockets: readable when one of them is ready */
    long long timer_at; /* clock_ms() at which libcurl wants to be called; -1: not */
    bool done;
    CURLcode code;
};

/* ---- the address ---- */

/* "https://host:8443" of a URL, without a user's name and password. The caller's. */
static char *server_of(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host)
        return xstrdup("ctx.http");
    host += 3;
    size_t length = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', length);
    const char *start = at ? at + 1 : host;
    return xasprintf("%.*s%.*s", (int)(host - url), url, (int)(length - (size_t)(start - host)),
                     start);
}

static int set_url(struct transfer *transfer, const char *url, struct err *err)
{
    bool is_plain = strncasecmp(url, "http://", 7) == 0;
    char *server = server_of(url);
    transfer->with_headers = !transfer->server || strcasecmp(server, transfer->server) == 0;
    char *copy = xstrdup(url); /* before the old one goes: it may be libcurl's of that */
    xfree_secret(transfer->url);
    free(transfer->server);
    transfer->url = copy;
    transfer->server = server;
    if (!is_plain && strncasecmp(url, "https://", 8) != 0)
        return err_set(err, ERR_FAILED, "ctx.http: a URL begins with https://");
    if (is_plain && !transfer->request->allow_plain)
        return err_set(err, ERR_FAILED, "%s: not sent: plain http is allowed by --allow-http only",
                       server);
    return 0;
}

/* ---- what libcurl calls ---- */

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    buf_add(&transfer->answer->body, bytes, size * count);
    return transfer->answer->body.overflow ? 0 : size * count;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    json_t *headers = transfer->answer->headers;
    size_t length = size * count;
    const char *colon = memchr(line, ':', length);
    if (length > 5 && strncmp(line, "HTTP/", 5) == 0) { /* of a proxy, or of 100 Continue before */
        json_object_clear(headers);
        return length;
    }
    if (!colon)
        return length;
    char *name = xstrndup(line, (size_t)(colon - line));
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *value = colon + 1, *end = line + length;
    while (value < end && isspace((unsigned char)*value))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    json_object_set_new_nocheck(headers, name, json_stringn_nocheck(value, (size_t)(end - value)));
    free(name);
    return length;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *ignored)
{
    struct transfer *transfer = arg;
    struct epoll_event event = { .data.fd = fd };
    (void)easy;
    (void)ignored;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(transfer->poll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events |= what & CURL_POLL_IN ? EPOLLIN : 0;
    event.events |= what & CURL_POLL_OUT ? EPOLLOUT : 0;
    if (epoll_ctl(transfer->poll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
        epoll_ctl(transfer->poll_fd, EPOLL_CTL_ADD, fd, &event);
    return 0;
}

static int on_timer(CURLM *multi, long wait_ms, void *arg)
{
    struct transfer *transfer = arg;
    (void)multi;
    transfer->timer_at = wait_ms < 0 ? -1 : clock_ms() + wait_ms;
    return 0;
}

/* ---- one request ---- */

static void add_line(struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = transfer->curl->slist_append(transfer->lines, line);
    if (longer)
        transfer->lines = longer;
}

static void set_headers(struct transfer *transfer)
{
    const struct http_request *request = transfer->request;
    const char *name;
    json_t *value;
    add_line(transfer, "User-Agent: bkdeploy");
    add_line(transfer, "Expect:"); /* no round trip before a body */
    json_object_foreach(transfer->with_headers ? (json_t *)request->headers : NULL, name, value) {
        const char *text = json_string_value(value);
        /* A header without a value ends with ";" for libcurl. */
        char *line = text && *text ? xasprintf("%s: %s", name, text) : xasprintf("%s;", name);
        add_line(transfer, line);
        xfree_secret(line);
    }
    transfer->curl->easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->lines);
}

static void set_request(struct transfer *transfer)
{
    const struct curl_library *curl = transfer->curl;
    const struct http_request *request = transfer->request;
    CURL *easy = transfer->easy = curl->easy_init();
    long left = (long)(transfer->deadline - clock_ms());
    curl->easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, request->allow_plain ? "https,http" : "https");
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, left > 1 ? left : 1L);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->problem);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (request->ca_pem) {
        struct curl_blob blob = { (void *)request->ca_pem, strlen(request->ca_pem),
                                  CURL_BLOB_NOCOPY };
        curl->easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
        curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (strcmp(request->method, "HEAD") == 0)
        curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body || strcmp(request->method, "POST") == 0) {
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    set_headers(transfer);
}

static void take_result(struct transfer *transfer)
{
    CURLMsg *message;
    int left;
    while ((message = transfer->curl->multi_info_read(transfer->multi, &left))) {
        transfer->done = true;
        transfer->code = message->data.result;
    }
}

/* Tells libcurl what is ready. */
static void serve(struct transfer *transfer)
{
    const struct curl_library *curl = transfer->curl;
    struct epoll_event events[EVENTS_MAX];
    int running, count = epoll_wait(transfer->poll_fd, events, EVENTS_MAX, 0);
    if (transfer->timer_at >= 0 && clock_ms() >= transfer->timer_at) {
        transfer->timer_at = -1;
        curl->multi_socket_action(transfer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < count; i++) {
        int ready = events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0;
        ready |= events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
        ready |= events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0;
        curl->multi_socket_action(transfer->multi, events[i].data.fd, ready, &running);
    }
    take_result(transfer);
}

static int transport_error(const struct transfer *transfer, struct err *err)
{
    const char *server = transfer->server, *problem = transfer->problem;
    if (transfer->code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_FAILED, "%s: no answer within %gs", server,
                       (double)transfer->request->timeout_ms / 1000);
    if (transfer->answer->body.overflow)
        return err_set(err, ERR_FAILED, "%s: the answer has more than %d MiB", server,
                       HTTP_BODY_MAX >> 20);
    return err_set(err, ERR_FAILED, "%s: %s", server,
                   *problem ? problem : transfer->curl->easy_strerror(transfer->code));
}

/* Runs the transfer beside the API client's loop. Returns 0, or -1 with err. */
static int run(struct transfer *transfer, struct err *err)
{
    int result = 0;
    while (!transfer->done && result >= 0) {
        long wait = IDLE_MS;
        if (transfer->timer_at >= 0)
            wait = (long)(transfer->timer_at - clock_ms());
        if (wait > 0)
            result = kube_idle(transfer->client, transfer->poll_fd, NULL, wait, err);
        if (result >= 0)
            serve(transfer);
    }
    if (result < 0)
        return -1;
    return transfer->code == CURLE_OK ? 0 : transport_error(transfer, err);
}

static int send_once(struct transfer *transfer, struct err *err)
{
    const struct curl_library *curl = transfer->curl;
    transfer->done = false;
    buf_clear(&transfer->answer->body);
    json_object_clear(transfer->answer->headers);
    set_request(transfer);
    curl->multi_add_handle(transfer->multi, transfer->easy);
    int result = run(transfer, err);
    curl->easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->answer->status);
    return result;
}

static void end_request(struct transfer *transfer)
{
    const struct curl_library *curl = transfer->curl;
    curl->multi_remove_handle(transfer->multi, transfer->easy);
    curl->easy_cleanup(transfer->easy);
    curl->slist_free_all(transfer->lines);
    transfer->lines = NULL;
    transfer->easy = NULL;
}

/* Where a request that may go elsewhere is sent to; libcurl's, or NULL: it is answered. */
static const char *redirection(const struct transfer *transfer)
{
    const char *method = transfer->request->method, *url = NULL;
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        transfer->curl->easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &url);
    return url;
}

static int follow(struct transfer *transfer, struct err *err)
{
    for (int hops = 0; hops <= REDIRECTS_MAX; hops++) {
        int result = send_once(transfer, err);
        const char *next = result == 0 ? redirection(transfer) : NULL;
        bool goes_on = next != NULL;
        if (goes_on)
            result = set_url(transfer, next, err);
        end_request(transfer);
        if (result != 0 || !goes_on)
            return result;
    }
    return err_set(err, ERR_FAILED, "%s: redirects more than %d times", transfer->server,
                   REDIRECTS_MAX);
}

int http_fetch(struct kube_client *client, const struct http_request *request,
               struct http_answer *answer, struct err *err)
{
    struct transfer transfer = {
        .curl = curl_load(err),
        .client = client,
        .request = request,
        .answer = answer,
        .deadline = clock_ms() + request->timeout_ms,
        .timer_at = -1,
    };
    *answer = (struct http_answer){ .headers = json_object(), .body.max = HTTP_BODY_MAX };
    if (!transfer.curl)
        return -1;
    int result = set_url(&transfer, request->url, err);
    transfer.poll_fd = result == 0 ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (result == 0 && transfer.poll_fd < 0)
        result = err_set(err, ERR_FAILED, "ctx.http: %s", strerror(errno));
    if (result == 0) {
        const struct curl_library *curl = transfer.curl;
        transfer.multi = curl->multi_init();
        curl->multi_setopt(transfer.multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl->multi_setopt(transfer.multi, CURLMOPT_SOCKETDATA, &transfer);
        curl->multi_setopt(transfer.multi, CURLMOPT_TIMERFUNCTION, on_timer);
        curl->multi_setopt(transfer.multi, CURLMOPT_TIMERDATA, &transfer);
        result = follow(&transfer, err);
        curl->multi_cleanup(transfer.multi);
        close(transfer.poll_fd);
    }
    xfree_secret(transfer.url);
    free(transfer.server);
    return result;
}

void http_answer_release(struct http_answer *answer)
{
    json_decref(answer->headers);
    buf_release(&answer->body);
    *answer = (struct http_answer){ .status = 0 };
}
