#include "kube/client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "kube/answer.h"
#include "kube/curl.h"
#include "kube/endpoint.h"
#include "kube/pace.h"

enum {
    STREAMS_MAX = 100, /* of one connection: the API server's own limit */
    ASKED_MS = 60000,  /* how long a call is sent again that the server asks to wait with ... */
    LOST_MS = 30000,   /* ... and one whose connection was lost */
    /* Without a byte: until the server is asked for a sign of life for the first time, and at last,
     * when answers are due and when only streams are under way; and until the connection is given
     * up. A lock that was to be renewed just then has 7 s left. */
    EAGER_MS = 100,
    QUIET_MS = 2000,
    IDLE_MS = 10000,
    SILENT_MS = 4000,
    PARTING_MS = 3000,
    SETTLE_MS = 10,
};

enum call_state { CALL_QUEUED, CALL_SENT, CALL_OVER };

struct call_list {
    struct kube_call *first, *last;
};

struct kube_call {
    struct kube_call *previous, *next;
    struct call_list *list;
    struct kube_call *next_doomed;
    enum call_state state;
    bool cancelled, doomed, silent;
    bool maybe_done;             /* an earlier sending was lost after it had left */
    struct kube_request request; /* its texts are this call's own */
    struct transfer transfer;
    struct buf received;
    long long *heard;     /* the client's */
    unsigned long number; /* of its sending, for the pace */
    unsigned tries;       /* sendings that were refused for the server's load, or lost */
    long long trouble;    /* clock_ms() of the first of them */
    long long not_before; /* clock_ms() from which it may be sent */
    char *problem;        /* CURL_ERROR_SIZE bytes; NULL before it was sent */
};

struct kube_client {
    const struct curl_library *curl;
    CURLM *multi;
    struct endpoint endpoint;
    struct pace pace;
    bool has_connected;
    bool has_date;
    long long time_offset;    /* the server's time less clock_ms() */
    struct call_list delayed; /* not to be sent yet, the earliest first */
    struct call_list ready;   /* to be sent at the pace, in their order */
    struct call_list beside;  /* to be sent at once: event streams, background calls, last words */
    struct call_list sent;
    struct call_list streams; /* sent, too: event streams */
    struct kube_call *doomed; /* over or cancelled, and to be freed; still in their lists */
    size_t foreground;        /* calls that are waited for */
    size_t counted;           /* requests under way, without event streams and background calls */
    long long heard;         /* clock_ms() of the last byte, or when the first of `sent` was sent */
    struct kube_call *probe; /* the question for a sign of life, or NULL */
    long patience;           /* without a byte, until the next one */
    long (*tick)(void *arg); /* kube_on_tick(), or NULL */
    void *tick_arg;
    long settle; /* milliseconds that the next wait may last */
};

static bool is_stream(const struct kube_call *call)
{
    return call->request.event || call->request.line;
}

/* Whether it is one of those of which only so many are sent at once, and that are drained. */
static bool is_counted(const struct kube_call *call)
{
    return !is_stream(call) && !call->request.background;
}

/* ---- lists ---- */

static void unlink_call(struct kube_call *call)
{
    struct call_list *list = call->list;
    if (!list)
        return;
    *(call->previous ? &call->previous->next : &list->first) = call->next;
    *(call->next ? &call->next->previous : &list->last) = call->previous;
    call->list = NULL;
}

/* Moves a call behind `previous` (NULL: to the front) of a list. */
static void move_behind(struct call_list *list, struct kube_call *previous, struct kube_call *call)
{
    unlink_call(call);
    call->list = list;
    call->previous = previous;
    call->next = previous ? previous->next : list->first;
    *(previous ? &previous->next : &list->first) = call;
    *(call->next ? &call->next->previous : &list->last) = call;
}

static void move_to_end(struct call_list *list, struct kube_call *call)
{
    unlink_call(call);
    move_behind(list, list->last, call);
}

/* Delays are much the same, so this is near the end. */
static void delay(struct kube_client *client, struct kube_call *call)
{
    unlink_call(call);
    struct kube_call *previous = client->delayed.last;
    while (previous && previous->not_before > call->not_before)
        previous = previous->previous;
    move_behind(&client->delayed, previous, call);
}

/* What was sent before goes first: it is what others wait for. */
static void make_ready(struct kube_client *client, struct kube_call *call)
{
    if (!is_counted(call) || call->request.parting)
        move_to_end(&client->beside, call);
    else if (call->tries)
        move_behind(&client->ready, NULL, call);
    else
        move_to_end(&client->ready, call);
}

static void doom(struct kube_client *client, struct kube_call *call)
{
    if (call->doomed)
        return;
    call->doomed = true;
    call->next_doomed = client->doomed;
    client->doomed = call;
}

/* ---- life ---- */

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

struct kube_client *kube_client_new(const struct kube_access *access, struct err *err)
{
    struct kube_client *client = xcalloc(1, sizeof *client);
    client->patience = EAGER_MS;
    if (endpoint_init(&client->endpoint, access, err) != 0) {
        free(client);
        return NULL;
    }
    const struct curl_library *curl = client->endpoint.curl;
    client->curl = curl;
    pace_init(&client->pace);
    client->time_offset = (long long)time(NULL) * 1000 - clock_ms();
    client->multi = curl->multi_init();
    curl->multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl->multi_setopt(client->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX);
    return client;
}

static void call_free(struct kube_client *client, struct kube_call *call)
{
    unlink_call(call);
    if (call->transfer.easy)
        client->curl->multi_remove_handle(client->multi, call->transfer.easy);
    endpoint_end(&client->endpoint, &call->transfer);
    free((char *)call->request.method);
    free((char *)call->request.path);
    free((char *)call->request.content_type);
    free((char *)call->request.accept);
    xfree_secret(call->request.body);
    buf_release(&call->received);
    free(call->problem);
    free(call);
}

void kube_client_free(struct kube_client *client)
{
    if (!client)
        return;
    struct call_list *const lists[] = { &client->delayed, &client->ready, &client->beside,
                                        &client->sent, &client->streams };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        while (lists[i]->first)
            call_free(client, lists[i]->first);
    client->curl->multi_cleanup(client->multi);
    endpoint_release(&client->endpoint);
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
    call->received.max = ANSWER_MAX;
    call->heard = &client->heard;
    client->foreground += !request->background;
    if (request->delay_ms) {
        call->not_before = clock_ms() + request->delay_ms;
        delay(client, call);
    } else {
        make_ready(client, call);
    }
    return call;
}

void kube_cancel(struct kube_client *client, struct kube_call *call)
{
    call->cancelled = true;
    doom(client, call);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct kube_call *call = arg;
    *call->heard = clock_ms();
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
    ((struct kube_client *)arg)->heard = clock_ms();
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

static void send_now(struct kube_client *client, struct kube_call *call, long long now)
{
    const struct curl_library *curl = client->curl;
    if (!client->sent.first)
        client->heard = now; /* as of now an answer is due */
    if (call->request.make_body)
        call->request.body = call->request.make_body(call->request.arg);
    if (!call->problem)
        call->problem = xmalloc(CURL_ERROR_SIZE);
    endpoint_begin(&client->endpoint, &call->request, &call->transfer);
    CURL *easy = call->transfer.easy;
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, call->problem);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, client);
    curl->easy_setopt(easy, CURLOPT_PRIVATE, call);
    *call->problem = '\0';
    call->state = CALL_SENT;
    call->silent = false;
    call->number = pace_sent(&client->pace);
    client->counted += is_counted(call);
    move_to_end(is_stream(call) ? &client->streams : &client->sent, call);
    curl->multi_add_handle(client->multi, easy);
}

static long sooner(long wait, long other)
{
    return wait < 0 || other < wait ? other : wait;
}

/* Sends what may be sent; returns the milliseconds until the next call that has to wait, or -1. */
static long send_queued(struct kube_client *client)
{
    long long now = clock_ms();
    struct kube_call *call, *next;
    while ((call = client->delayed.first) && call->not_before <= now)
        make_ready(client, call);
    bool paused = client->pace.paused > now;
    for (call = client->beside.first; call; call = next) {
        next = call->next;
        if (!paused || !is_stream(call))
            send_now(client, call, now);
    }
    while (client->ready.first && pace_allows(&client->pace, client->counted, now))
        send_now(client, client->ready.first, now);
    long wait = -1;
    if (client->delayed.first)
        wait = sooner(wait, (long)(client->delayed.first->not_before - now));
    if (paused && (client->ready.first || client->beside.first))
        wait = sooner(wait, (long)(client->pace.paused - now));
    return wait;
}

/* ---- answers ---- */

static void unsend(struct kube_client *client, struct kube_call *call)
{
    client->counted -= is_counted(call);
    client->curl->multi_remove_handle(client->multi, call->transfer.easy);
    endpoint_end(&client->endpoint, &call->transfer);
    if (!call->request.make_body)
        return;
    xfree_secret(call->request.body);
    call->request.body = NULL;
}

/* Whether the server may have got the request. */
static bool has_left(const struct kube_client *client, const struct kube_call *call)
{
    curl_off_t left_after = 0;
    client->curl->easy_getinfo(call->transfer.easy, CURLINFO_PRETRANSFER_TIME_T, &left_after);
    return left_after > 0;
}

/* Whether a connection was lost, or not made: what may pass by itself. A server that never answered
 * is not waited for. */
static bool is_lost(const struct kube_client *client, const struct kube_call *call, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR: return client->has_connected;
    case CURLE_OPERATION_TIMEDOUT: /* while connecting */
        return client->has_connected && !has_left(client, call);
    default: return false;
    }
}

/* What becomes of a request that the server has no place for, or that is lost: it is sent again, or
 * is given up, for which `trouble` says why. */
static bool send_again(struct kube_client *client, struct kube_call *call, bool lost,
                       struct answer_trouble *trouble)
{
    curl_off_t asked_s = 0;
    long long now = clock_ms();
    if (!lost)
        client->curl->easy_getinfo(call->transfer.easy, CURLINFO_RETRY_AFTER, &asked_s);
    long asked_ms = asked_s > 0 && asked_s * 1000 <= ASKED_MS ? (long)asked_s * 1000 : 0;
    pace_refused(&client->pace, call->number, asked_ms, now);
    if (call->tries++ == 0)
        call->trouble = now;
    trouble->tries = call->tries;
    trouble->ms = now - call->trouble;
    trouble->asked_s = (long)asked_s;
    if (!is_counted(call) || interrupt_pending() || asked_s * 1000 > ASKED_MS ||
        trouble->ms >= (lost ? LOST_MS : ASKED_MS))
        return false;
    trouble->spent = !pace_resend(&client->pace);
    if (trouble->spent)
        return false;
    call->maybe_done |= lost && has_left(client, call);
    unsend(client, call);
    call->state = CALL_QUEUED;
    buf_clear(&call->received);
    call->not_before = now + pace_backoff(call->tries);
    if (asked_ms)
        make_ready(client, call);
    else
        delay(client, call);
    return true;
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
    const struct kube_access *access = &client->endpoint.access;
    struct answer_trouble trouble = { .tries = 0 };
    long status = 0;
    client->curl->easy_getinfo(call->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 0 && !client->has_connected)
        curl_let_go(); /* of what the connection took to come about */
    client->has_connected |= status != 0;
    if (call != client->probe)
        client->patience = EAGER_MS;
    bool busy = code == CURLE_OK && (status == 429 || status == 503);
    if (busy || is_lost(client, call, code)) {
        if (send_again(client, call, !busy, &trouble))
            return;
    } else if (code == CURLE_OK && is_counted(call)) {
        pace_answered(&client->pace);
    }
    if (call->request.line && status == 200 && call->received.len && !call->cancelled)
        deliver_line(call, call->received.data, call->received.len, true); /* has no end */
    unsend(client, call);
    call->state = CALL_OVER;
    doom(client, call);
    struct err err = ERR_INIT;
    struct kube_response response = {
        .status = code == CURLE_OK ? status : 0,
        .again = call->maybe_done,
    };
    json_error_t problem;
    if (code != CURLE_OK) {
        const char *what = call->silent     ? "it was silent for 4 s"
                           : *call->problem ? call->problem
                                            : client->curl->easy_strerror(code);
        answer_transport_error(access, call->request.path, code, what, &trouble, &err);
    } else if (!is_stream(call) || status != 200) {
        response.body = json_loadb(buf_text(&call->received), call->received.len, 0, &problem);
        if (busy && is_counted(call))
            answer_busy_error(access, status, response.body, &trouble, &err);
        else if (status < 200 || status > 299)
            answer_status_error(access, call->request.path, status, response.body, &call->received,
                                &err);
        else if (!response.body)
            err_set(&err, ERR_REFUSED, "%s%s: the answer is no JSON: %s", access->server,
                    call->request.path, problem.text);
    }
    buf_release(&call->received);
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
    client->curl->easy_getinfo(call->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return false;
    client->has_connected = true;
    client->patience = EAGER_MS;
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
    for (struct kube_call *call = client->streams.first; call; call = call->next)
        if (call->received.len && !call->cancelled)
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

/* Frees what is over or cancelled: outside of every callback and walk along a list. */
static void reap(struct kube_client *client)
{
    struct kube_call *call;
    while ((call = client->doomed)) {
        client->doomed = call->next_doomed;
        client->foreground -= !call->request.background;
        if (call->state == CALL_SENT)
            unsend(client, call);
        call_free(client, call);
    }
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

/* ---- silence ---- */

static void on_sign_of_life(const struct kube_response *response, void *arg)
{
    (void)response; /* any is one */
    ((struct kube_client *)arg)->probe = NULL;
}

static void give_up_connection(struct kube_client *client)
{
    struct call_list *const lists[] = { &client->sent, &client->streams };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (struct kube_call *call = lists[i]->first; call; call = call->next)
            call->silent = true;
    endpoint_shut_down(&client->endpoint);
    client->heard = clock_ms();
}

/*
 * A connection of which nothing comes may be dead without an end, e.g. where a firewall has
 * forgotten it. TCP finds that out in minutes; here the server is asked for something that it has
 * for everybody, and when that brings nothing, the connection is shut down, so that all that was
 * under way on it is lost at once. Returns the milliseconds until the next look, or -1.
 *
 * libcurl 7.88 is why the first question comes so soon: where several large answers come at once,
 * it now and then does not see the end of one of them until something else comes on the connection.
 */
static long look_for_silence(struct kube_client *client)
{
    bool due = client->sent.first;
    if (!client->has_connected || !(due || client->streams.first))
        return -1;
    long quiet = (long)(clock_ms() - client->heard);
    if (quiet < client->patience)
        return client->patience - quiet;
    if (due && quiet >= SILENT_MS) {
        give_up_connection(client);
        return 0;
    }
    struct kube_request request = {
        .method = "GET",
        .path = "/version",
        .timeout_ms = SILENT_MS,
        .background = true,
        .done = on_sign_of_life,
        .arg = client,
    };
    if (!client->probe) {
        long most = due ? QUIET_MS : IDLE_MS;
        client->probe = kube_send(client, &request);
        client->patience = sooner(2 * client->patience, most);
    }
    return SILENT_MS - (due ? quiet : 0);
}

/* One turn: sends what is queued, then hands out something or waits at most `wait_ms` for traffic
 * or for one of `fds`. Never waits when something was handed out: that may have been the last that
 * was under way. */
static void turn(struct kube_client *client, long wait_ms, struct curl_waitfd *fds, unsigned count)
{
    long silence = look_for_silence(client);
    long queued = send_queued(client);
    if (pump(client))
        return;
    if (silence >= 0)
        wait_ms = sooner(silence, wait_ms);
    if (queued >= 0)
        wait_ms = sooner(queued, wait_ms);
    /* libcurl 7.88 may hold what it has read of one stream while it served another, and not say
     * so: after traffic it is asked again soon, and then after longer and longer waits. */
    wait_ms = sooner(client->settle, wait_ms);
    int readable = 0;
    client->curl->multi_poll(client->multi, fds, count, (int)wait_ms, &readable);
    client->settle = readable > 0 ? SETTLE_MS : 2 * wait_ms + SETTLE_MS;
    pump(client);
}

static bool is_readable(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    return fd >= 0 && poll(&wait, 1, 0) > 0; /* the end of a pipe counts too, unlike libcurl's */
}

/* The loop of kube_run(), and of kube_idle() when `idle`. */
static int run(struct kube_client *client, bool idle, int fd, const bool *stop, long timeout_ms,
               struct err *err)
{
    long long deadline = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
    reap(client);
    while (!(stop && *stop) && (idle || client->foreground) && !is_readable(fd)) {
        if (interrupt_pending())
            return err_set(err, ERR_INTERRUPTED, "interrupted");
        long wait = 60000;
        if (deadline >= 0) {
            long left = (long)(deadline - clock_ms());
            if (left <= 0)
                return 1;
            wait = left < wait ? left : wait;
        }
        long due = client->tick ? client->tick(client->tick_arg) : wait;
        wait = due < wait ? due : wait;
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

void kube_on_tick(struct kube_client *client, long (*tick)(void *arg), void *arg)
{
    client->tick = tick;
    client->tick_arg = arg;
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

static void cancel_counted(struct kube_client *client, struct call_list *list)
{
    for (struct kube_call *call = list->first; call; call = call->next)
        if (!call->request.background)
            kube_cancel(client, call);
}

void kube_drain(struct kube_client *client, long timeout_ms)
{
    long long deadline = clock_ms() + timeout_ms;
    cancel_counted(client, &client->delayed);
    cancel_counted(client, &client->ready);
    cancel_counted(client, &client->beside);
    cancel_counted(client, &client->streams);
    reap(client);
    while (client->counted && clock_ms() < deadline)
        turn(client, (long)(deadline - clock_ms()), NULL, 0);
    cancel_counted(client, &client->sent);
    cancel_counted(client, &client->ready);
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
