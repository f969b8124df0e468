/* Base64 of RFC 4648, as kubeconfig files hold certificates. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

/* Decodes text, skipping white space. The caller's to free, NUL-terminated; NULL when it is no
 * base64. `*len` (may be NULL) is the length in bytes. */
char *base64_decode(const char *text, size_t *len);

#endif
