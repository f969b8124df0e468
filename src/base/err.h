/*
 * Errors as a parameter. A function that can fail takes a `struct err *` last, returns -1 (or NULL)
 * and leaves one complete sentence in it; on success it does not touch it. Callers add their own
 * context on the way up with err_wrap(); the command's caller prints the message once.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_kind {
    ERR_NONE,
    ERR_FAILED,      /* exit 1: a local failure that is none of the below, e.g. a full disk */
    ERR_USAGE,       /* exit 2: wrong usage */
    ERR_PROFILE,     /* exit 2: the profile is in error */
    ERR_REFUSED,     /* exit 3: the API server refused an object */
    ERR_ROLLOUT,     /* exit 4: a rollout failed */
    ERR_TIMEOUT,     /* exit 5: timed out */
    ERR_LOCKED,      /* exit 6: locked by another */
    ERR_CONFLICT,    /* exit 7: a conflict needs a decision */
    ERR_UNREACHABLE, /* exit 8: cluster unreachable or not authorised */
    ERR_INTERRUPTED, /* exit 130: Ctrl-C */
};

struct err {
    enum err_kind kind;
    char message[2048];
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        ERR_NONE, ""                                                                               \
    }

/* Sets kind and message (cut with "..." when too long). Returns -1, for `return err_set(...)`. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<text>: " before the message that is there. Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit code of the program for this kind of error, as the manual lists them. */
int err_exit_code(enum err_kind kind);

/* The kind as one word for programs: "refused", "timeout" ... */
const char *err_word(enum err_kind kind);

#endif
