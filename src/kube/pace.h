/*
 * How fast a server is asked: how many requests may be under way, when the next may be sent, and
 * how many may be sent again. It learns from answers; time is clock_ms(), handed in.
 *
 * The number under way grows by one after as many answers as are under way, and halves when the
 * server refuses for its load (429, 503) or the connection is lost: once for all that were under
 * way at that time. A growth that was refused makes the next one later, so that a server with few
 * places is not driven into its refusals all the time.
 */
#ifndef KUBE_PACE_H
#define KUBE_PACE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    PACE_MOST = 50, /* under way; more gain nothing: measured from 20 on, the server is the bound */
};

struct pace {
    size_t most;             /* requests that may be under way */
    size_t answers;          /* since it last grew */
    unsigned reserve;        /* it grows after most << reserve answers */
    unsigned grown;          /* how often since it last shrank */
    unsigned rounds;         /* how often it shrank without an answer between */
    unsigned long last_sent; /* number of the last request ... */
    unsigned long shrunk;    /* ... and of the last one before it shrank */
    long long paused;        /* nothing is sent before */
    unsigned halves;         /* of requests that may be sent again: each answer brings one */
};

void pace_init(struct pace *pace);

/* Whether one more may be sent beside `under_way`. */
bool pace_allows(const struct pace *pace, size_t under_way, long long now);

/* Notes a sending; returns the number of the request, for pace_refused(). */
unsigned long pace_sent(struct pace *pace);

/* The server did what was asked of it, whatever it answered. */
void pace_answered(struct pace *pace);

/* A request was refused for the server's load, or lost. `asked_ms`: how long the server asked to
 * wait, 0 when it did not; then nothing is sent for so long. */
void pace_refused(struct pace *pace, unsigned long number, long asked_ms, long long now);

/* Takes one sending again out of the budget; false when that is used up. */
bool pace_resend(struct pace *pace);

/* The wait before a request is sent again that was sent `tries` times: doubles from 200 ms to 5 s,
 * and is up to a half more by chance, so that many don't come back at once. */
long pace_backoff(unsigned tries);

#endif
