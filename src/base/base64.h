/* Base64 of RFC 4648, as kubeconfig files hold certificates and Secrets their data. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

/* Decodes text, skipping white space. The caller's to free, NUL-terminated; NULL when it is no
 * base64. `*len` (may be NULL) is the length in bytes. */
char *base64_decode(const char *text, size_t *len);

/* The text of bytes, without line breaks. The caller's to free. */
char *base64_encode(const char *bytes, size_t length);

#endif
