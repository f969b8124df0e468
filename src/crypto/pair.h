/* Key pairs and passwords, by OpenSSL. */
#ifndef CRYPTO_PAIR_H
#define CRYPTO_PAIR_H

#include <stddef.h>

#include "base/err.h"

/* PEM text, the caller's; pair_release() wipes the private key. */
struct pair {
    char *private_key; /* PKCS #8 */
    char *public_key;  /* SubjectPublicKeyInfo; NULL in a TLS pair */
    char *certificate; /* X.509; NULL in an RSA pair */
};

/* A fresh RSA pair of 2048 to 8192 bits. Returns 0 or -1. */
int pair_rsa(struct pair *pair, int bits, struct err *err);

/* A fresh RSA key with a certificate that it signed itself, for these DNS names or IP addresses (at
 * least one; the first is the common name), valid from now for `days`. */
int pair_tls(struct pair *pair, int bits, const char *const *names, size_t count, int days,
             struct err *err);

void pair_release(struct pair *pair);

/* `length` characters of `alphabet` (1 to 256 bytes), each as likely as any other, from the
 * kernel's random numbers. The caller's, freed by xfree_secret(). NULL with err when there are
 * none. */
char *pair_password(size_t length, const char *alphabet, struct err *err);

#endif
