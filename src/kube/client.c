#include "kube/client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "kube/curl.h"

enum {
    IN_FLIGHT_MAX = 50, /* more gain nothing: measured from 20 on, the server is the bound */
    STREAMS_MAX = 100,  /* of one connection: the API server's own limit */
    ATTEMPTS_MAX = 6,
    CONNECT_TIMEOUT_MS = 10000,
    REQUEST_TIMEOUT_MS = 30000,
    KEEPALIVE_S = 15,
    BODY_MAX = 64 << 20,
    ERROR_BODY_SHOWN = 200,
    PARTING_MS = 3000,
};

enum call_state { CALL_QUEUED, CALL_SENT, CALL_OVER };

struct kube_call {
    struct kube_call *next;
    enum call_state state;
    bool cancelled;
    struct kube_request request; /* its texts are this call's own */
    CURL *easy;
    struct curl_slist *headers;
    struct buf received;
    int attempts;
    long long not_before; /* clock_ms() from which it may be sent */
    char problem[CURL_ERROR_SIZE];
};

struct kube_client {
    const struct curl_library *curl;
    CURLM *multi;
    struct kube_access access;
    char *server;                  /* what URLs start with */
    struct curl_slist *connect_to; /* for tls-server-name: where that name really is, or NULL */
    char *host_header;
    char *authorization; /* header line, or NULL */
    bool direct;         /* the server is this machine: no proxy, as client-go */
    bool has_connected;
    bool has_date;
    long long time_offset;   /* the server's time less clock_ms() */
    struct kube_call *calls; /* in the order of their sending */
    struct kube_call **tail;
    size_t sent;    /* requests under way, without event streams and background calls */
    size_t streams; /* event streams under way */
};

static bool is_stream(const struct kube_call *call)
{
    return call->request.event || call->request.line;
}

/* Whether it is one of those that at most IN_FLIGHT_MAX are sent of at once, and that are drained.
 */
static bool is_counted(const struct kube_call *call)
{
    return !is_stream(call) && !call->request.background;
}

/* ---- life ---- */

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static void copy_access(struct kube_access *to, const struct kube_access *from)
{
    *to = (struct kube_access){
        .context = copy(from->context),
        .server = copy(from->server),
        .namespace = copy(from->namespace),
        .ca_pem = copy(from->ca_pem),
        .cert_pem = copy(from->cert_pem),
        .key_pem = copy(from->key_pem),
        .token = copy(from->token),
        .token_file = copy(from->token_file),
        .username = copy(from->username),
        .password = copy(from->password),
        .tls_server_name = copy(from->tls_server_name),
        .proxy_url = copy(from->proxy_url),
    };
}

/* The host of a URL: from after "://" on; its length, without port and path. */
static const char *host_of(const char *url, size_t *length)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t end = strcspn(host, "/");
    if (*host == '[') {
        const char *close = memchr(host, ']', end);
        *length = close ? (size_t)(close - host) + 1 : end;
    } else {
        const char *colon = memchr(host, ':', end);
        *length = colon ? (size_t)(colon - host) : end;
    }
    return host;
}

/* tls-server-name: the URL carries the name to verify, and libcurl connects to the server. */
static void set_server(struct kube_client *client)
{
    const char *url = client->access.server, *name = client->access.tls_server_name;
    size_t length;
    const char *host = host_of(url, &length);
    const char *const here[] = { "127.0.0.1", "localhost", "[::1]" };
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        client->direct |= strlen(here[i]) == length && strncasecmp(host, here[i], length) == 0;
    if (!name || !*name) {
        client->server = xstrdup(url);
        return;
    }
    client->server = xasprintf("%.*s%s%s", (int)(host - url), url, name, host + length);
    const char *port = host[length] == ':' ? host + length + 1 : "443";
    char *target = xasprintf("::%.*s:%.*s", (int)length, host, (int)strcspn(port, "/"), port);
    client->connect_to = client->curl->slist_append(NULL, target);
    free(target);
    client->host_header = xasprintf("Host: %.*s", (int)strcspn(host, "/"), host);
}

struct kube_client *kube_client_new(const struct kube_access *access, struct err *err)
{
    const struct curl_library *curl = curl_load(err);
    if (!curl)
        return NULL;
    struct kube_client *client = xcalloc(1, sizeof *client);
    client->curl = curl;
    client->tail = &client->calls;
    client->time_offset = (long long)time(NULL) * 1000 - clock_ms();
    copy_access(&client->access, access);
    set_server(client);
    if (client->access.token)
        client->authorization = xasprintf("Authorization: Bearer %s", client->access.token);
    client->multi = curl->multi_init();
    curl->multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl->multi_setopt(client->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX);
    return client;
}

static void call_free(struct kube_client *client, struct kube_call *call)
{
    if (call->easy) {
        client->curl->multi_remove_handle(client->multi, call->easy);
        client->curl->easy_cleanup(call->easy);
    }
    client->curl->slist_free_all(call->headers);
    free((char *)call->request.method);
    free((char *)call->request.path);
    free((char *)call->request.content_type);
    free((char *)call->request.accept);
    xfree_secret(call->request.body);
    buf_release(&call->received);
    free(call);
}

void kube_client_free(struct kube_client *client)
{
    if (!client)
        return;
    while (client->calls) {
        struct kube_call *call = client->calls;
        client->calls = call->next;
        call_free(client, call);
    }
    client->curl->multi_cleanup(client->multi);
    kube_access_release(&client->access);
    xfree_secret(client->authorization);
    free(client->server);
    client->curl->slist_free_all(client->connect_to);
    free(client->host_header);
    free(client);
}

/* ---- sending ---- */

struct kube_call *kube_send(struct kube_client *client, const struct kube_request *request)
{
    struct kube_call *call = xcalloc(1, sizeof *call);
    call->request = *request;
    call->request.method = copy(request->method);
    call->request.path = copy(request->path);
    call->request.content_type = copy(request->content_type);
    call->request.accept = copy(request->accept);
    call->received.max = BODY_MAX;
    call->not_before = request->delay_ms ? clock_ms() + request->delay_ms : 0;
    *client->tail = call;
    client->tail = &call->next;
    return call;
}

void kube_cancel(struct kube_client *client, struct kube_call *call)
{
    (void)client;
    call->cancelled = true;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct kube_call *call = arg;
    buf_add(&call->received, bytes, size * count);
    return call->received.overflow ? 0 : size * count;
}

/* Dates are whole seconds and come late, so the greatest difference is the nearest. */
static void take_date(struct kube_client *client, const char *text)
{
    time_t date = client->curl->getdate(text, NULL);
    if (date == (time_t)-1)
        return;
    long long offset = (long long)date * 1000 - clock_ms();
    if (!client->has_date || offset > client->time_offset)
        client->time_offset = offset;
    client->has_date = true;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    static const char name[] = "date:";
    size_t length = size * count, skip = sizeof name - 1;
    char value[64];
    if (length > skip && length - skip < sizeof value && strncasecmp(line, name, skip) == 0) {
        memcpy(value, line + skip, length - skip);
        value[length - skip] = '\0';
        take_date(arg, value);
    }
    return length;
}

long long kube_time_ms(const struct kube_client *client)
{
    return clock_ms() + client->time_offset;
}

static void add_header(struct kube_client *client, struct kube_call *call, const char *line)
{
    struct curl_slist *longer = client->curl->slist_append(call->headers, line);
    if (longer)
        call->headers = longer;
}

static void set_blob(struct kube_client *client, CURL *easy, CURLoption option, const char *pem)
{
    struct curl_blob blob = { (void *)pem, strlen(pem), CURL_BLOB_NOCOPY };
    client->curl->easy_setopt(easy, option, &blob);
}

static void set_credentials(struct kube_client *client, struct kube_call *call, CURL *easy)
{
    const struct kube_access *access = &client->access;
    if (access->ca_pem) {
        set_blob(client, easy, CURLOPT_CAINFO_BLOB, access->ca_pem);
        /* Else the system's authorities would be trusted beside the cluster's own. */
        client->curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (access->cert_pem && access->key_pem) {
        set_blob(client, easy, CURLOPT_SSLCERT_BLOB, access->cert_pem);
        set_blob(client, easy, CURLOPT_SSLKEY_BLOB, access->key_pem);
    }
    if (client->authorization) {
        add_header(client, call, client->authorization);
    } else if (access->username) {
        client->curl->easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        client->curl->easy_setopt(easy, CURLOPT_USERNAME, access->username);
        client->curl->easy_setopt(easy, CURLOPT_PASSWORD, access->password ? access->password : "");
    }
}

static void set_connection(struct kube_client *client, struct kube_call *call, CURL *easy)
{
    const struct curl_library *curl = client->curl;
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl->easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
    if (client->access.proxy_url)
        curl->easy_setopt(easy, CURLOPT_PROXY, client->access.proxy_url);
    else if (client->direct)
        curl->easy_setopt(easy, CURLOPT_PROXY, "");
    if (client->connect_to)
        curl->easy_setopt(easy, CURLOPT_CONNECT_TO, client->connect_to);
    long timeout_ms = call->request.timeout_ms ? call->request.timeout_ms : REQUEST_TIMEOUT_MS;
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
}

static void send_now(struct kube_client *client, struct kube_call *call)
{
    const struct curl_library *curl = client->curl;
    CURL *easy = curl->easy_init();
    char *url = xasprintf("%s%s", client->server, call->request.path);
    curl->easy_setopt(easy, CURLOPT_URL, url);
    free(url);
    curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->request.method);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, call->problem);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, client);
    curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy has its own clock */
    curl->easy_setopt(easy, CURLOPT_PRIVATE, call);
    const char *form = call->request.accept ? call->request.accept : "application/json";
    char *accept = xasprintf("Accept: %s", form);
    add_header(client, call, accept);
    free(accept);
    add_header(client, call, "User-Agent: bkdeploy");
    if (client->host_header)
        add_header(client, call, client->host_header);
    if (call->request.body) {
        char *type = xasprintf("Content-Type: %s", call->request.content_type);
        add_header(client, call, type);
        free(type);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                          (curl_off_t)strlen(call->request.body));
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, call->request.body);
    }
    set_connection(client, call, easy);
    set_credentials(client, call, easy);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    call->easy = easy;
    call->state = CALL_SENT;
    call->attempts++;
    buf_clear(&call->received);
    client->sent += is_counted(call);
    client->streams += is_stream(call);
    curl->multi_add_handle(client->multi, easy);
}

/* Sends what may be sent; returns the milliseconds until the next call that has to wait, or -1. */
static long send_queued(struct kube_client *client)
{
    long long now = clock_ms();
    long wait = -1;
    for (struct kube_call *call = client->calls; call; call = call->next) {
        if (call->state != CALL_QUEUED || call->cancelled)
            continue;
        if (call->not_before > now) {
            long left = (long)(call->not_before - now);
            wait = wait < 0 || left < wait ? left : wait;
        } else if (!is_counted(call) || client->sent < IN_FLIGHT_MAX) {
            send_now(client, call);
        }
    }
    return wait;
}

/* ---- answers ---- */

static void unsend(struct kube_client *client, struct kube_call *call)
{
    client->sent -= is_counted(call);
    client->streams -= is_stream(call);
    client->curl->multi_remove_handle(client->multi, call->easy);
    client->curl->easy_cleanup(call->easy);
    client->curl->slist_free_all(call->headers);
    call->easy = NULL;
    call->headers = NULL;
}

static void transport_error(const struct kube_client *client, const struct kube_call *call,
                            CURLcode code, struct err *err)
{
    const char *what = *call->problem ? call->problem : client->curl->easy_strerror(code);
    const char *server = client->access.server, *context = client->access.context;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        err_set(err, ERR_UNREACHABLE,
                "%s: the server's certificate is not trusted (%s); check certificate-authority of "
                "context '%s'",
                server, what, context);
        break;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        err_set(err, ERR_UNREACHABLE, "%s: a certificate of context '%s' can't be used: %s", server,
                context, what);
        break;
    case CURLE_WRITE_ERROR:
        err_set(err, ERR_FAILED, "%s%s: an answer of more than %d MiB", server, call->request.path,
                BODY_MAX >> 20);
        break;
    default:
        err_set(err, ERR_UNREACHABLE, "%s: cannot reach the API server of context '%s': %s", server,
                context, what);
    }
}

/* Whether a 403 comes of who asks: rights, or an escalation of them. Admission (quotas, webhooks,
 * pod security, a namespace that is going) answers by it, too, and would refuse anybody. */
static bool is_about_rights(const char *message)
{
    return !message || (strncmp(message, "admission webhook ", 18) != 0 &&
                        (strstr(message, "User \"") || strstr(message, "user \"")));
}

static enum err_kind kind_of_status(long status, const char *message)
{
    if (status == 401 || (status == 403 && is_about_rights(message)))
        return ERR_UNREACHABLE;
    if (status == 409)
        return ERR_CONFLICT;
    return ERR_REFUSED;
}

/* The error of an HTTP status: the message of the API server's Status object, where it sent one. */
static void status_error(const struct kube_client *client, const struct kube_call *call,
                         long status, const json_t *body, struct err *err)
{
    const char *message = json_string_value(json_object_get(body, "message"));
    if (status == 401) {
        err_set(err, ERR_UNREACHABLE,
                "%s: the API server does not accept the credentials of context '%s' (401 "
                "Unauthorized)",
                client->access.server, client->access.context);
    } else if (message) {
        err_set(err, kind_of_status(status, message), "%s", message);
        for (char *c = err->message; *c; c++) /* one line, whatever was written */
            if (*c == '\n' || *c == '\r')
                *c = ' ';
    } else {
        const char *text = buf_text(&call->received);
        int length = (int)strcspn(text, "\r\n");
        err_set(err, kind_of_status(status, NULL),
                "%s%s: HTTP status %ld, not of a Kubernetes API: %.*s", client->access.server,
                call->request.path, status, length < ERROR_BODY_SHOWN ? length : ERROR_BODY_SHOWN,
                text);
    }
}

static long retry_delay(const struct kube_client *client, const struct kube_call *call)
{
    curl_off_t seconds = 0;
    client->curl->easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &seconds);
    long delay = 100L << call->attempts;
    unsigned char chance = 0; /* up to a half more, so that many don't come back at once */
    (void)!getrandom(&chance, sizeof chance, GRND_NONBLOCK);
    delay += delay * chance / 512;
    return seconds > 0 && seconds <= 60 ? (long)seconds * 1000 : delay;
}

/* Whether the failure may pass by itself. A server that never answered is not waited for. */
static bool may_retry(const struct kube_client *client, const struct kube_call *call, CURLcode code,
                      long status)
{
    if (call->attempts >= ATTEMPTS_MAX || !is_counted(call) || interrupt_pending())
        return false;
    if (code == CURLE_OK)
        return status == 429 || status == 503;
    return client->has_connected &&
           (code == CURLE_COULDNT_CONNECT || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
            code == CURLE_GOT_NOTHING || code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM ||
            code == CURLE_PARTIAL_FILE || code == CURLE_SSL_CONNECT_ERROR);
}

/* Hands out one line of a stream: bytes up to and without its end. */
static void deliver_line(struct kube_call *call, const char *bytes, size_t length, bool whole)
{
    if (call->request.line) {
        call->request.line(bytes, length, whole, call->request.arg);
        return;
    }
    json_t *event = json_loadb(bytes, length, 0, NULL);
    if (event)
        call->request.event(event, call->request.arg);
    json_decref(event);
}

static void finish(struct kube_client *client, struct kube_call *call, CURLcode code)
{
    long status = 0;
    client->curl->easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    client->has_connected |= status != 0;
    if (may_retry(client, call, code, status)) {
        call->not_before = clock_ms() + retry_delay(client, call);
        unsend(client, call);
        call->state = CALL_QUEUED;
        return;
    }
    if (call->request.line && status == 200 && call->received.len && !call->cancelled)
        deliver_line(call, call->received.data, call->received.len, true); /* has no end */
    unsend(client, call);
    call->state = CALL_OVER;
    struct err err = ERR_INIT;
    struct kube_response response = { .status = code == CURLE_OK ? status : 0 };
    json_error_t problem;
    if (code != CURLE_OK) {
        transport_error(client, call, code, &err);
    } else if (!is_stream(call) || status != 200) {
        response.body = json_loadb(buf_text(&call->received), call->received.len, 0, &problem);
        if (status < 200 || status > 299)
            status_error(client, call, status, response.body, &err);
        else if (!response.body)
            err_set(&err, ERR_REFUSED, "%s%s: the answer is no JSON: %s", client->access.server,
                    call->request.path, problem.text);
    }
    response.err = err.kind == ERR_NONE ? NULL : &err;
    if (call->request.done && !call->cancelled)
        call->request.done(&response, call->request.arg);
    json_decref(response.body);
}

/* Hands out the whole lines that a stream has brought; whether there was one. Outside of libcurl's
 * callbacks, so that the receiver may send and cancel. */
static bool deliver_events(struct kube_client *client, struct kube_call *call)
{
    long status = 0;
    client->curl->easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return false;
    client->has_connected = true;
    char *start = call->received.data;
    char *end = start + call->received.len;
    char *newline;
    bool any = false;
    while (!call->cancelled && (newline = memchr(start, '\n', (size_t)(end - start)))) {
        const char *line = start;
        start = newline + 1;
        any = true;
        deliver_line(call, line, (size_t)(newline - line), true);
    }
    if (call->request.line && !call->cancelled && end - start >= KUBE_LINE_MAX) {
        deliver_line(call, start, (size_t)(end - start), false);
        start = end;
        any = true;
    }
    size_t rest = (size_t)(end - start);
    memmove(call->received.data, start, rest);
    call->received.len = rest;
    return any;
}

static bool deliver_all_events(struct kube_client *client)
{
    bool any = false;
    if (client->streams == 0)
        return false;
    for (struct kube_call *call = client->calls; call; call = call->next)
        if (call->state == CALL_SENT && is_stream(call) && call->received.len && !call->cancelled)
            any |= deliver_events(client, call);
    return any;
}

static bool finish_done(struct kube_client *client)
{
    CURLMsg *message;
    int left;
    bool any = false;
    while ((message = client->curl->multi_info_read(client->multi, &left))) {
        struct kube_call *call = NULL;
        CURLcode code = message->data.result;
        client->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        finish(client, call, code);
        any = true;
    }
    return any;
}

/* Frees what is over or cancelled; the only place that shortens the list. */
static void reap(struct kube_client *client)
{
    struct kube_call **link = &client->calls;
    while (*link) {
        struct kube_call *call = *link;
        if (!call->cancelled && call->state != CALL_OVER) {
            link = &call->next;
            continue;
        }
        *link = call->next;
        if (call->state == CALL_SENT)
            unsend(client, call);
        call_free(client, call);
    }
    client->tail = link;
}

/* Lets libcurl work and hands out what came; whether something did. */
static bool pump(struct kube_client *client)
{
    int running;
    client->curl->multi_perform(client->multi, &running);
    bool events = deliver_all_events(client);
    bool answers = finish_done(client);
    reap(client);
    return events || answers;
}

/* One turn: sends what is queued, then hands out something or waits at most `wait_ms` for traffic
 * or for one of `fds`. Never waits when something was handed out: that may have been the last that
 * was under way. */
static void turn(struct kube_client *client, long wait_ms, struct curl_waitfd *fds, unsigned count)
{
    long delay = send_queued(client);
    if (pump(client))
        return;
    if (delay >= 0 && delay < wait_ms)
        wait_ms = delay;
    client->curl->multi_poll(client->multi, fds, count, (int)wait_ms, NULL);
    pump(client);
}

static bool is_readable(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    return fd >= 0 && poll(&wait, 1, 0) > 0; /* the end of a pipe counts too, unlike libcurl's */
}

static bool has_foreground(const struct kube_client *client)
{
    for (const struct kube_call *call = client->calls; call; call = call->next)
        if (!call->request.background)
            return true;
    return false;
}

/* The loop of kube_run(), and of kube_idle() when `idle`. */
static int run(struct kube_client *client, bool idle, int fd, const bool *stop, long timeout_ms,
               struct err *err)
{
    long long deadline = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
    reap(client);
    while (!(stop && *stop) && (idle || has_foreground(client)) && !is_readable(fd)) {
        if (interrupt_pending())
            return err_set(err, ERR_INTERRUPTED, "interrupted");
        long wait = 60000;
        if (deadline >= 0) {
            long left = (long)(deadline - clock_ms());
            if (left <= 0)
                return 1;
            wait = left < wait ? left : wait;
        }
        struct curl_waitfd fds[2];
        unsigned count = 0;
        if (interrupt_fd() >= 0)
            fds[count++] = (struct curl_waitfd){ interrupt_fd(), CURL_WAIT_POLLIN, 0 };
        if (fd >= 0)
            fds[count++] = (struct curl_waitfd){ fd, CURL_WAIT_POLLIN, 0 };
        turn(client, wait, fds, count);
    }
    return 0;
}

int kube_run(struct kube_client *client, const bool *stop, long timeout_ms, struct err *err)
{
    return run(client, false, -1, stop, timeout_ms, err);
}

int kube_idle(struct kube_client *client, int fd, const bool *stop, long timeout_ms,
              struct err *err)
{
    return run(client, true, fd, stop, timeout_ms, err);
}

void kube_finish(struct kube_client *client, const bool *done, long timeout_ms)
{
    long long deadline = clock_ms() + timeout_ms;
    reap(client);
    while (!*done && clock_ms() < deadline)
        turn(client, (long)(deadline - clock_ms()), NULL, 0);
}

void kube_drain(struct kube_client *client, long timeout_ms)
{
    long long deadline = clock_ms() + timeout_ms;
    for (struct kube_call *call = client->calls; call; call = call->next)
        if (is_stream(call) || (call->state == CALL_QUEUED && is_counted(call)))
            call->cancelled = true;
    reap(client);
    while (client->sent && clock_ms() < deadline)
        turn(client, (long)(deadline - clock_ms()), NULL, 0);
    for (struct kube_call *call = client->calls; call; call = call->next)
        if (is_counted(call))
            call->cancelled = true;
    reap(client);
}

/* ---- one request, waited for ---- */

struct fetch {
    bool done;
    long status;
    json_t *body;
    struct err err;
};

static void on_fetched(const struct kube_response *response, void *arg)
{
    struct fetch *fetch = arg;
    fetch->done = true;
    fetch->status = response->status;
    fetch->body = json_incref(response->body);
    if (response->err)
        fetch->err = *response->err;
}

/* As kube_run(), deaf to interrupts. */
static int run_parting(struct kube_client *client, const bool *stop, struct err *err)
{
    kube_finish(client, stop, PARTING_MS);
    return *stop ? 0 : err_set(err, ERR_INTERRUPTED, "interrupted, and no answer within 3 s");
}

long kube_ask(struct kube_client *client, const struct kube_request *request, json_t **answer,
              struct err *err)
{
    struct fetch fetch = { .done = false, .err = ERR_INIT };
    struct err interrupted = ERR_INIT;
    struct kube_request own = *request;
    own.done = on_fetched;
    own.arg = &fetch;
    if (answer)
        *answer = NULL;
    struct kube_call *call = kube_send(client, &own);
    int result = kube_run(client, &fetch.done, -1, &interrupted);
    if (result != 0 && request->parting)
        result = run_parting(client, &fetch.done, &interrupted);
    if (result != 0) {
        kube_cancel(client, call);
        *err = interrupted;
        return -1;
    }
    if (answer)
        *answer = fetch.body;
    else
        json_decref(fetch.body);
    if (fetch.err.kind == ERR_NONE)
        return fetch.status;
    *err = fetch.err;
    return fetch.status > 299 || (fetch.status > 0 && fetch.status < 200) ? fetch.status : -1;
}

long kube_fetch(struct kube_client *client, const char *method, const char *path,
                const char *content_type, char *body, json_t **answer, struct err *err)
{
    struct kube_request request = {
        .method = method,
        .path = path,
        .content_type = content_type,
        .body = body,
    };
    json_t *whole = NULL;
    long status = kube_ask(client, &request, &whole, err);
    if (status < 200 || status > 299) {
        json_decref(whole);
        return -1;
    }
    if (answer)
        *answer = whole;
    else
        json_decref(whole);
    return status;
}
