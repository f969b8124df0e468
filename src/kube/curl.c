#include "kube/curl.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* GnuTLS, which libraries of libcurl's link, prepares itself in each program that loads it, for 0.8
 * MB; nothing here uses it (gnutls_global_init(3)). Programs that are run from here find the
 * environment as it was. */
static void *load(const char *name)
{
    static const char variable[] = "GNUTLS_NO_IMPLICIT_INIT";
    bool is_set = getenv(variable) != NULL;
    setenv(variable, "1", 0);
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!is_set)
        unsetenv(variable);
    return handle;
}

/* Lets go of the pages of a library that are the file's: tables of symbols and relocations, which
 * only its loading needs, are most of what is resident. The next use of a page brings it back. */
static int let_go(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)arg;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr, end = start + part->p_filesz;
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W))
            continue;
        start &= ~(page - 1);
        (void)!madvise((void *)start, end - start,
                       MADV_DONTNEED); // NOLINT: an address of the loader
    }
    return 0;
}

void curl_let_go(void)
{
    dl_iterate_phdr(let_go, NULL);
}

const struct curl_library *curl_load(struct err *err)
{
    static struct curl_library library;
    static bool loaded;
    if (loaded)
        return &library;
    void *handle = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !handle; i++)
        handle = load(names[i]);
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
    curl_let_go();
    loaded = true;
    return &library;
}
