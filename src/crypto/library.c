#include "crypto/library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *symbol;
    size_t offset;
} functions[] = {
#define X(name) { #name, offsetof(struct crypto_library, name) },
    CRYPTO_FUNCTIONS(X)
#undef X
};

const struct crypto_library *crypto_load(struct err *err)
{
    static struct crypto_library library;
    static bool loaded;
    if (loaded)
        return &library;
    void *handle = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        err_set(err, ERR_FAILED, "cannot load OpenSSL for keys and checksums (%s); install libssl3",
                dlerror());
        return NULL;
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *address = dlsym(handle, functions[i].symbol);
        if (!address) {
            err_set(err, ERR_FAILED, "this OpenSSL has no %s; 3.0 or later is needed",
                    functions[i].symbol);
            return NULL;
        }
        memcpy((char *)&library + functions[i].offset, &address, sizeof address);
    }
    loaded = true;
    return &library;
}
