#include "kube/curl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The SONAME has been the same since 2006; -gnutls is Debian's other build. */
static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

static const struct {
    const char *symbol;
    size_t offset;
} functions[] = {
#define X(name) { "curl_" #name, offsetof(struct curl_library, name) },
    CURL_FUNCTIONS(X)
#undef X
};

const struct curl_library *curl_load(struct err *err)
{
    static struct curl_library library;
    static bool loaded;
    if (loaded)
        return &library;
    void *handle = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !handle; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        err_set(err, ERR_FAILED, "cannot load libcurl (%s); install libcurl4", dlerror());
        return NULL;
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *address = dlsym(handle, functions[i].symbol);
        if (!address) {
            err_set(err, ERR_FAILED, "this libcurl has no %s; 7.66 or later is needed",
                    functions[i].symbol);
            return NULL;
        }
        /* By memcpy: ISO C has no cast from an object pointer to a function pointer. */
        memcpy((char *)&library + functions[i].offset, &address, sizeof address);
    }
    library.global_init(CURL_GLOBAL_DEFAULT);
    int wanted = CURL_VERSION_SSL | CURL_VERSION_HTTP2;
    if ((library.version_info(CURLVERSION_NOW)->features & wanted) != wanted) {
        err_set(err, ERR_FAILED, "this libcurl was built without TLS or without HTTP/2");
        return NULL;
    }
    loaded = true;
    return &library;
}
