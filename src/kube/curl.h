/*
 * libcurl, loaded when the first request is made. Linking it would cost every start of the program
 * 33 shared libraries, 4 ms and 6 MB, also those that need no cluster.
 */
#ifndef KUBE_CURL_H
#define KUBE_CURL_H

#include <curl/curl.h>

#include "base/err.h"

#define CURL_FUNCTIONS(X)                                                                          \
    X(global_init)                                                                                 \
    X(version_info)                                                                                \
    X(getdate)                                                                                     \
    X(easy_init)                                                                                   \
    X(easy_setopt)                                                                                 \
    X(easy_getinfo)                                                                                \
    X(easy_reset)                                                                                  \
    X(easy_strerror)                                                                               \
    X(easy_cleanup)                                                                                \
    X(slist_append)                                                                                \
    X(slist_free_all)                                                                              \
    X(multi_init)                                                                                  \
    X(multi_setopt)                                                                                \
    X(multi_add_handle)                                                                            \
    X(multi_remove_handle)                                                                         \
    X(multi_perform)                                                                               \
    X(multi_poll)                                                                                  \
    X(multi_info_read)                                                                             \
    X(multi_socket_action)                                                                         \
    X(multi_strerror)                                                                              \
    X(multi_cleanup)

/* curl->easy_init is curl_easy_init, and so on. */
struct curl_library {
#define X(name) __typeof__(&curl_##name) name; /* NOLINT(bugprone-macro-parentheses) */
    CURL_FUNCTIONS(X)
#undef X
};

/* The library, loaded and initialised once; NULL with err (ERR_FAILED) when it is missing or lacks
 * TLS or HTTP/2. Never unloaded. */
const struct curl_library *curl_load(struct err *err);

/* Lets go of the pages of this program and its libraries that are their files' own: of what was
 * used to load or to begin only. The next use of one brings it back. */
void curl_let_go(void);

#endif
