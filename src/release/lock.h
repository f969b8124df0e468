/*
 * The lock of a release: a Lease (coordination.k8s.io/v1) that one program at a time holds, renews
 * while it works and deletes at the end. Who finds it neither renewed in time nor free waits or
 * leaves; one that is out of date, or whose holder ran on this machine and has ended, is taken
 * over. All times are the server's, and each write carries the resourceVersion that it was decided
 * on, so neither clocks nor races let two in.
 *
 * What it does beside the work it does in the client's loop: who lets the loop rest for more than
 * some seconds asks lock_confirm() before he writes again.
 */
#ifndef RELEASE_LOCK_H
#define RELEASE_LOCK_H

#include "base/err.h"
#include "kube/client.h"

struct lock;

struct lock_options {
    long wait_ms;       /* for a lock that is held; 0: not at all */
    const char *holder; /* for people; NULL: who_am_i() and the pid */
    int lease_seconds;  /* how long it holds without renewal; 0: 15 */
    long renew_ms;      /* from one renewal to the next; 0: a third of that */
};

/*
 * Takes the Lease of that name. NULL with err: ERR_LOCKED tells who holds it, since when, until
 * when, and what to do; ERR_REFUSED that its namespace is not there, or being deleted. `*notice` is
 * set to a sentence, the caller's to free, when it was taken over from another, else to NULL.
 */
struct lock *lock_take(struct kube_client *client, const char *namespace, const char *name,
                       const struct lock_options *options, char **notice, struct err *err);

/* Sets what is called once when the lock is lost, with ERR_LOCKED: at once when it is already, else
 * from the client's loop. May set a stop flag, not release the lock. NULL: nothing any more. */
void lock_on_lost(struct lock *lock, void (*lost)(const struct err *err, void *arg), void *arg);

/* Renews now and says whether it is still held. Returns 0, or -1 with err. */
int lock_confirm(struct lock *lock, struct err *err);

/* Gives it back, also after an interrupt (within 3 s; what fails then runs out by itself), and
 * frees. To be called before kube_client_free(); NULL is nothing. */
void lock_release(struct lock *lock);

#endif
