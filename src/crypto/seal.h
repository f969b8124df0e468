/*
 * Bytes sealed by a key (AES-256-GCM), so that who has the text alone can neither read nor change
 * them, and checksums (SHA-256); by OpenSSL.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include <stddef.h>

#include "base/err.h"

#define SEAL_KEY_SIZE 32

/* Seals bytes under a fresh nonce; the same bytes give another text each time. `*text`: base64, the
 * caller's. Returns 0 or -1. */
int seal_encrypt(const unsigned char key[SEAL_KEY_SIZE], const char *bytes, size_t length,
                 char **text, struct err *err);

/* The bytes back, NUL-terminated, the caller's to wipe and free. Returns 0, or -1 with ERR_FAILED
 * when the text is not one of seal_encrypt(), was changed, or was sealed by another key. */
int seal_decrypt(const unsigned char key[SEAL_KEY_SIZE], const char *text, char **bytes,
                 size_t *length, struct err *err);

/* A fresh key from the kernel's random numbers. Returns 0 or -1. */
int seal_key_new(unsigned char key[SEAL_KEY_SIZE], struct err *err);

/* The key of a passphrase (scrypt, 32 MiB of work), always the same with the same salt, which is
 * base64 of at least 8 bytes. Returns 0, or -1 with ERR_FAILED. */
int seal_key_from_passphrase(const char *passphrase, size_t length, const char *salt_base64,
                             unsigned char key[SEAL_KEY_SIZE], struct err *err);

/* Returns 0 or -1. */
int seal_sha256(const char *bytes, size_t length, unsigned char digest[32], struct err *err);

#endif
